"""A role may ask for a second factor of everybody who has it."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """A column with a constant default: instant. It also joins the two branches of before."""

    dependencies = [("auth", "0006_expired"), ("auth", "0006_staff_phone")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="StaffRole", name="second_factor", field=fields.BooleanField(db_default=False)),
    ]
