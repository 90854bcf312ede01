"""The table of approvals. Checks and partial indexes stand in the migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Approval(Model):
    """One request of somebody of the staff, and what came of it. Kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    kind = fields.CharField(max_length=40)
    state = fields.CharField(max_length=10)
    store_id = fields.CharField(max_length=16, null=True)
    summary = fields.CharField(max_length=200)
    reason = fields.CharField(max_length=300)
    body: Any = fields.JSONField()
    asked_by = fields.BigIntField()
    asked_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)
    note = fields.CharField(max_length=300, default="")
    key = fields.CharField(max_length=255)
    request = fields.CharField(max_length=64)

    class Meta:
        table = "approval"
        unique_together = (("asked_by", "key"),)
