"""Bodies and answers of calls about groups and key accounts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from backend.kernel.http import Body

from .types import MOST_MEMBERS, AllotmentKind, BatchState, GroupRole, GroupRule, GroupState, LevelCode

_PRINTED = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+$(?!\n)"
StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
Number = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,20}$(?!\n)")]
Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=_PRINTED)]
Text = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
Discount = Annotated[int, Meta(ge=0, le=9999)]
MemberNo = Annotated[str, Meta(pattern=r"^[1-9][0-9]{11}$(?!\n)")]


class GroupIn(Body, kw_only=True):
    """A group as it is agreed; ``months`` is how far back ``rules`` count."""

    number: Number
    name: Name
    contact: Text = ""
    note: Text = ""
    store_id: StoreId | None = None
    level: LevelCode | None = None
    discount_bp: Discount | None = None
    member_limit: Annotated[int, Meta(ge=1, le=MOST_MEMBERS)] = 100
    months: Annotated[int, Meta(ge=1, le=36)] = 12
    rules: Annotated[tuple[GroupRule, ...], Meta(max_length=20)] = ()


class ChangeGroup(GroupIn, kw_only=True):
    """The group as it is to be; ``version`` is the one that was looked at."""

    version: Annotated[int, Meta(ge=1, le=10**9)]


class GroupOut(msgspec.Struct, kw_only=True):
    """A group; ``lends_level`` is what its people have of it now."""

    id: str
    number: str
    name: str
    contact: str
    note: str
    state: GroupState
    store_id: str | None
    level: str | None
    discount_bp: int | None
    member_limit: int
    months: int
    rules: list[GroupRule]
    earned_level: str | None
    earned_until: date | None
    lends_level: str | None
    members: int
    spent_fen: int
    version: int
    created_at: datetime


class GroupsOut(msgspec.Struct):
    """Groups, newest first."""

    items: list[GroupOut]
    next_cursor: str | None = None


class GroupsQuery(Body):
    """A page of groups, of a state or with a number."""

    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    state: GroupState | None = None
    number: Number | None = None


class AddMember(Body):
    """Who is to belong to a group, by member number."""

    member_no: MemberNo
    role: GroupRole = GroupRole.MEMBER


class ChangeRole(Body):
    """What a sub-member is to be."""

    role: GroupRole


class SubMemberOut(msgspec.Struct, kw_only=True):
    """Somebody who belongs to a group; the name only masked."""

    id: str
    member_no: str
    name_masked: str
    role: GroupRole
    joined_at: datetime
    left_at: datetime | None
    member_id: str | UnsetType = UNSET


class SubMembersOut(msgspec.Struct):
    """Sub-members in the order in which they joined."""

    items: list[SubMemberOut]
    next_cursor: str | None = None


class PageQuery(Body):
    """A page of a list."""

    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class StatementQuery(Body):
    """Days of the chain's zone, both included."""

    from_on: date = msgspec.field(name="from")
    to_on: date = msgspec.field(name="to")


class StatementFileQuery(StatementQuery):
    """And as which file."""

    format: Literal["csv", "xlsx"] = "csv"


class StatementLine(msgspec.Struct, kw_only=True):
    """What a sub-member bought for the group."""

    member_no: str
    name_masked: str
    purchases: int
    spent_fen: int
    back_fen: int
    net_fen: int


class StatementOut(msgspec.Struct):
    """By sub-member, the largest first, and together."""

    items: list[StatementLine]
    total: StatementLine


class KeyAccountIn(Body):
    """An agreement with a member; the person ``staff_id`` looks after them."""

    staff_id: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}$(?!\n)")]
    discount_bp: Discount | None = None
    level_locked: bool = False
    note: Text = ""


class KeyAccountOut(msgspec.Struct, kw_only=True):
    """An agreement with a member."""

    member_id: str
    member_no: str
    name_masked: str
    staff_id: str
    staff_name: str
    discount_bp: int | None
    level_locked: bool
    note: str
    since: datetime


class KeyAccountsOut(msgspec.Struct):
    """Key accounts, newest first."""

    items: list[KeyAccountOut]
    next_cursor: str | None = None


class InviteIn(Body):
    """For how many people an invitation is good, and for how many days."""

    uses: Annotated[int, Meta(ge=1, le=100)] = 1
    days: Annotated[int, Meta(ge=1, le=30)] = 7


class InvitationOut(msgspec.Struct):
    """An invitation; whoever has its code may join until then. It is shown this once."""

    code: str
    expires_at: datetime


class JoinIn(Body):
    """The code of an invitation."""

    code: Annotated[str, Meta(pattern=r"^[0-9A-Z]{16}$(?!\n)")]


class MyGroupOut(msgspec.Struct, kw_only=True):
    """The caller's group, what it lends, and for its owner and managers its people and what they spent together."""

    id: str
    number: str
    name: str
    role: GroupRole
    joined_at: datetime
    level: str | None
    level_name: str | None
    discount_bp: int | None
    members: int
    member_limit: int
    spent_fen: int | None
    people: list[SubMemberOut]


class MyGroupAnswer(msgspec.Struct):
    """The caller's group, or none."""

    group: MyGroupOut | None


class AllotIn(Body, kw_only=True):
    """Who of the group gets how much of what: fen of stored value, or points."""

    person_id: Annotated[str, Meta(min_length=1, max_length=20)]
    kind: AllotmentKind
    amount: Annotated[int, Meta(ge=1, le=10**9)]
    note: Text = ""


class AllotWithPin(AllotIn, kw_only=True):
    """The same on the phone, with the payment PIN."""

    pin: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class TakeBackIn(Body, kw_only=True):
    """How much is taken back; all that is not spent where nothing is said."""

    amount: Annotated[int, Meta(ge=1, le=10**9)] | None = None


class AllotmentsQuery(Body):
    """A page."""

    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class AllotmentOut(msgspec.Struct, kw_only=True):
    """One allotment; ``taken`` of ``amount`` was taken back, ``left`` of it is not spent yet."""

    id: str
    member_no: str
    name: str
    kind: AllotmentKind
    amount: int
    taken: int
    left: int
    note: str
    by_staff: bool
    at: datetime


class AllotmentsOut(msgspec.Struct):
    """A page of allotments, newest first."""

    items: list[AllotmentOut]
    next_cursor: str | None


class AllotTable(Body, kw_only=True):
    """As what the table was sent."""

    kind: Literal["csv", "xlsx"] = "csv"


class AllotTableIn(AllotTable, kw_only=True):
    """What it is called, and whether bad rows are left out instead of refusing all of it."""

    title: Name = "批量分配"
    skip_bad: bool = False


class AllotFlawOut(msgspec.Struct):
    """What is wrong with a field of a row; rows count as a spreadsheet shows them."""

    row: int
    field: str
    message: str


class AllotDryRunOut(msgspec.Struct, kw_only=True):
    """What a table would do: good rows, what they allot, what the owner has, and the first thousand flaws of all."""

    good: int
    stored_fen: int
    points: int
    has_fen: int
    has_points: int
    flaws_total: int
    flaws: list[AllotFlawOut]
    needs_approval: bool


class RefusedAllotmentOut(msgspec.Struct):
    """A row that could not be posted, and why."""

    row: int
    member_no: str
    kind: AllotmentKind
    amount: int
    code: str


class AllotBatchOut(msgspec.Struct, kw_only=True):
    """A table of allotments and how far it is; ``skipped`` rows were bad and left out.

    ``failed_row`` could not be posted at the last try, for an error of the kind ``failure``.
    """

    id: str
    title: str
    state: BatchState
    rows: int
    posted: int
    refused: int
    skipped: int
    stored_fen: int
    points: int
    staff_id: str
    staff_name: str
    approval_id: str | None
    failed_row: int | None
    failure: str | None
    created_at: datetime
    ended_at: datetime | None
    refused_rows: list[RefusedAllotmentOut]


class AllotBatchesOut(msgspec.Struct):
    """A page of tables, newest first, without the rows that were refused."""

    items: list[AllotBatchOut]
    next_cursor: str | None
