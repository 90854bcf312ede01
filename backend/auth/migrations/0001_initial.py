"""Identities, sessions, devices, shops, tills and staff: tables, then what the ORM cannot say."""

# ruff: noqa: E501 - the models' docstrings stand here on one line, as the ORM compares them

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE auth_wechat_identity
    ADD CONSTRAINT auth_identity_standing CHECK (standing IN ('none', 'pending', 'active', 'frozen')),
    ADD CONSTRAINT auth_identity_bound CHECK ((member_id IS NULL) = (standing = 'none'));
CREATE INDEX auth_session_live ON auth_session (identity_id) WHERE ended_at IS NULL;
ALTER TABLE auth_session ADD CONSTRAINT auth_session_end CHECK ((ended_at IS NULL) = (ended_why IS NULL));
CREATE UNIQUE INDEX auth_device_of_session ON auth_device (member_id, session_id)
    WHERE session_id IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX auth_device_revoked ON auth_device (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX auth_device_by_session ON auth_device (session_id) WHERE session_id IS NOT NULL AND revoked_at IS NULL;
ALTER TABLE auth_handle
    ADD CONSTRAINT auth_handle_digits CHECK (handle ~ '^[0-9]{9}$'),
    ADD CONSTRAINT auth_handle_retired CHECK ((retired_at IS NULL) = (good_until IS NULL));
CREATE UNIQUE INDEX auth_handle_current ON auth_handle (member_id, device_id) WHERE retired_at IS NULL;
CREATE INDEX auth_handle_retired_at ON auth_handle (retired_at) WHERE retired_at IS NOT NULL;
CREATE INDEX auth_terminal_by_store ON auth_terminal (store_id);
ALTER TABLE auth_terminal
    ADD CONSTRAINT auth_terminal_id CHECK (id ~ '^[A-Za-z0-9_-]{1,32}$'),
    ADD CONSTRAINT auth_terminal_previous CHECK ((previous_sealed IS NULL) = (previous_until IS NULL));
ALTER TABLE auth_staff
    ADD CONSTRAINT auth_staff_role CHECK (role IN ('admin', 'manager', 'clerk')),
    ADD CONSTRAINT auth_staff_scope CHECK ((role = 'admin') = (store_id IS NULL));
CREATE INDEX auth_staff_by_store ON auth_staff (store_id);
CREATE INDEX auth_staff_session_live ON auth_staff_session (staff_id) WHERE ended_at IS NULL;
INSERT INTO auth_epoch (name, value) VALUES ('tills', 1);

-- Nonces for when Redis is gone. Unlogged: losing them in a crash lets nobody in, the signature covers the key.
CREATE UNLOGGED TABLE auth_nonce (
    terminal_id text NOT NULL,
    nonce       text NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (terminal_id, nonce)
);
CREATE INDEX auth_nonce_expiry ON auth_nonce (expires_at);
"""

UNCHECK = """
DROP TABLE auth_nonce;
DELETE FROM auth_epoch;
DROP INDEX auth_session_live, auth_device_of_session, auth_device_by_session, auth_device_revoked, auth_handle_current,
    auth_handle_retired_at, auth_terminal_by_store, auth_staff_by_store, auth_staff_session_live;
ALTER TABLE auth_wechat_identity DROP CONSTRAINT auth_identity_standing, DROP CONSTRAINT auth_identity_bound;
ALTER TABLE auth_session DROP CONSTRAINT auth_session_end;
ALTER TABLE auth_handle DROP CONSTRAINT auth_handle_digits, DROP CONSTRAINT auth_handle_retired;
ALTER TABLE auth_terminal DROP CONSTRAINT auth_terminal_id, DROP CONSTRAINT auth_terminal_previous;
ALTER TABLE auth_staff DROP CONSTRAINT auth_staff_role, DROP CONSTRAINT auth_staff_scope;
"""


class Migration(migrations.Migration):
    """Create the tables, their checks and their partial indexes."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Device",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("member_id", fields.BigIntField(db_index=True)),
                ("name", fields.CharField(max_length=40)),
                ("secret_sealed", fields.CharField(max_length=200)),
                ("session_id", fields.BigIntField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_device",
                "app": "auth",
                "pk_attr": "id",
                "table_description": "One holder of a code secret; goes 30 days after it was revoked (its step guard in the ledger stays).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Epoch",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("value", fields.BigIntField(default=0)),
            ],
            options={
                "table": "auth_epoch",
                "app": "auth",
                "pk_attr": "name",
                "table_description": "One number that moves with every change of what processes keep in memory (``tills``: stores and terminals).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Handle",
            fields=[
                ("handle", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=9)),
                ("device_id", fields.BigIntField(db_index=True)),
                ("member_id", fields.BigIntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("retired_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("good_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("suspect_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_handle",
                "app": "auth",
                "pk_attr": "handle",
                "table_description": "One pseudonym of a device, found by itself; 30 days after it was retired it goes.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LoginFailure",
            fields=[
                ("subject", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("failures", fields.IntField(default=0)),
                ("last_at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_login_failure",
                "app": "auth",
                "pk_attr": "subject",
                "table_description": "Wrong tries of one staff name, known or not (a keyed digest, so that unknown ones look the same); swept daily.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Store",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("name", fields.CharField(max_length=80)),
                ("timezone", fields.CharField(max_length=40)),
                ("address", fields.CharField(default="", max_length=200)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_store",
                "app": "auth",
                "pk_attr": "id",
                "table_description": "One shop of the chain; never deleted, because sales name it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Staff",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("username", fields.CharField(unique=True, max_length=40)),
                ("password_hash", fields.CharField(max_length=200)),
                ("totp_sealed", fields.CharField(null=True, max_length=200)),
                ("totp_step", fields.BigIntField(default=0)),
                ("role", fields.CharField(max_length=16)),
                (
                    "store",
                    fields.ForeignKeyField(
                        "auth.Store",
                        source_field="store_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="staff",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("active", fields.BooleanField(default=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_staff",
                "app": "auth",
                "pk_attr": "id",
                "table_description": "One person with a login; ``totp_step`` is the last step used: no code works twice. Never deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StaffSession",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                (
                    "staff",
                    fields.ForeignKeyField(
                        "auth.Staff",
                        source_field="staff_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("refresh_hash", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_staff_session",
                "app": "auth",
                "pk_attr": "id",
                "table_description": "One login of staff; ends for good 12 hours after it began.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Terminal",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                (
                    "store",
                    fields.ForeignKeyField(
                        "auth.Store",
                        source_field="store_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="terminals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=80)),
                ("secret_sealed", fields.CharField(max_length=300)),
                ("previous_sealed", fields.CharField(null=True, max_length=300)),
                ("previous_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_terminal",
                "app": "auth",
                "pk_attr": "id",
                "table_description": "One till and its signing secret; in a rotation the previous one holds until its time. Never deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WechatIdentity",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("openid", fields.CharField(unique=True, max_length=64)),
                ("member_id", fields.BigIntField(null=True, db_index=True)),
                ("standing", fields.CharField(default="none", max_length=16)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("bound_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_wechat_identity",
                "app": "auth",
                "pk_attr": "id",
                "table_description": "One WeChat account that ever logged in, and the member it acts for; kept until erasure.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Session",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                (
                    "identity",
                    fields.ForeignKeyField(
                        "auth.WechatIdentity",
                        source_field="identity_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("refresh_hash", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("refreshed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_why", fields.CharField(null=True, max_length=16)),
            ],
            options={
                "table": "auth_session",
                "app": "auth",
                "pk_attr": "id",
                "table_description": "One login and its family of refresh tokens: only the living one's digest is kept. Swept 30 days after.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
