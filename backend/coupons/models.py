"""Tables of templates and what is made from them. Checks, and tables with composite keys, stand in the migration."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Template(Model):
    """One offer of coupons, and how many were issued; kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    version = fields.IntField(default=1)
    title = fields.CharField(max_length=40)
    state = fields.CharField(max_length=8)
    claim_by = fields.CharField(max_length=8)
    share_token = fields.CharField(max_length=32, unique=True)
    starts_at: datetime | None = fields.DatetimeField(null=True)
    ends_at: datetime | None = fields.DatetimeField(null=True)
    total: int | None = fields.BigIntField(null=True)
    issued = fields.BigIntField(default=0)
    reserved = fields.BigIntField(default=0)
    per_member: int | None = fields.IntField(null=True)
    triggers: list[dict[str, Any]] = fields.JSONField(default=list)
    sort = fields.IntField(default=0)
    birthdays_on: date | None = fields.DateField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "coupon_template"


class Batch(Model):
    """One batch of codes; what they are made from is gone once they were exported."""

    id = fields.CharField(max_length=16, primary_key=True)
    template_id = fields.CharField(max_length=16, db_index=True)
    note = fields.CharField(max_length=80)
    total = fields.IntField()
    made = fields.IntField(default=0)
    claimed = fields.IntField(default=0)
    state = fields.CharField(max_length=8)
    secret_sealed = fields.CharField(max_length=200, null=True)
    staff_id = fields.BigIntField()
    created_at = fields.DatetimeField()
    exported_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "coupon_batch"


class Change(Model):
    """What somebody of the staff did to a template; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    template_id = fields.CharField(max_length=16)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at = fields.DatetimeField()

    class Meta:
        table = "coupon_change"
