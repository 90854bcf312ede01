"""Bodies and answers of the calls about cases."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import Action, By, CaseChannel, CaseKind, CaseState, Grouping, Level, Outcome, Priority

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Words = Annotated[
    str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$(?!\n)", description="正文")
]
Remark = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
Line = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
PhoneNo = Annotated[str, Meta(pattern=r"^1[3-9][0-9]{9}$(?!\n)", description="手机号")]
Reference = Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_.-]*$(?!\n)", description="订单号或小票号")]
Sku = Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_.-]*$(?!\n)")]
StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
StaffId = Annotated[str, Meta(min_length=1, max_length=19, pattern=r"^[0-9]+$(?!\n)")]
UploadId = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Uploads = Annotated[list[UploadId], Meta(max_length=6, description="已上传的图片")]
GiftPoints = Annotated[int, Meta(ge=1, le=99_999, description="积分")]
TemplateId = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}$(?!\n)", description="券模板")]
Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)", description="补偿原因")
]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
Stars = Annotated[int, Meta(ge=1, le=5)]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]


class CaseIn(Body, kw_only=True):
    """What a member has to say; ``reference`` is one of the member's own orders or purchases."""

    kind: CaseKind
    text: Words
    store_id: StoreId | None = None
    reference: Reference = ""
    sku: Sku = ""
    pictures: Uploads = msgspec.field(default_factory=list)


class ContactIn(Body, kw_only=True):
    """A customer without an account; ``consent``: agreed that name and number are kept until this is done."""

    name: Name
    phone: PhoneNo
    consent: Literal[True]


class StaffCaseIn(Body, kw_only=True):
    """What a customer told somebody of the staff: a member (by number or phone), a contact, or nobody in particular."""

    kind: CaseKind
    channel: CaseChannel
    text: Words
    member_no: Annotated[str, Meta(max_length=20)] | None = None
    contact: ContactIn | None = None
    store_id: StoreId | None = None
    reference: Reference = ""
    sku: Sku = ""
    priority: Priority = Priority.NORMAL


class SayIn(Body):
    """What the member adds."""

    text: Words
    pictures: Uploads = msgspec.field(default_factory=list)


class VersionIn(Body):
    """The case's version as it was read."""

    version: Version


class ReopenIn(Body, kw_only=True):
    """Why it is not done; ``version`` as it was read."""

    text: Words
    version: Version


class RatingIn(Body):
    """How good it was."""

    rating: Stars
    text: Remark = ""


class AssignIn(Body, kw_only=True):
    """Who sees to it; ``version`` as it was read."""

    staff_id: StaffId
    version: Version


class AnswerIn(Body, kw_only=True):
    """The answer, which its member reads; ``version`` as it was read."""

    text: Words
    version: Version


class NoteIn(Body):
    """What only staff read."""

    text: Words


class CloseIn(Body, kw_only=True):
    """What came of it, and what the customer was given; ``version`` as it was read."""

    outcome: Outcome
    compensation: Line = ""
    version: Version


class GiveIn(Body, kw_only=True):
    """What the customer is given, and why, which the member reads; ``version`` as it was read."""

    points: GiftPoints | None = None
    template_id: TemplateId | None = None
    reason: Reason
    version: Version


class PriorityIn(Body, kw_only=True):
    """How soon it is due; ``version`` as it was read."""

    priority: Priority
    version: Version


class PictureOut(msgspec.Struct):
    """A picture's addresses, good for an hour or two."""

    url: str
    small_url: str


class GivenOut(msgspec.Struct, kw_only=True):
    """What the customer was given; ``words`` says it."""

    points: int
    coupon_id: str | None
    words: str


class CaseOut(msgspec.Struct, kw_only=True):
    """A case in its member's list."""

    id: str
    kind: CaseKind
    state: CaseState
    store: str | None
    excerpt: str
    created_at: datetime
    updated_at: datetime
    rating: int | None


class CasesOut(msgspec.Struct):
    """A page of a member's cases, newest first."""

    items: list[CaseOut]
    next_cursor: str | None


class StepOut(msgspec.Struct, kw_only=True):
    """A step as its member sees it: what was said, and how far it is."""

    action: Action
    state: CaseState
    by: By
    text: str
    pictures: list[PictureOut]
    at: datetime


class CaseDetail(CaseOut, kw_only=True):
    """A member's case with what happened to it, oldest first."""

    reference: str
    sku: str
    steps: list[StepOut]
    outcome: Outcome | None
    compensation: str
    given: GivenOut | None
    rating_text: str
    may_reopen: bool
    may_rate: bool
    version: int


class ClaimedOut(msgspec.Struct):
    """The cases that are this member's from now on."""

    items: list[CaseOut]


class PageQuery(Body):
    """Which page."""

    cursor: Cursor | None = None
    limit: Limit = 20


class DeskQuery(PageQuery):
    """Which cases; ``mine``: the caller's own. ``waiting`` are those whose answer is due, the soonest first."""

    kind: CaseKind | None = None
    state: CaseState | None = None
    store_id: StoreId | None = None
    priority: Priority | None = None
    mine: bool = False
    waiting: bool = False
    overdue: bool = False


class DeskItemOut(CaseOut, kw_only=True):
    """A case in the staff's list."""

    channel: CaseChannel
    priority: Priority
    store_id: str | None
    customer: str
    assigned_to: str | None
    assignee: str | None
    due_at: datetime
    overdue: bool
    version: int


class DeskOut(msgspec.Struct):
    """A page of the cases that this person sees."""

    items: list[DeskItemOut]
    next_cursor: str | None


class DeskStepOut(StepOut, kw_only=True):
    """A step as staff see it."""

    version: int
    staff: str | None
    detail: dict[str, str]


class DeskDetail(DeskItemOut, kw_only=True):
    """A case as staff see it, with every step, notes too."""

    member_id: str | None
    has_contact: bool
    reference: str
    sku: str
    round: int
    answered_at: datetime | None
    closed_at: datetime | None
    outcome: Outcome | None
    compensation: str
    given: GivenOut | None
    rating_text: str
    steps: list[DeskStepOut]


class OfferedOut(msgspec.Struct):
    """A coupon that can be given with a case."""

    template_id: str
    title: str


class GiftsOut(msgspec.Struct):
    """What the caller may give: points with one case at most, with so many cases today, and the stores' coupons."""

    points: int
    gifts_left: int
    coupons: list[OfferedOut]


class ContactOut(msgspec.Struct):
    """Whom to call back."""

    name: str
    phone: str


class AssigneeOut(msgspec.Struct):
    """Somebody who can see to a case."""

    staff_id: str
    username: str
    role: str
    store_id: str | None


class AssigneesOut(msgspec.Struct):
    """Who can see to cases that the caller sees."""

    items: list[AssigneeOut]


class TodoOut(msgspec.Struct):
    """An overdue case that the caller is to look after."""

    case: DeskItemOut
    level: Level
    made_at: datetime


class TodosOut(msgspec.Struct):
    """The overdue cases that the caller is to look after, the oldest first; at most a hundred."""

    items: list[TodoOut]


class SpanQuery(Body):
    """Days of the chain's zone on which cases were opened, both included; which store's (staff's own, else all)."""

    from_on: date = msgspec.field(name="from")
    to_on: date = msgspec.field(name="to")
    store_id: StoreId | None = None


class FiguresQuery(SpanQuery):
    """And what they are told apart by."""

    by: Grouping = Grouping.KIND


class FiguresFileQuery(FiguresQuery):
    """And as which file."""

    format: Literal["csv", "xlsx"] = "csv"


class ChartQuery(FiguresQuery):
    """And as which picture."""

    format: Literal["svg", "png"] = "svg"


class ExportQuery(SpanQuery):
    """And as which file."""

    format: Literal["csv", "xlsx"] = "csv"


class FiguresOut(msgspec.Struct, kw_only=True):
    """Cases of one kind, store or person. Seconds: half of them, and nine of ten, took no longer."""

    key: str
    label: str
    cases: int
    waiting: int
    overdue: int
    answered: int
    closed: int
    reopened: int
    given: int
    points_given: int
    rated: int
    rating: float | None
    answer_p50_s: int | None
    answer_p90_s: int | None
    close_p50_s: int | None
    close_p90_s: int | None


class StatisticsOut(msgspec.Struct):
    """Cases by kind, store or person; ``total`` is all of them."""

    items: list[FiguresOut]
    total: FiguresOut
