"""Tables of points. Checks, and tables with composite keys, stand in the migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Rule(Model):
    """One earning rule as it is written now; what it said when stands in its versions. Kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    kind = fields.CharField(max_length=10)
    title = fields.CharField(max_length=40)
    state = fields.CharField(max_length=8)
    version = fields.IntField(default=0)
    terms: dict[str, Any] = fields.JSONField(default=dict)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "points_rule"


class Change(Model):
    """What somebody of the staff did to a rule or a batch; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    subject = fields.CharField(max_length=40)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "points_change"
