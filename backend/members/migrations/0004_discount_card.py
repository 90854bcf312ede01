"""The best discount card of a member, beside what a till reads of them anyway."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add columns that may be empty: no row is written, and a release that does not know them goes on."""

    dependencies = [("members", "0003_birthdays")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Member", name="card_id", field=fields.CharField(null=True, max_length=32)),
        ops.AddField(model_name="Member", name="card_discount_bp", field=fields.IntField(null=True)),
        ops.AddField(model_name="Member", name="card_multiplier_bp", field=fields.IntField(null=True)),
        ops.AddField(model_name="Member", name="card_until", field=fields.DateField(null=True)),
    ]
