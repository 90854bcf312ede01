"""The house accounts' sums by day, and how far each member's transfers are counted in them."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE ledger_rollup (
    zone    text   NOT NULL,
    day     date   NOT NULL,
    kind    text   NOT NULL,
    ref     text   NOT NULL,
    unit    text   NOT NULL,
    amount  bigint NOT NULL,
    entries bigint NOT NULL CHECK (entries > 0),
    PRIMARY KEY (zone, day, kind, ref, unit)
) WITH (fillfactor = 70);

CREATE TABLE ledger_rolled (
    member_id bigint NOT NULL,
    zone      text   NOT NULL,
    seq       bigint NOT NULL,
    PRIMARY KEY (member_id, zone)
) WITH (fillfactor = 70);
"""

# What a partition does not take over from its parent: a trigger that is asked once a statement.
EACH_PARTITION = """
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'ledger_entry'::regclass LOOP
        EXECUTE format('{}', v_table);
    END LOOP;
END $$
"""
STAYS = EACH_PARTITION.format(
    "CREATE TRIGGER ledger_entry_stays BEFORE TRUNCATE ON %s EXECUTE FUNCTION ledger_is_history()"
)
STAYS_NOT = EACH_PARTITION.format("DROP TRIGGER IF EXISTS ledger_entry_stays ON %s")


class Migration(migrations.Migration):
    """Give house accounts balances: sums that a job keeps, and that can be thrown away and counted again."""

    dependencies = [("ledger", "0002_used_elsewhere")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE ledger_rolled, ledger_rollup"),
        ops.RunSQL(STAYS, reverse_sql=STAYS_NOT),
    ]
