"""Which member a person of the staff is."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add a column that may be empty, and its index; there are few staff, and the release before ignores it."""

    dependencies = [("auth", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Staff", name="member_id", field=fields.BigIntField(null=True, unique=True)),
    ]
