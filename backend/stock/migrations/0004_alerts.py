"""What staff should look at: articles that ran low, and what tills sold although the books had less."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE stock_alert (
    id        varchar(16)  PRIMARY KEY,
    kind      varchar(8)   NOT NULL CHECK (kind IN ('low', 'short')),
    place_id  varchar(32)  NOT NULL,
    sku       varchar(40)  NOT NULL,
    qty       bigint       NOT NULL CHECK (qty >= 0),
    at        timestamptz  NOT NULL,
    closed_at timestamptz,
    closed_by bigint,
    note      varchar(300) NOT NULL DEFAULT ''
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX stock_alert_open ON stock_alert (place_id, sku, kind) WHERE closed_at IS NULL;
CREATE INDEX stock_alert_newest ON stock_alert (at DESC, id);
CREATE INDEX stock_alert_of_place ON stock_alert (place_id, at DESC, id);
"""


class Migration(migrations.Migration):
    """Create the list."""

    dependencies = [("stock", "0003_documents")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE stock_alert"),
    ]
