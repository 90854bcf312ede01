"""Bodies and answers of the calls about earning rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import FenOrZero

from .types import AdjustReason, BatchState, Birthday, RuleKind, RuleState, Terms, TransferState

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Codes = Annotated[tuple[Code, ...], Meta(max_length=200)]
Day = Annotated[date, Meta()]
Minute = Annotated[int, Meta(ge=0, le=1440, description="一天中的第几分钟")]
RateBp = Annotated[int, Meta(ge=0, le=1_000_000, description="万分之几")]


class HoursIn(Body):
    """A part of each day: minutes since midnight in the store's zone, ``start`` included, ``end`` not."""

    start: Minute
    end: Minute


class ConditionIn(Body, kw_only=True):
    """When a rule applies to a line: everything that is said must hold, an empty list says nothing."""

    categories: Codes = ()
    brands: Codes = ()
    skus: Codes = ()
    stores: Codes = ()
    levels: Codes = ()
    weekdays: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=7)], ...], Meta(max_length=7, description="1 为周一，7 为周日")
    ] = ()
    month_days: Annotated[tuple[Annotated[int, Meta(ge=1, le=31)], ...], Meta(max_length=31)] = ()
    dates: Annotated[tuple[Day, ...], Meta(max_length=100, description="节假日等具体日期")] = ()
    hours: Annotated[tuple[HoursIn, ...], Meta(max_length=6)] = ()
    first_on: Day | None = None
    last_on: Day | None = None
    birthday: Birthday | None = None
    min_fen: FenOrZero = 0


class TermsIn(Body, kw_only=True):
    """What a rule says: ``rate_bp`` and ``by_level`` of a base rule, everything else of a promotion."""

    condition: ConditionIn = ConditionIn()
    rate_bp: RateBp = 0
    by_level: bool = True
    times_bp: Annotated[int, Meta(ge=10_000, le=1_000_000, description="基础积分的倍数，20000 为双倍")] = 10_000
    plus: Annotated[int, Meta(ge=0, le=1_000_000, description="每行另加的积分")] = 0
    stackable: bool = False
    day_cap: Annotated[int, Meta(ge=1, le=100_000_000, description="每人每天最多多得的积分")] | None = None


class RuleIn(Body, kw_only=True):
    """A rule; it begins as a draft. What is changed of a living one holds from now on, as a new version."""

    kind: RuleKind
    title: Title
    terms: TermsIn


class RuleOut(msgspec.Struct, kw_only=True):
    """A rule as it stands; ``version`` is the last one that lived, 0 before the first."""

    id: str
    kind: RuleKind
    title: str
    state: RuleState
    version: int
    terms: Terms
    created_at: datetime
    updated_at: datetime


class RulesQuery(Body):
    """Which rules."""

    state: RuleState | None = None


class RulesOut(msgspec.Struct):
    """The last two hundred rules, newest first."""

    items: list[RuleOut]


class VersionOut(msgspec.Struct):
    """What a rule said from when until when; ``until_at`` null: still."""

    version: int
    title: str
    terms: Terms
    from_at: datetime
    until_at: datetime | None


class VersionsOut(msgspec.Struct):
    """The last hundred versions, newest first."""

    items: list[VersionOut]


MemberNo = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z]+$(?!\n)")]


class RecipientIn(Body):
    """Whose number."""

    member_no: MemberNo


class RecipientOut(msgspec.Struct):
    """Whom the points would go to, as far as the giver may know."""

    member_no: str
    name_masked: str


class TransferIn(Body, kw_only=True):
    """Points for the member of that number; ``name_masked`` is the name that was shown and confirmed."""

    member_no: MemberNo
    name_masked: Annotated[str, Meta(min_length=1, max_length=64)]
    points: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    pin: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class TransferOut(msgspec.Struct):
    """A transfer as one of its two members sees it; ``direction`` is ``out`` or ``in``."""

    id: str
    at: datetime
    direction: str
    points: int
    name_masked: str
    state: TransferState


class TransfersQuery(Body):
    """Where to go on."""

    cursor: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class TransfersOut(msgspec.Struct):
    """A page of transfers, newest first; ``next_cursor`` is null on the last one."""

    items: list[TransferOut]
    next_cursor: str | None


class TransferLimits(msgspec.Struct, kw_only=True):
    """What may be given away now: ``most`` at once, and what it comes from; without a PIN nothing."""

    open: bool
    most: int
    per_transfer: int
    day_left: int
    month_left: int
    least_kept: int
    pin_set: bool


class StaffTransferOut(msgspec.Struct):
    """A transfer as staff see it."""

    id: str
    at: datetime
    giver_id: str
    giver_name: str
    receiver_id: str
    receiver_name: str
    points: int
    state: TransferState
    reversed_at: datetime | None


class StaffTransfersQuery(TransfersQuery, kw_only=True):
    """Whose transfers, and where to go on."""

    member_id: Annotated[str, Meta(min_length=1, max_length=20)]


class StaffTransfersOut(msgspec.Struct):
    """A page of transfers, newest first; ``next_cursor`` is null on the last one."""

    items: list[StaffTransferOut]
    next_cursor: str | None


Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
MOST_POINTS = 10_000_000


class AdjustIn(Body, kw_only=True):
    """Points to give, or to take where it is negative; ``expires_on`` only of those that are given."""

    points: Annotated[int, Meta(ge=-MOST_POINTS, le=MOST_POINTS)]
    reason: AdjustReason
    text: Text
    expires_on: Day | None = None


class AdjustedOut(msgspec.Struct):
    """What became of it: ``posted``, or ``waiting`` for a second person, who decides on that approval."""

    id: str
    status: str
    approval_id: str | None


class AdjustmentOut(msgspec.Struct):
    """An adjustment that was posted: who wanted it, and who approved it where somebody had to."""

    id: str
    at: datetime
    points: int
    reason: AdjustReason
    text: str
    staff_id: str
    approval_id: str | None


class AdjustmentsOut(msgspec.Struct):
    """The last hundred adjustments of a member, newest first."""

    items: list[AdjustmentOut]


class TakeBackIn(Body):
    """Why a transfer is to be taken back."""

    text: Text


class TakeBackOut(msgspec.Struct):
    """The approval that a second person decides on."""

    approval_id: str
    status: str


class BatchQuery(Body, kw_only=True):
    """What the batch is called, and whether bad rows are left out instead of refusing all of it."""

    title: Title = "批量调整"
    skip_bad: bool = False


class FlawOut(msgspec.Struct):
    """What is wrong with a field of a row; rows count as a spreadsheet shows them."""

    row: int
    field: str
    message: str


class DryRunOut(msgspec.Struct):
    """What a table would do: good rows, what they give and take, and the first thousand flaws of all."""

    good: int
    given: int
    taken: int
    flaws_total: int
    flaws: list[FlawOut]
    needs_approval: bool


class RefusedRowOut(msgspec.Struct):
    """A row that could not be posted, and why."""

    row: int
    member_id: str
    points: int
    code: str


class BatchOut(msgspec.Struct, kw_only=True):
    """A batch and how far it is; ``skipped`` rows were bad and left out.

    ``failed_row`` could not be posted at the last try, for an error of the kind ``failure``.
    """

    id: str
    title: str
    state: BatchState
    rows: int
    posted: int
    refused: int
    skipped: int
    given: int
    taken: int
    staff_id: str
    approval_id: str | None
    failed_row: int | None
    failure: str | None
    created_at: datetime
    ended_at: datetime | None
    refused_rows: list[RefusedRowOut]


class BatchesOut(msgspec.Struct):
    """The last fifty batches, newest first."""

    items: list[BatchOut]


class EarningRuleOut(msgspec.Struct, kw_only=True):
    """A rule that lives, as members are told of it; what it says of articles and stores, its title says."""

    title: str
    kind: RuleKind
    rate_bp: int
    times_bp: int
    plus: int
    birthday: Birthday | None
    first_on: date | None
    last_on: date | None
    min_fen: int


class EarningOut(msgspec.Struct):
    """How a member earns: ``standard_bp`` points per ¥1 in 1/10000, by their level, and the rules that live."""

    standard_bp: int
    rules: list[EarningRuleOut]
