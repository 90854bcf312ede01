"""Tables of surveys that have single keys. Checks, and tables with composite keys, stand in the migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Project(Model):
    """What surveys are kept together under. Kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    name = fields.CharField(max_length=60)
    note = fields.CharField(max_length=300)
    archived = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "survey_project"


class Survey(Model):
    """One survey: its terms, and the content that is being written. What was published lies in its versions."""

    id = fields.CharField(max_length=16, primary_key=True)
    project_id = fields.CharField(max_length=16)
    title = fields.CharField(max_length=60)
    state = fields.CharField(max_length=8)
    anonymous = fields.BooleanField(default=False)
    version = fields.IntField(default=0)
    draft: dict[str, Any] = fields.JSONField(default=dict)
    audience: dict[str, Any] = fields.JSONField(default=dict)
    after_sale: dict[str, Any] | None = fields.JSONField(null=True)
    total: int | None = fields.IntField(null=True)
    quotas: list[dict[str, Any]] = fields.JSONField(default=list)
    reward: dict[str, Any] | None = fields.JSONField(null=True)
    opens_at: datetime | None = fields.DatetimeField(null=True)
    closes_at: datetime | None = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    published_at: datetime | None = fields.DatetimeField(null=True)
    mixed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "survey"


class Change(Model):
    """What somebody of the staff did to a survey; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    survey_id = fields.CharField(max_length=16)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at = fields.DatetimeField()

    class Meta:
        table = "survey_change"
