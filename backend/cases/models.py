"""The table of cases. Checks, and tables with composite keys, stand in the migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Case(Model):
    """One case. Kept for good, but for a walk-in's name and number."""

    id = fields.CharField(max_length=20, primary_key=True)
    kind = fields.CharField(max_length=12)
    channel = fields.CharField(max_length=8)
    state = fields.CharField(max_length=12)
    priority = fields.CharField(max_length=8)
    member_id: int | None = fields.BigIntField(null=True)
    contact_sealed = fields.TextField(null=True)
    contact_index = fields.CharField(max_length=64, null=True)
    consent_at: datetime | None = fields.DatetimeField(null=True)
    store_id = fields.CharField(max_length=16, null=True)
    reference = fields.CharField(max_length=40)
    sku = fields.CharField(max_length=40)
    excerpt = fields.CharField(max_length=60)
    assigned_to: int | None = fields.BigIntField(null=True)
    round = fields.IntField()
    since = fields.DatetimeField()
    due_at = fields.DatetimeField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    answered_at: datetime | None = fields.DatetimeField(null=True)
    answered_by: int | None = fields.BigIntField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)
    outcome = fields.CharField(max_length=12, null=True)
    compensation = fields.CharField(max_length=200)
    given: dict[str, Any] | None = fields.JSONField(null=True)
    rating: int | None = fields.SmallIntField(null=True)
    rating_text = fields.CharField(max_length=500)
    version = fields.IntField()

    class Meta:
        table = "feedback_case"
