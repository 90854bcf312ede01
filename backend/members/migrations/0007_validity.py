"""From when until when somebody is a member, beside what a till reads anyway."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE member DROP CONSTRAINT member_status, ADD CONSTRAINT member_status
    CHECK (status IN ('none', 'pending', 'active', 'frozen', 'expired', 'merged', 'erased')) NOT VALID,
    ADD CONSTRAINT member_validity CHECK (valid_from <= valid_until) NOT VALID;
CREATE INDEX member_valid_until ON member (valid_until, id) WHERE valid_until IS NOT NULL;
CREATE INDEX member_valid_from ON member (valid_from, id) WHERE valid_from IS NOT NULL;
CREATE INDEX member_expired ON member (id) WHERE status = 'expired';
"""
UNCHECK = """
DROP INDEX member_valid_until, member_valid_from, member_expired;
UPDATE member SET status = 'frozen' WHERE status IN ('expired', 'merged', 'erased');
ALTER TABLE member DROP CONSTRAINT member_validity, DROP CONSTRAINT member_status, ADD CONSTRAINT member_status
    CHECK (status IN ('none', 'pending', 'active', 'frozen')) NOT VALID;
"""


class Migration(migrations.Migration):
    """Add columns that may be empty: no row is written, and a release that does not know them goes on."""

    dependencies = [("members", "0006_changes")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Member", name="valid_from", field=fields.DateField(null=True)),
        ops.AddField(model_name="Member", name="valid_until", field=fields.DateField(null=True)),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
