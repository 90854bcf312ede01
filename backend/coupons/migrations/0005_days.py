"""What coupons did, counted once a day is over."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Sums over all members, as rows of the statements' own query; and which days have them, for a day may have none.
TABLES = """
CREATE TABLE coupon_day (
    zone     text   NOT NULL,
    on_date  date   NOT NULL,
    what     text   NOT NULL,
    name     text   NOT NULL,
    template text   NOT NULL,
    unit     text   NOT NULL,
    store_id text   NOT NULL,
    plus     bigint NOT NULL,
    minus    bigint NOT NULL,
    PRIMARY KEY (zone, on_date, what, name, template, unit, store_id)
);
CREATE TABLE coupon_day_done (
    zone    text        NOT NULL,
    on_date date        NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (zone, on_date)
);
"""


class Migration(migrations.Migration):
    """Create the tables; statements read the books as before until the job ``coupons.count_days`` has filled them."""

    dependencies = [("coupons", "0004_unused_index")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE coupon_day_done, coupon_day"),
    ]
