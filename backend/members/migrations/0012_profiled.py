"""Who said no to being chosen by what they bought, beside what audiences ask."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add a column that may be empty: nobody has said no yet."""

    dependencies = [("members", "0012_card_types")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Member", name="unprofiled", field=fields.BooleanField(null=True)),
    ]
