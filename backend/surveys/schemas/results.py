"""What is told of the answers to a survey."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from ..types import Given, Medium, QuestionKind
from .admin import Cursor, Limit

Version = Annotated[int, Meta(ge=1, le=1_000_000)]
StoreId = Annotated[str, Meta(min_length=1, max_length=32)]
LevelCode = Annotated[str, Meta(min_length=1, max_length=20)]
QuestionId = Annotated[str, Meta(min_length=1, max_length=20)]


class StatisticsQuery(Body, kw_only=True):
    """Of which answers; of an anonymous survey by one of the three at a time."""

    version: Version | None = None
    store_id: StoreId | None = None
    level: LevelCode | None = None


class CountOut(msgspec.Struct):
    """How many answers of a store, a level, a version or a medium; None: too few to be told."""

    key: str | None
    answers: int | None


class ChoiceOut(msgspec.Struct, kw_only=True):
    """How often something was chosen; ``share_bp`` in ten-thousandths of those who answered. None: too few."""

    id: str
    text: str
    count: int | None
    share_bp: int | None
    right: bool = False


class RowOut(msgspec.Struct):
    """A row of a matrix."""

    id: str
    text: str
    answered: int
    choices: list[ChoiceOut]


class QuestionOut(msgspec.Struct, kw_only=True):
    """What was answered to a question. ``nps``: promoters less detractors, in hundredths of those who answered.

    ``choices`` of a number are ten equal spans of what was said, of a date its months.
    """

    id: str
    kind: QuestionKind
    title: str
    answered: int
    average: float | None = None
    least: float | None = None
    most: float | None = None
    nps: float | None = None
    choices: list[ChoiceOut] = []
    rows: list[RowOut] = []


class StatisticsOut(msgspec.Struct, kw_only=True):
    """A survey in numbers. ``begun``: members who have saved something and not sent it; of all answers only."""

    survey_id: str
    title: str
    anonymous: bool
    answers: int
    begun: int | None
    score_average: float | None
    versions: list[CountOut]
    media: list[CountOut]
    stores: list[CountOut]
    levels: list[CountOut]
    questions: list[QuestionOut]


class CrossQuery(Body, kw_only=True):
    """Two questions; of a matrix one row is named."""

    rows: QuestionId
    columns: QuestionId
    rows_row: QuestionId | None = None
    columns_row: QuestionId | None = None
    version: Version | None = None


class BreakdownQuery(Body, kw_only=True):
    """A question, and by what its answers are told apart."""

    question: QuestionId
    row: QuestionId | None = None
    by: Literal["store", "level"]
    version: Version | None = None


class LineOut(msgspec.Struct, kw_only=True):
    """A line of a table: how many answered so in each column; None: too few to be told."""

    id: str | None
    text: str
    total: int | None
    average: float | None = None
    counts: list[int | None]


class HeadOut(msgspec.Struct):
    """A column of a table."""

    id: str
    text: str


class TableOut(msgspec.Struct, kw_only=True):
    """A table of answers. ``hidden``: some of it would tell who said what."""

    title: str
    columns: list[HeadOut]
    lines: list[LineOut]
    hidden: bool


class OverTimeQuery(Body, kw_only=True):
    """By days or by weeks (from Monday); of a question its average too."""

    by: Literal["day", "week"] = "day"
    question: QuestionId | None = None


class MomentOut(msgspec.Struct):
    """The answers of a day, or of the week that begins with it."""

    on: date
    answers: int
    average: float | None


class OverTimeOut(msgspec.Struct):
    """Answers over time, the oldest first; the last two years at most."""

    by: str
    items: list[MomentOut]


class ChartQuery(Body, kw_only=True):
    """What is drawn: a question, a question by store or level, two questions, or answers over time."""

    what: Literal["question", "breakdown", "cross", "time"]
    question: QuestionId | None = None
    row: QuestionId | None = None
    columns: QuestionId | None = None
    columns_row: QuestionId | None = None
    by: Literal["store", "level", "day", "week"] | None = None
    version: Version | None = None
    store_id: StoreId | None = None
    level: LevelCode | None = None


class AnswersQuery(Body, kw_only=True):
    """Which answers, and which page."""

    version: Version | None = None
    medium: Medium | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class PhotoOut(msgspec.Struct):
    """A photo that was sent; the addresses are good for an hour or two."""

    id: str
    url: str
    small_url: str


class AnswerOut(msgspec.Struct, kw_only=True):
    """An answer, and what it was given. Of an anonymous survey it has no member, store, level, day or gift."""

    id: str
    version: int
    member_no: str | None
    at: datetime | None
    store_id: str | None
    level: str | None
    medium: Medium
    entered_by: str | None
    score: int | None
    answers: list[Given]
    photos: list[PhotoOut]
    prize: str | None
    points: int | None
    coupon_ids: list[str]
    paid: bool | None


class AnswersOut(msgspec.Struct):
    """A page of answers: newest first, of an anonymous survey in no order."""

    items: list[AnswerOut]
    next_cursor: str | None


class ExportQuery(Body, kw_only=True):
    """Which answers of which version, and as what; one version has one set of columns."""

    format: Literal["csv", "xlsx"] = "csv"
    version: Version | None = None
