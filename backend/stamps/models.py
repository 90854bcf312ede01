"""Tables of campaigns. Checks, and tables with composite keys, stand in the migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Campaign(Model):
    """One campaign; what it promises is fixed once it was active. Kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    title = fields.CharField(max_length=40)
    note = fields.CharField(max_length=300)
    kind = fields.CharField(max_length=10)
    state = fields.CharField(max_length=8)
    goal = fields.IntField()
    earning: dict[str, Any] = fields.JSONField(default=dict)
    reward: list[str] = fields.JSONField(default=list)
    level = fields.CharField(max_length=16, null=True)
    level_months: int | None = fields.IntField(null=True)
    per_member: int | None = fields.IntField(null=True)
    stores: list[str] = fields.JSONField(default=list)
    levels: list[str] = fields.JSONField(default=list)
    starts_at: datetime | None = fields.DatetimeField(null=True)
    ends_at: datetime | None = fields.DatetimeField(null=True)
    sort = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    closed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "stamp_campaign"


class Change(Model):
    """What somebody of the staff did to a campaign; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    campaign_id = fields.CharField(max_length=16)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at = fields.DatetimeField()

    class Meta:
        table = "stamp_change"
