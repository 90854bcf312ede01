"""What customers are given with a case, once; and of which coupons stores may give one."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE feedback_gift (
    template_id varchar(16) NOT NULL PRIMARY KEY,
    staff_id    bigint      NOT NULL,
    at          timestamptz NOT NULL
);
CREATE UNIQUE INDEX feedback_step_gives_once ON feedback_step (case_id) WHERE action = 'give';
CREATE INDEX feedback_step_given_by ON feedback_step (staff_id, at) WHERE action = 'give';
"""

DROP = """
DROP INDEX feedback_step_given_by, feedback_step_gives_once;
DROP TABLE feedback_gift;
"""


class Migration(migrations.Migration):
    """Let cases give."""

    dependencies = [("cases", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Case", name="given", field=fields.JSONField(null=True)),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
