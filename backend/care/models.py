"""Tables of care. Checks, and the tables of tasks, runs and facts, stand in the migration."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Plan(Model):
    """One plan; what it does is fixed while it runs. Kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    title = fields.CharField(max_length=60)
    note = fields.CharField(max_length=300)
    state = fields.CharField(max_length=8)
    audience: dict[str, Any] = fields.JSONField(default=dict)
    trigger: dict[str, Any] = fields.JSONField(default=dict)
    how = fields.CharField(max_length=8)
    template = fields.CharField(max_length=40, null=True)
    gift: dict[str, Any] | None = fields.JSONField(null=True)
    owner_id: int | None = fields.BigIntField(null=True)
    hour = fields.IntField(default=9)
    due_days = fields.IntField(default=3)
    holdout_bp = fields.IntField(default=0)
    window_days = fields.IntField(default=14)
    starts_on: date | None = fields.DateField(null=True)
    ends_on: date | None = fields.DateField(null=True)
    version = fields.IntField(default=1)
    # Chance draws under it who is held out; it leaves the database nowhere.
    seed = fields.BinaryField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    done_on: date | None = fields.DateField(null=True)
    request_hash = fields.BinaryField()

    class Meta:
        table = "care_plan"


class Change(Model):
    """What somebody of the staff did to a plan or a task, looking up a phone number too; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    subject_id = fields.CharField(max_length=16)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "care_change"
