"""What was booked against WeChat Pay by time, to be held against its bills."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# One entry of a recharge or an order that WeChat paid; sales at tills have none.
INDEX = """
CREATE INDEX ledger_entry_psp_by_time ON ledger_entry (at, member_id, seq) WHERE kind = 'house.psp_clearing';
"""


class Migration(migrations.Migration):
    """Build it; entries cannot be written meanwhile, some seconds for ten million of them."""

    dependencies = [("ledger", "0004_by_time")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(INDEX, reverse_sql="DROP INDEX ledger_entry_psp_by_time"),
    ]
