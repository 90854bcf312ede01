"""Members who were merged into another."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE member
    ADD CONSTRAINT member_merged CHECK ((status = 'merged') = (merged_into IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT member_merged_away CHECK (merged_into <> id) NOT VALID;
CREATE INDEX member_merged_into ON member (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX member_same ON member (birthday, id) WHERE birthday IS NOT NULL AND status <> 'merged';
"""
BACK = """
DROP INDEX member_same, member_merged_into;
ALTER TABLE member DROP CONSTRAINT member_merged, DROP CONSTRAINT member_merged_away;
"""


class Migration(migrations.Migration):
    """Add a column that may be empty, and what finds who was merged and who may be the same person.

    The index of birthdays takes about a second for a million members, who cannot change meanwhile.
    """

    dependencies = [("members", "0008_cards_and_pins")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Member", name="merged_into", field=fields.BigIntField(null=True)),
        ops.RunSQL(CHECKS, reverse_sql=BACK),
    ]
