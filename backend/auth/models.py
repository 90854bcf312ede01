"""Tables of identities, sessions, devices, shops, tills and staff.

Checks and partial indexes stand in the migration (the ORM drops them from a new table without a word); times are
always given, never the database's.
"""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.fields import OnDelete
from tortoise.models import Model


class Store(Model):
    """One shop of the chain; never deleted, because sales name it."""

    id = fields.CharField(max_length=16, primary_key=True)
    name = fields.CharField(max_length=80)
    timezone = fields.CharField(max_length=40)
    address = fields.CharField(max_length=200, default="")
    created_at = fields.DatetimeField()

    class Meta:
        table = "auth_store"


class WechatIdentity(Model):
    """One WeChat account that ever logged in, and the member it acts for; kept until erasure."""

    id = fields.BigIntField(primary_key=True, generated=False)
    openid = fields.CharField(max_length=64, unique=True)
    member_id: int | None = fields.BigIntField(null=True, db_index=True)
    standing = fields.CharField(max_length=16, default="none")
    created_at = fields.DatetimeField()
    bound_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "auth_wechat_identity"


class Session(Model):
    """One login and its family of refresh tokens: only the living one's digest is kept. Swept 30 days after."""

    id = fields.BigIntField(primary_key=True, generated=False)
    identity: fields.ForeignKeyRelation[WechatIdentity] = fields.ForeignKeyField(
        "auth.WechatIdentity", related_name="sessions", on_delete=OnDelete.RESTRICT
    )
    identity_id: int
    refresh_hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    refreshed_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(db_index=True)
    ended_at: datetime | None = fields.DatetimeField(null=True)
    ended_why = fields.CharField(max_length=16, null=True)
    agent = fields.CharField(max_length=200, null=True)

    class Meta:
        table = "auth_session"


class Device(Model):
    """One holder of a code secret; goes 30 days after it was revoked (its step guard in the ledger stays)."""

    id = fields.BigIntField(primary_key=True, generated=False)
    member_id = fields.BigIntField(db_index=True)
    name = fields.CharField(max_length=40)
    secret_sealed = fields.CharField(max_length=200)
    session_id: int | None = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()
    revoked_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "auth_device"


class Handle(Model):
    """One pseudonym of a device, found by itself; 30 days after it was retired it goes."""

    handle = fields.CharField(max_length=9, primary_key=True)
    device_id = fields.BigIntField(db_index=True)
    member_id = fields.BigIntField()
    created_at = fields.DatetimeField()
    retired_at: datetime | None = fields.DatetimeField(null=True)
    good_until: datetime | None = fields.DatetimeField(null=True)
    suspect_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "auth_handle"


class Terminal(Model):
    """One till and its signing secret; in a rotation the previous one holds until its time. Never deleted."""

    id = fields.CharField(max_length=32, primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField(
        "auth.Store", related_name="terminals", on_delete=OnDelete.RESTRICT
    )
    store_id: str
    name = fields.CharField(max_length=80)
    secret_sealed = fields.CharField(max_length=300)
    previous_sealed = fields.CharField(max_length=300, null=True)
    previous_until: datetime | None = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    revoked_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "auth_terminal"


class Epoch(Model):
    """One number that moves with every change of what processes keep in memory (``tills``: stores and terminals)."""

    name = fields.CharField(max_length=16, primary_key=True)
    value = fields.BigIntField(default=0)

    class Meta:
        table = "auth_epoch"


class StaffRole(Model):
    """One role. Of a built-in one the release says what it holds; ``granted`` and ``withheld`` are what was changed.

    ``second_factor``: nobody does anything by it who has set up none.
    """

    code = fields.CharField(max_length=16, primary_key=True)
    title = fields.CharField(max_length=20)
    scope = fields.CharField(max_length=8)
    builtin = fields.BooleanField(default=False)
    granted: list[str] = fields.JSONField(default=list)
    withheld: list[str] = fields.JSONField(default=list)
    second_factor = fields.BooleanField(db_default=False)
    version = fields.IntField(default=1)
    changed_at = fields.DatetimeField()

    class Meta:
        table = "auth_role"


class Staff(Model):
    """One person with a login; ``totp_step`` is the last step used: no code works twice. Never deleted."""

    id = fields.BigIntField(primary_key=True, generated=False)
    username = fields.CharField(max_length=40, unique=True)
    password_hash = fields.CharField(max_length=200)
    totp_sealed = fields.CharField(max_length=200, null=True)
    totp_step = fields.BigIntField(default=0)
    role = fields.CharField(max_length=16)
    store: fields.ForeignKeyNullableRelation[Store] = fields.ForeignKeyField(
        "auth.Store", related_name="staff", null=True, on_delete=OnDelete.RESTRICT
    )
    store_id: str | None
    active = fields.BooleanField(default=True)
    created_at = fields.DatetimeField()
    member_id: int | None = fields.BigIntField(null=True, unique=True)
    totp_pending = fields.CharField(max_length=200, null=True)
    made_by: int | None = fields.BigIntField(null=True)

    class Meta:
        table = "auth_staff"


class StaffSession(Model):
    """One login of staff; ends for good 12 hours after it began."""

    id = fields.BigIntField(primary_key=True, generated=False)
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField(
        "auth.Staff", related_name="sessions", on_delete=OnDelete.RESTRICT
    )
    staff_id: int
    refresh_hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(db_index=True)
    ended_at: datetime | None = fields.DatetimeField(null=True)
    address = fields.CharField(max_length=45, null=True)
    agent = fields.CharField(max_length=200, null=True)
    seen_at: datetime | None = fields.DatetimeField(null=True)
    device_id: int | None = fields.BigIntField(null=True)

    class Meta:
        table = "auth_staff_session"


class LoginFailure(Model):
    """Wrong tries of one staff name, known or not (a keyed digest, so that unknown ones look the same); swept daily."""

    subject = fields.CharField(max_length=64, primary_key=True)
    failures = fields.IntField(default=0)
    last_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "auth_login_failure"
