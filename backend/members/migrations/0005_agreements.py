"""Levels that are lent by groups, least discounts, locks, and stages, beside what a till reads anyway."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

INDEX = """
CREATE INDEX member_by_stage ON member (stage) WHERE stage IS NOT NULL;
ALTER TABLE member ADD CONSTRAINT member_lent_discount CHECK (lent_discount_bp BETWEEN 0 AND 9999) NOT VALID;
"""


class Migration(migrations.Migration):
    """Add columns that may be empty: no row is written, and a release that does not know them goes on."""

    dependencies = [("members", "0004_discount_card")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Member", name="own_level", field=fields.CharField(null=True, max_length=20)),
        ops.AddField(model_name="Member", name="lent_level", field=fields.CharField(null=True, max_length=20)),
        ops.AddField(model_name="Member", name="lent_discount_bp", field=fields.IntField(null=True)),
        ops.AddField(model_name="Member", name="level_locked", field=fields.BooleanField(null=True)),
        ops.AddField(model_name="Member", name="stage", field=fields.CharField(null=True, max_length=12)),
        ops.AddField(model_name="Member", name="stage_since", field=fields.DateField(null=True)),
        ops.AddField(model_name="Level", name="benefits", field=fields.JSONField(null=True)),
        ops.AddField(model_name="Level", name="ruled", field=fields.BooleanField(null=True)),
        ops.RunSQL(
            INDEX,
            reverse_sql="DROP INDEX member_by_stage; ALTER TABLE member DROP CONSTRAINT member_lent_discount",
        ),
    ]
