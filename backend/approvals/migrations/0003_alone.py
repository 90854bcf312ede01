"""What one person of the staff decided alone on a day is counted, so that a limit holds for all of it together."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = """
CREATE TABLE approval_alone (
    staff_id bigint NOT NULL,
    on_day   date   NOT NULL,
    what     text   NOT NULL,
    amount   bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (staff_id, on_day, what)
);
CREATE INDEX approval_alone_old ON approval_alone (on_day);
"""


class Migration(migrations.Migration):
    """Create the table; its rows live for some days."""

    dependencies = [("approvals", "0002_erased")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE approval_alone"),
    ]
