"""What members are shown of surveys, and what they send."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from ..types import Content, Given
from .admin import Answers

Standing = Literal["open", "begun", "done", "not_yet", "paused", "closed", "full"]


class PrizeOut(msgspec.Struct):
    """A prize of the draw; ``chance_bp`` of ten thousand."""

    title: str
    chance_bp: int


class RewardOut(msgspec.Struct, kw_only=True):
    """What an answer is promised: points, a coupon by its title, or a draw among prizes with their chances."""

    points: int | None = None
    coupon: str | None = None
    prizes: list[PrizeOut] = []


class WonOut(msgspec.Struct):
    """What an answer is given, as it was decided when it was stored; ``prize`` was drawn."""

    prize: str | None
    points: int | None
    coupon: str | None


class GainOut(msgspec.Struct, kw_only=True):
    """What was given for an answer. ``paid`` false: it is on its way. ``prize`` was drawn."""

    prize: str | None
    points: int | None
    coupon: str | None
    coupon_ids: list[str]
    paid: bool


class MySurveyRow(msgspec.Struct, kw_only=True):
    """A survey in the member's list; ``pages`` and ``page`` say how far they are."""

    id: str
    title: str
    intro: str
    anonymous: bool
    standing: Standing
    pages: int
    page: int
    reward: RewardOut | None
    until: datetime | None
    answered_on: date | None
    gain: GainOut | None


class MySurveysOut(msgspec.Struct):
    """The surveys that wait for this member, and a page of those that were answered, newest first."""

    items: list[MySurveyRow]
    done: list[MySurveyRow]
    next_cursor: str | None


class SavedOut(msgspec.Struct):
    """What is saved of an answer that was not sent yet; ``revision`` counts the times it was saved."""

    version: int
    revision: int
    page: int
    answers: list[Given]


class MySurveyOut(MySurveyRow, kw_only=True):
    """A survey to be answered. ``content`` has no right answers, and no questions before the survey opens.

    ``saved`` is what fits of what was saved.
    """

    version: int
    content: Content
    saved: SavedOut


class MyPhotoOut(msgspec.Struct):
    """A photo that an anonymous answer may name, once."""

    id: str


class SaveIn(Body, kw_only=True):
    """Answers so far. ``revision`` is one more than the one that was read; a smaller one changes nothing."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    revision: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    page: Annotated[int, Meta(ge=0, le=30)] = 0
    answers: Answers


class SendIn(Body, kw_only=True):
    """The whole answer, of the version that was shown."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    answers: Answers


class RightOut(msgspec.Struct):
    """Whether an answer was right, and what would have been."""

    question: str
    right: bool
    choices: list[str]
    texts: list[str]
    at_least: int | None
    at_most: int | None
    note: str


class SentOut(msgspec.Struct, kw_only=True):
    """An answer that was sent: its score and the right answers, where these are told, and what it is given.

    Sent again it is the same; whether it was paid, and with which coupons, the survey says.
    """

    thanks: str
    answered_on: date
    score: int | None
    score_of: int | None
    rights: list[RightOut]
    won: WonOut | None
