"""Bodies and answers of the calls about boxes and suggestions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import Author, BoxState, SuggestionState

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Topic = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)", description="征集什么")]
Words = Annotated[
    str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$(?!\n)", description="正文")
]
Remark = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
BoxId = Annotated[str, Meta(min_length=1, max_length=16)]
StaffId = Annotated[str, Meta(min_length=1, max_length=19, pattern=r"^[0-9]+$(?!\n)")]
UploadId = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
Stars = Annotated[int, Meta(ge=1, le=5)]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Base64Url = Annotated[str, Meta(min_length=1, max_length=400, pattern=r"^[A-Za-z0-9_-]+$(?!\n)")]

MOST_PICTURES = 3
PICTURE_BYTES = 1_572_864
"""Of an anonymous suggestion, which comes in one piece; phones make theirs smaller before they send it."""

Uploads = Annotated[list[UploadId], Meta(max_length=MOST_PICTURES, description="已上传的图片")]
Pictures = Annotated[
    list[Annotated[bytes, Meta(min_length=1, max_length=PICTURE_BYTES)]],
    Meta(max_length=MOST_PICTURES, description="图片，Base64"),
]
Administrators = Annotated[list[StaffId], Meta(min_length=1, max_length=20, description="管理员（员工编号）")]


class BoxIn(Body, kw_only=True):
    """A box; ``store_id`` null is for the whole chain. Its administrators alone read what is in it."""

    title: Title
    topic: Topic = ""
    store_id: StoreId | None = None
    anonymous: bool = True
    administrators: Administrators


class BoxChangeIn(BoxIn, kw_only=True):
    """The box in place of another; ``version`` as it was read."""

    version: Version


class AdministratorOut(msgspec.Struct):
    """Somebody who reads and answers what is in a box."""

    staff_id: str
    username: str


class BoxOut(msgspec.Struct, kw_only=True):
    """A box as staff see it; ``waiting`` (null for those who do not read it): suggestions that wait for an answer."""

    id: str
    title: str
    topic: str
    store_id: str | None
    state: BoxState
    anonymous: bool
    version: int
    created_at: datetime
    updated_at: datetime
    administrators: list[AdministratorOut]
    mine: bool
    waiting: int | None


class BoxesOut(msgspec.Struct):
    """Boxes, open ones first."""

    items: list[BoxOut]


class OpenBoxOut(msgspec.Struct):
    """A box that takes suggestions; ``store`` is null for the whole chain's, ``anonymous``: also without a name."""

    id: str
    title: str
    topic: str
    store: str | None
    anonymous: bool


class OpenBoxesOut(msgspec.Struct):
    """The boxes that take suggestions now."""

    items: list[OpenBoxOut]


class NamedIn(Body):
    """A suggestion under one's name, or what is added to one."""

    text: Words
    pictures: Uploads = msgspec.field(default_factory=list)


class AnonymousIn(Body):
    """A suggestion without a name: everything in one request, for the ticket is good for one."""

    box_id: BoxId
    text: Words
    pictures: Pictures = msgspec.field(default_factory=list)


class AddIn(Body):
    """What is added to a suggestion without a name."""

    text: Words
    pictures: Pictures = msgspec.field(default_factory=list)


class RatingIn(Body):
    """How good the answer was."""

    rating: Stars
    text: Remark = ""


class PictureOut(msgspec.Struct):
    """A picture's addresses, good for an hour or two."""

    url: str
    small_url: str


class MessageOut(msgspec.Struct, kw_only=True):
    """A message; ``at`` is null where only its day is known. ``staff`` is shown to staff only."""

    author: Author
    text: str
    pictures: list[PictureOut]
    day: date
    at: datetime | None
    staff: str | None = None


class SuggestionOut(msgspec.Struct, kw_only=True):
    """A suggestion as its writer sees it in a list."""

    id: str
    box_id: str
    box_title: str
    state: SuggestionState
    day: date
    at: datetime | None
    excerpt: str
    rating: int | None


class SuggestionsOut(msgspec.Struct):
    """A page of suggestions, newest first."""

    items: list[SuggestionOut]
    next_cursor: str | None


class SuggestionDetail(msgspec.Struct, kw_only=True):
    """A suggestion with all that was said, oldest first; ``may_add``: how much more may be added before an answer."""

    id: str
    box_title: str
    state: SuggestionState
    day: date
    at: datetime | None
    messages: list[MessageOut]
    rating: int | None
    rating_text: str
    may_add: int


class ReceiptOut(msgspec.Struct, kw_only=True):
    """What was kept, and the receipt that alone leads to it: nobody can tell it again."""

    receipt: str
    suggestion: SuggestionDetail


class KeyOut(msgspec.Struct, kw_only=True):
    """This week's key (RSA, exponent 65537): what tickets are blinded for and checked with."""

    key_id: str
    modulus: str
    label: str
    good_until: datetime
    tickets_a_week: int


class TicketsIn(Body):
    """Blinded messages to be signed, base64url; the same again are signed again and not counted twice."""

    key_id: Annotated[str, Meta(min_length=1, max_length=16)]
    blinded: Annotated[list[Base64Url], Meta(min_length=1, max_length=10)]


class TicketsOut(msgspec.Struct):
    """The blind signatures, base64url, in the order of what was sent."""

    signatures: list[str]
    left: int


class PageQuery(Body):
    """Which page."""

    cursor: Cursor | None = None
    limit: Limit = 20


class InboxQuery(PageQuery):
    """Which of what is in the caller's boxes."""

    box_id: BoxId | None = None
    state: SuggestionState | None = None


class WriterOut(msgspec.Struct):
    """The member who signed a suggestion."""

    member_id: str
    member_no: str
    name_masked: str
    level: str


class InboxItemOut(SuggestionOut, kw_only=True):
    """A suggestion as its box's administrators see it in a list."""

    anonymous: bool
    assigned_to: str | None
    unanswered: int


class InboxOut(msgspec.Struct):
    """A page of what is in the caller's boxes, newest day first."""

    items: list[InboxItemOut]
    next_cursor: str | None


class InboxDetail(SuggestionDetail, kw_only=True):
    """A suggestion as its box's administrators see it; ``writer`` is null where it is anonymous."""

    box_id: str
    anonymous: bool
    writer: WriterOut | None
    assigned_to: str | None
    answered_at: datetime | None
    closed_at: datetime | None
    version: int


class AnswerIn(Body, kw_only=True):
    """An answer; ``close``: nothing more is awaited. ``version`` as it was read."""

    text: Words
    close: bool = False
    version: Version


class CloseIn(Body):
    """Close without another word; ``version`` as it was read."""

    version: Version


class AssignIn(Body, kw_only=True):
    """Who of the box's administrators sees to it, null for nobody; ``version`` as it was read."""

    staff_id: StaffId | None
    version: Version


class StatisticsQuery(Body):
    """From the month of a day to the month of another, whole months of the chain's zone; and which box."""

    from_on: date = msgspec.field(name="from")
    until_on: date = msgspec.field(name="to")
    box_id: BoxId | None = None


class FileQuery(StatisticsQuery):
    """And as which file."""

    format: Literal["csv", "xlsx"] = "csv"


class ChartQuery(StatisticsQuery):
    """And as which picture: what was received by month, or by box."""

    by: Literal["month", "box"] = "month"
    format: Literal["svg", "png"] = "svg"


class MonthOut(msgspec.Struct, kw_only=True):
    """A box in a month: by the day on which suggestions were made. ``answer_days``: median to the first answer.

    ``rating`` is null where fewer than five rated.
    """

    box_id: str
    box_title: str
    month: str
    received: int
    anonymous: int
    answered: int
    closed: int
    rated: int
    rating: float | None
    answer_days: float | None


class StatisticsOut(msgspec.Struct):
    """Boxes by month, the newest month first."""

    items: list[MonthOut]
