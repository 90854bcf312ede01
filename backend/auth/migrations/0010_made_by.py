"""Who made a login: while it is new, its maker may be who uses it."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

INDEX = (
    "CREATE INDEX auth_staff_link_of_maker ON auth_staff_link (made_by) WHERE used_at IS NULL AND revoked_at IS NULL"
)


class Migration(migrations.Migration):
    """A column that may be empty; the release before leaves it so."""

    dependencies = [("auth", "0009_control")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Staff", name="made_by", field=fields.BigIntField(null=True)),
        ops.RunSQL(INDEX, reverse_sql="DROP INDEX auth_staff_link_of_maker"),
    ]
