"""What members bought, by article and by sale."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# A sale's row says what of it is in the sums (`pieces`, by SKU), so that it is counted once and can be counted anew.
TABLES = """
CREATE TABLE audience_sale (
    member_id bigint      NOT NULL,
    sale_id   varchar(40) NOT NULL,
    due       boolean     NOT NULL,
    sold_on   date,
    pieces    jsonb       NOT NULL DEFAULT '{}',
    PRIMARY KEY (member_id, sale_id)
) WITH (fillfactor = 90);
CREATE INDEX audience_sale_due ON audience_sale (member_id, sale_id) WHERE due;

CREATE TABLE audience_bought (
    member_id bigint      NOT NULL,
    sku       varchar(64) NOT NULL,
    pieces    bigint      NOT NULL CHECK (pieces > 0),
    times     integer     NOT NULL CHECK (times > 0),
    last_on   date        NOT NULL,
    PRIMARY KEY (member_id, sku)
) WITH (fillfactor = 90);
CREATE INDEX audience_bought_by_sku ON audience_bought (sku, member_id) INCLUDE (last_on);

CREATE TABLE audience_backfill (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    member_id   bigint      NOT NULL,
    document_id varchar(40) NOT NULL,
    done        boolean     NOT NULL
);
INSERT INTO audience_backfill (member_id, document_id, done) VALUES (0, '', false);
"""


class Migration(migrations.Migration):
    """Create the tables; what was sold before is counted by the job, from the first document on."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE audience_backfill, audience_bought, audience_sale"),
    ]
