"""Identities of members who are outside of their validity."""

from tortoise import migrations
from tortoise.migrations import operations as ops

CHECK = """
ALTER TABLE auth_wechat_identity DROP CONSTRAINT auth_identity_standing, ADD CONSTRAINT auth_identity_standing
    CHECK (standing IN ('none', 'pending', 'active', 'frozen', 'expired')) NOT VALID;
"""
UNCHECK = """
UPDATE auth_wechat_identity SET standing = 'frozen' WHERE standing = 'expired';
ALTER TABLE auth_wechat_identity DROP CONSTRAINT auth_identity_standing, ADD CONSTRAINT auth_identity_standing
    CHECK (standing IN ('none', 'pending', 'active', 'frozen')) NOT VALID;
"""


class Migration(migrations.Migration):
    """One more standing; nobody has it yet."""

    dependencies = [("auth", "0005_people")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(CHECK, reverse_sql=UNCHECK),
    ]
