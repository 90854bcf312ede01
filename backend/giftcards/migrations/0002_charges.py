"""Charges by the order number that the till knows."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# No plan touches it: what a charge is, its document says.
TABLE = """
CREATE TABLE giftcard_charge (
    store_id  text NOT NULL,
    order_no  text NOT NULL,
    charge_id text NOT NULL,
    PRIMARY KEY (store_id, order_no, charge_id)
);
"""


class Migration(migrations.Migration):
    """Create the table that finds charges by order; those of before are found by id."""

    dependencies = [("giftcards", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE giftcard_charge"),
    ]
