"""Tables of members, their levels, PINs, consents and growth. Checks stand in the migration."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.fields import OnDelete
from tortoise.models import Model


class Level(Model):
    """One level of membership; ``growth_from_fen`` is the spending from which it is reached. Few rows, read cached."""

    code = fields.CharField(max_length=20, primary_key=True)
    name = fields.CharField(max_length=40)
    discount_bp = fields.IntField(default=0)
    points_multiplier_bp = fields.IntField(default=10_000)
    growth_from_fen = fields.BigIntField(unique=True)
    benefits: list[str] | None = fields.JSONField(null=True)
    ruled = fields.BooleanField(null=True)

    class Meta:
        table = "member_level"


class Member(Model):
    """One person; the phone is sealed, found by its blind index, and one phone is one member. Kept until erasure."""

    id = fields.BigIntField(primary_key=True, generated=False)
    member_no = fields.CharField(max_length=12, unique=True)
    name = fields.CharField(max_length=40)
    phone_sealed = fields.CharField(max_length=200)
    phone_index = fields.CharField(max_length=64, unique=True)
    birthday: date | None = fields.DateField(null=True)
    gender = fields.CharField(max_length=8, default="unknown")
    store_id = fields.CharField(max_length=16, null=True, db_index=True)
    referrer_id: int | None = fields.BigIntField(null=True)
    level: fields.ForeignKeyRelation[Level] = fields.ForeignKeyField(
        "members.Level", related_name="members", on_delete=OnDelete.RESTRICT
    )
    level_id: str
    status = fields.CharField(max_length=16)
    growth_fen = fields.BigIntField(default=0)
    attributes: dict[str, Any] = fields.JSONField(default=dict)
    card_id = fields.CharField(max_length=32, null=True)
    card_discount_bp: int | None = fields.IntField(null=True)
    card_multiplier_bp: int | None = fields.IntField(null=True)
    card_until: date | None = fields.DateField(null=True)
    own_level = fields.CharField(max_length=20, null=True)
    lent_level = fields.CharField(max_length=20, null=True)
    lent_discount_bp: int | None = fields.IntField(null=True)
    level_locked = fields.BooleanField(null=True)
    stage = fields.CharField(max_length=12, null=True)
    card_type = fields.CharField(max_length=20, null=True)
    stage_since: date | None = fields.DateField(null=True)
    version = fields.IntField(default=1, db_default=1)
    valid_from: date | None = fields.DateField(null=True)
    valid_until: date | None = fields.DateField(null=True)
    merged_into: int | None = fields.BigIntField(null=True)
    unprofiled = fields.BooleanField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "member"


class Pin(Model):
    """A member's payment PIN and the tries since the last right one; at most one row a member."""

    member_id = fields.BigIntField(primary_key=True, generated=False)
    pin_hash = fields.CharField(max_length=200)
    failures = fields.IntField(default=0)
    locked_until: datetime | None = fields.DatetimeField(null=True)
    changed_at = fields.DatetimeField()
    initialised_at: datetime | None = fields.DatetimeField(null=True)
    lower_until: datetime | None = fields.DatetimeField(null=True)
    lower_left_fen: int | None = fields.BigIntField(null=True)

    class Meta:
        table = "member_pin"


class Consent(Model):
    """One thing a member agreed to, in which version and when; never changed, only added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    member_id = fields.BigIntField()
    kind = fields.CharField(max_length=20)
    version = fields.CharField(max_length=20)
    agreed_at = fields.DatetimeField()

    class Meta:
        table = "member_consent"
        unique_together = (("member_id", "kind", "version"),)


class Growth(Model):
    """What one sale (or refund, negative) added to a member's growth; its uniqueness makes adding it twice harmless."""

    id = fields.BigIntField(primary_key=True, generated=False)
    member_id = fields.BigIntField()
    source_id = fields.CharField(max_length=40)
    growth_fen = fields.BigIntField()
    at = fields.DatetimeField()

    class Meta:
        table = "member_growth"
        unique_together = (("member_id", "source_id"),)
