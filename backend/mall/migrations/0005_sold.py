"""What was sold of each article by day, and how products rank by it."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE mall_sold_due (
    sale_id   varchar(40) NOT NULL,
    refund_id varchar(40) NOT NULL DEFAULT '',
    member_id bigint      NOT NULL,
    PRIMARY KEY (sale_id, refund_id)
);
CREATE TABLE mall_sold (
    sku     varchar(40) NOT NULL,
    sold_on date        NOT NULL,
    qty     bigint      NOT NULL,
    PRIMARY KEY (sku, sold_on)
) WITH (fillfactor = 80);
CREATE INDEX mall_sold_by_day ON mall_sold (sold_on);
CREATE INDEX mall_product_by_sold ON mall_product (sold_qty, id) WHERE active;
"""


class Migration(migrations.Migration):
    """Create them; nothing is known to be sold yet."""

    dependencies = [("mall", "0004_banners")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Product", name="sold_qty", field=fields.BigIntField(default=0, db_default=0)),
        ops.RunSQL(TABLES, reverse_sql="DROP INDEX mall_product_by_sold; DROP TABLE mall_sold, mall_sold_due"),
    ]
