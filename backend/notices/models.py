"""Tables of announcements and the handbook. Checks, and tables with composite keys, stand in the migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Announcement(Model):
    """One announcement; what it says is fixed once it was published. Kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    store_id = fields.CharField(max_length=16, null=True)
    state = fields.CharField(max_length=10)
    title = fields.CharField(max_length=60)
    summary = fields.CharField(max_length=120)
    body = fields.TextField()
    blocks: list[Any] = fields.JSONField(default=list)
    cover = fields.CharField(max_length=64, null=True)
    audience: dict[str, Any] = fields.JSONField(default=dict)
    # What of the audience a statement may ask for; narrow says that there is more to it.
    levels: list[str] = fields.JSONField(default=list)
    stores: list[str] = fields.JSONField(default=list)
    narrow = fields.BooleanField(default=False)
    pinned = fields.BooleanField(default=False)
    starts_at: datetime | None = fields.DatetimeField(null=True)
    ends_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.IntField(default=1)
    created_by = fields.BigIntField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    published_at: datetime | None = fields.DatetimeField(null=True)
    request_hash = fields.BinaryField()

    class Meta:
        table = "notice_announcement"


class Chapter(Model):
    """One chapter of the handbook: its place, and which version is shown. Its texts are kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    parent_id = fields.CharField(max_length=16, null=True)
    sort = fields.IntField(default=0)
    visibility = fields.CharField(max_length=10)
    levels: list[str] = fields.JSONField(default=list)
    current: int | None = fields.IntField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    removed_at: datetime | None = fields.DatetimeField(null=True)
    request_hash = fields.BinaryField()

    class Meta:
        table = "notice_chapter"


class Change(Model):
    """What somebody of the staff did to an announcement or a chapter; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    subject_id = fields.CharField(max_length=16)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at = fields.DatetimeField()

    class Meta:
        table = "notice_change"
