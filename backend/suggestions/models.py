"""Tables of boxes and suggestions. Checks, and tables with composite keys, stand in the migration."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class Box(Model):
    """One box. Kept for good."""

    id = fields.CharField(max_length=16, primary_key=True)
    title = fields.CharField(max_length=40)
    topic = fields.CharField(max_length=300)
    store_id = fields.CharField(max_length=16, null=True)
    state = fields.CharField(max_length=8)
    anonymous = fields.BooleanField()
    version = fields.IntField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "suggestion_box"


class Suggestion(Model):
    """One suggestion. Kept for good.

    An anonymous one has no member and no instant of its writer's, and is found by its receipt's keyed digest;
    ``fresh_on`` is the last day its writer wrote on, until rows of that day were mixed.
    """

    id = fields.CharField(max_length=20, primary_key=True)
    box_id = fields.CharField(max_length=16)
    member_id: int | None = fields.BigIntField(null=True)
    receipt = fields.CharField(max_length=64, null=True)
    state = fields.CharField(max_length=8)
    day: date = fields.DateField()
    at: datetime | None = fields.DatetimeField(null=True)
    assigned_to: int | None = fields.BigIntField(null=True)
    answered_at: datetime | None = fields.DatetimeField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)
    rating: int | None = fields.SmallIntField(null=True)
    rating_text = fields.CharField(max_length=500, default="")
    messages = fields.IntField()
    unanswered = fields.IntField()
    fresh_on: date | None = fields.DateField(null=True)
    version = fields.IntField()

    class Meta:
        table = "suggestion"


class Message(Model):
    """One message of a suggestion; ``request`` is the digest of the request that a retry must match."""

    id = fields.CharField(max_length=64, primary_key=True)
    suggestion_id = fields.CharField(max_length=20)
    seq = fields.IntField()
    author = fields.CharField(max_length=8)
    staff_id: int | None = fields.BigIntField(null=True)
    text = fields.TextField()
    pictures: list[str] = fields.JSONField(default=list)
    day: date = fields.DateField()
    at: datetime | None = fields.DatetimeField(null=True)
    request = fields.CharField(max_length=64, default="")
    fresh_on: date | None = fields.DateField(null=True)

    class Meta:
        table = "suggestion_message"


class Picture(Model):
    """A picture of an anonymous suggestion, drawn anew: pixels, and nothing of where they come from."""

    id = fields.CharField(max_length=64, primary_key=True)
    suggestion_id = fields.CharField(max_length=20)
    large: bytes = fields.BinaryField()
    small: bytes = fields.BinaryField()
    fresh_on: date | None = fields.DateField(null=True)

    class Meta:
        table = "suggestion_picture"


class Key(Model):
    """What signs the tickets of a week. Dropped when they are good no more."""

    id = fields.CharField(max_length=16, primary_key=True)
    week: date = fields.DateField(unique=True)
    private_sealed = fields.TextField()

    class Meta:
        table = "suggestion_key"


class Change(Model):
    """What somebody of the staff did to a box or to what is in it; only ever added to."""

    id = fields.BigIntField(primary_key=True, generated=False)
    box_id = fields.CharField(max_length=16)
    staff_id = fields.BigIntField()
    action = fields.CharField(max_length=20)
    detail: dict[str, Any] = fields.JSONField(default=dict)
    at = fields.DatetimeField()

    class Meta:
        table = "suggestion_change"
