"""A bill that was taken is due again while it is taken once more, so that a crash leaves nothing half done."""

from tortoise import migrations
from tortoise.migrations import operations as ops

_ADD = """
ALTER TABLE reconciliation_bill DROP CONSTRAINT reconciliation_bill_due,
    ADD CONSTRAINT reconciliation_bill_due CHECK (state <> 'waiting' OR due_at IS NOT NULL);
CREATE INDEX reconciliation_bill_is_due ON reconciliation_bill (due_at) WHERE due_at IS NOT NULL;
DROP INDEX reconciliation_bill_waiting;
"""
_DROP = """
UPDATE reconciliation_bill SET due_at = NULL WHERE state <> 'waiting';
ALTER TABLE reconciliation_bill DROP CONSTRAINT reconciliation_bill_due,
    ADD CONSTRAINT reconciliation_bill_due CHECK ((state = 'waiting') = (due_at IS NOT NULL));
CREATE INDEX reconciliation_bill_waiting ON reconciliation_bill (due_at) WHERE state = 'waiting';
DROP INDEX reconciliation_bill_is_due;
"""


class Migration(migrations.Migration):
    """A wider check and another index of a table with a row a day: instant."""

    dependencies = [("reconciliation", "0003_gone_lines")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(_ADD, reverse_sql=_DROP),
    ]
