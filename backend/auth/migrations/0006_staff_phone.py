"""Whose phone a person of the staff has proved to be theirs."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = """
CREATE TABLE auth_staff_phone (
    staff_id   bigint      PRIMARY KEY REFERENCES auth_staff (id) ON DELETE RESTRICT,
    digest     varchar(64) UNIQUE,
    expires_at timestamptz,
    member_id  bigint      UNIQUE,
    proved_at  timestamptz,
    CONSTRAINT auth_staff_phone_ticket CHECK ((digest IS NULL) = (expires_at IS NULL)),
    CONSTRAINT auth_staff_phone_proved CHECK ((member_id IS NULL) = (proved_at IS NULL))
);
"""


class Migration(migrations.Migration):
    """Add a table; the release before ignores it."""

    dependencies = [("auth", "0005_people")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLE, reverse_sql="DROP TABLE auth_staff_phone"),
    ]
