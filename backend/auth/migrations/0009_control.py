"""What holds for log-ins, devices that staff log in from, and which of them a session began on."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE auth_control (
    version  integer     PRIMARY KEY CHECK (version > 0),
    body     jsonb       NOT NULL,
    staff_id bigint      NOT NULL,
    at       timestamptz NOT NULL
);
CREATE TABLE auth_staff_device (
    id         bigint       PRIMARY KEY,
    staff_id   bigint       NOT NULL REFERENCES auth_staff (id) ON DELETE RESTRICT,
    digest     bytea        NOT NULL,
    agent      varchar(200) NOT NULL,
    address    varchar(45)  NOT NULL,
    state      varchar(8)   NOT NULL CHECK (state IN ('waiting', 'known', 'revoked')),
    created_at timestamptz  NOT NULL,
    seen_at    timestamptz  NOT NULL,
    decided_by bigint,
    decided_at timestamptz
);
CREATE INDEX auth_staff_device_of_person ON auth_staff_device (staff_id, seen_at DESC);
CREATE INDEX auth_staff_device_waiting ON auth_staff_device (created_at) WHERE state = 'waiting';
"""


class Migration(migrations.Migration):
    """Add tables and columns that may be empty; the release before ignores them."""

    dependencies = [("auth", "0008_second_factor")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE auth_staff_device, auth_control"),
        ops.AddField(model_name="StaffSession", name="device_id", field=fields.BigIntField(null=True)),
        ops.AddField(model_name="Session", name="agent", field=fields.CharField(null=True, max_length=200)),
    ]
