"""What the mall takes off by itself: activities and threshold offers."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE orders_promotion (
    id         varchar(16) PRIMARY KEY,
    kind       varchar(8)  NOT NULL CHECK (kind IN ('activity', 'offer')),
    title      varchar(40) NOT NULL,
    scope      jsonb       NOT NULL,
    tiers      jsonb       NOT NULL,
    each       boolean     NOT NULL,
    priority   integer     NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    active     boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    staff_id   bigint      NOT NULL,
    CONSTRAINT orders_promotion_window CHECK (starts_at < ends_at)
);
CREATE INDEX orders_promotion_newest ON orders_promotion (created_at, id);
"""


class Migration(migrations.Migration):
    """Create the table of promotions; none are made."""

    dependencies = [("orders", "0003_payments")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE orders_promotion"),
    ]
