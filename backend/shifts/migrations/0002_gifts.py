"""Gifts for points that a till handed over stand in its shift."""

from tortoise import migrations
from tortoise.migrations import operations as ops

BEFORE = "'sale', 'refund', 'recharge', 'recharge_reversal', 'gift_card', 'gift_card_undone'"
CHANGE = """
ALTER TABLE shift_entry DROP CONSTRAINT shift_entry_kind_check;
ALTER TABLE shift_entry ADD CONSTRAINT shift_entry_kind_check CHECK (kind IN ({kinds})) NOT VALID"""


class Migration(migrations.Migration):
    """Let entries be of one more kind; those that are there are of the others, so nothing is read."""

    dependencies = [("shifts", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(CHANGE.format(kinds=f"{BEFORE}, 'gift'"), reverse_sql=CHANGE.format(kinds=BEFORE)),
    ]
