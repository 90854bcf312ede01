"""In which turn each lot is spent: fixed when it is made."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Without a default that must be computed nothing is rewritten: lots of before are all of one rank, spent as they were.
RANK = """
ALTER TABLE ledger_lot ADD COLUMN rank smallint NOT NULL DEFAULT 0;
CREATE INDEX ledger_lot_open_in_turn ON ledger_lot (member_id, kind, ref, rank, expires_on, lot_id) WHERE open;
DROP INDEX ledger_lot_open_by_account;
"""
BACK = """
CREATE INDEX ledger_lot_open_by_account ON ledger_lot (member_id, kind, ref, expires_on, lot_id) WHERE open;
DROP INDEX ledger_lot_open_in_turn;
ALTER TABLE ledger_lot DROP COLUMN rank;
"""


class Migration(migrations.Migration):
    """Add it, and the index that finds the first lot; lots cannot change meanwhile, some seconds for ten million."""

    dependencies = [("ledger", "0004_by_time")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(RANK, reverse_sql=BACK),
    ]
