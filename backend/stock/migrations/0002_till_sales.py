"""What tills sold and took back, until their stock has moved."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE stock_due (
    sale_id   varchar(40) NOT NULL,
    refund_id varchar(40) NOT NULL DEFAULT '',
    member_id bigint      NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (sale_id, refund_id)
);
"""


class Migration(migrations.Migration):
    """Create the list."""

    dependencies = [("stock", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE stock_due"),
    ]
