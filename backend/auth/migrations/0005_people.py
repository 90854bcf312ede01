"""What people with a login do for themselves and one another: links, second factors, sessions."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE auth_staff_link (
    id         varchar(16)  PRIMARY KEY,
    kind       varchar(8)   NOT NULL CHECK (kind IN ('invite', 'reset')),
    digest     varchar(64)  NOT NULL UNIQUE,
    username   varchar(40)  NOT NULL,
    role       varchar(16)  REFERENCES auth_role (code) ON DELETE RESTRICT,
    store_id   varchar(16)  REFERENCES auth_store (id) ON DELETE RESTRICT,
    staff_id   bigint       REFERENCES auth_staff (id) ON DELETE RESTRICT,
    made_by    bigint       NOT NULL,
    made_at    timestamptz  NOT NULL,
    expires_at timestamptz  NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz,
    CONSTRAINT auth_staff_link_of CHECK ((kind = 'invite') = (role IS NOT NULL)
        AND ((kind = 'reset' OR used_at IS NOT NULL) = (staff_id IS NOT NULL))),
    CONSTRAINT auth_staff_link_once CHECK (used_at IS NULL OR revoked_at IS NULL)
);
CREATE INDEX auth_staff_link_newest ON auth_staff_link (made_at DESC, id DESC);
CREATE INDEX auth_staff_link_of_person ON auth_staff_link (staff_id) WHERE used_at IS NULL AND revoked_at IS NULL;

CREATE TABLE auth_recovery_code (
    staff_id bigint      NOT NULL REFERENCES auth_staff (id) ON DELETE RESTRICT,
    digest   varchar(64) NOT NULL,
    used_at  timestamptz,
    PRIMARY KEY (staff_id, digest)
);
"""

DROP = "DROP TABLE auth_staff_link; DROP TABLE auth_recovery_code;"


class Migration(migrations.Migration):
    """Add tables and columns that may be empty; the release before ignores them."""

    dependencies = [("auth", "0004_audit")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Staff", name="totp_pending", field=fields.CharField(null=True, max_length=200)),
        ops.AddField(model_name="StaffSession", name="address", field=fields.CharField(null=True, max_length=45)),
        ops.AddField(model_name="StaffSession", name="agent", field=fields.CharField(null=True, max_length=200)),
        ops.AddField(
            model_name="StaffSession",
            name="seen_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
