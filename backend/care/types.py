"""What the other domains know of care, and what its tables hold."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.audience.types import Audience

Days = Annotated[int, Meta(ge=0, le=730)]
Sku = Annotated[str, Meta(min_length=1, max_length=40)]


class On(StrEnum):
    """What a plan waits for.

    ``birthday`` (``days`` before it), ``registered`` and ``level`` (``days`` after it), ``bought`` (``days`` after the
    last purchase of one of ``skus``, or of anything), ``not_bought`` (``days`` after the last purchase at all),
    ``points_expiring`` (``days`` before they do), ``coupon_expiring`` (when its warning is due), ``day`` (everybody
    who is meant, on the plan's first day).
    """

    BIRTHDAY = "birthday"
    REGISTERED = "registered"
    LEVEL = "level"
    BOUGHT = "bought"
    NOT_BOUGHT = "not_bought"
    POINTS_EXPIRING = "points_expiring"
    COUPON_EXPIRING = "coupon_expiring"
    DAY = "day"


class Trigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When a plan finds a member; see ``On``. ``level``: only that one."""

    on: On
    days: Days = 0
    skus: Annotated[tuple[Sku, ...], Meta(max_length=100)] = ()
    level: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class Gift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a task gives: points, a coupon of a template, or both."""

    points: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    template_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None


class How(StrEnum):
    """How a task is done: a letter goes by itself, the others are to-dos of staff."""

    LETTER = "letter"
    CALL = "call"
    VISIT = "visit"
    OTHER = "other"


class PlanState(StrEnum):
    """Being written, running, stopped for a while, over for good."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan. ``owner_id``: whose its to-dos are, None for the member's store; ``done_on``: the last day it was run."""

    id: str
    title: str
    note: str
    state: PlanState
    audience: Audience
    trigger: Trigger
    how: How
    template: str | None
    gift: Gift | None
    owner_id: int | None
    hour: int
    due_days: int
    holdout_bp: int
    window_days: int
    starts_on: date | None
    ends_on: date | None
    version: int
    created_at: datetime
    updated_at: datetime
    done_on: date | None


class TaskState(StrEnum):
    """``due`` is about to go by itself, ``sent`` has, ``failed`` could not (a frozen member, for example).

    A to-do is ``open`` until it is ``done`` or ``skipped``.
    """

    DUE = "due"
    SENT = "sent"
    FAILED = "failed"
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    HELD_OUT = "held_out"


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a task gave; ``refused`` is the code of what stopped a coupon, or ``given_this_year``."""

    points: int = 0
    coupon_ids: tuple[str, ...] = ()
    refused: str | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One member on one occasion; ``said`` are values of the letter that the trigger found."""

    id: str
    plan_id: str
    member_id: int
    occasion: str
    on: On
    how: How
    state: TaskState
    store_id: str | None
    owner_id: int | None
    made_at: datetime
    due_on: date | None
    said: dict[str, str]
    given: Given | None
    note: str
    closed_by: int | None
    closed_at: datetime | None


class Finding(msgspec.Struct, frozen=True):
    """A member whom a trigger found, the occasion, and what a letter may say of it."""

    member_id: int
    occasion: str
    said: dict[str, str] = {}


class Group(msgspec.Struct, frozen=True):
    """Members of one side of a comparison: how many, how many of them bought, and what they spent (fen)."""

    members: int
    bought: int
    spent_fen: int
    spent_squares: int


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Those who were cared for against those held out; shares and their difference in basis points.

    The interval (``low``, ``high``) is that of 95 %; it is None where a side is empty. ``too_few``: nothing can be said
    yet, whatever the numbers.
    """

    cared_bp: int | None
    held_bp: int | None
    difference_bp: int | None
    low_bp: int | None
    high_bp: int | None
    cared_mean_fen: int | None
    held_mean_fen: int | None
    difference_fen: int | None
    low_fen: int | None
    high_fen: int | None
    too_few: bool
