"""A full card may give a level for some months, beside its coupons."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Columns that may be empty: instant, and nothing that serves already knows them."""

    dependencies = [("stamps", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Campaign", name="level", field=fields.CharField(max_length=16, null=True)),
        ops.AddField(model_name="Campaign", name="level_months", field=fields.IntField(null=True)),
        ops.RunSQL(
            "ALTER TABLE stamp_campaign ADD CONSTRAINT stamp_campaign_level"
            " CHECK ((level IS NULL) = (level_months IS NULL) AND level_months > 0) NOT VALID",
            reverse_sql="ALTER TABLE stamp_campaign DROP CONSTRAINT stamp_campaign_level",
        ),
    ]
