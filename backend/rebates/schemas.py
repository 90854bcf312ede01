"""Bodies and answers of calls about rebates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import Id, PeriodKind, RunKind, RunState, SchemeState, StatementState, Terms, Tier

Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]


class SchemeIn(Body, kw_only=True):
    """A scheme as it is written. ``first_on`` and ``last_on``: the days of purchases that count, both included."""

    title: Title
    period: PeriodKind
    first_on: date
    last_on: date | None = None
    terms: Terms


class ChangeSchemeIn(Body, kw_only=True):
    """Other terms in place of those of ``version``.

    Of a living scheme they hold from the next period on, or from the beginning of the current one where ``counts_from``
    says so; its dates stay as they are. A draft takes title, dates and terms.
    """

    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    terms: Terms
    title: Title | None = None
    first_on: date | None = None
    last_on: date | None = None
    counts_from: Literal["next_period", "current_period"] = "next_period"


class CloseSchemeIn(Body):
    """The last day whose purchases count; without one the last day of the current period."""

    last_on: date | None = None


class SimulateIn(Body):
    """Which period's real purchases; without one the last that is over. ``first_on``: its first day."""

    first_on: date | None = None


class PageQuery(Body):
    """A page of a list."""

    cursor: Cursor | None = None
    limit: Limit = 50


class RunsQuery(PageQuery):
    """Runs of a kind, or of a scheme."""

    kind: RunKind | None = None
    scheme_id: Id | None = None


class RunStatementsQuery(PageQuery):
    """``refused``: only those that the books did not take."""

    refused: bool = False


class FileQuery(Body):
    """As what."""

    format: Literal["csv", "xlsx"] = "csv"


class StatementFileQuery(Body):
    """As what."""

    format: Literal["pdf", "csv", "xlsx"] = "pdf"


class ChartQuery(Body):
    """As what."""

    format: Literal["svg", "png"] = "svg"


class StartRunIn(Body):
    """Which period's statements; ``first_on`` is its first day."""

    period: PeriodKind
    first_on: date


class CloseRunIn(Body):
    """Why, for whoever decides; kept with the approval."""

    reason: Reason = "返利结算"


class SchemeOut(msgspec.Struct, kw_only=True):
    """A scheme with its latest terms, which hold from ``since`` on."""

    id: str
    title: str
    period: PeriodKind
    state: SchemeState
    first_on: date
    last_on: date | None
    version: int
    since: date
    terms: Terms
    staff_id: str
    created_at: datetime


class SchemesOut(msgspec.Struct):
    """Schemes, newest first."""

    items: list[SchemeOut]
    next_cursor: str | None = None


class VersionOut(msgspec.Struct, kw_only=True):
    """Terms, from which period on they hold, and who wrote them."""

    version: int
    since: date
    terms: Terms
    staff_id: str
    at: datetime


class VersionsOut(msgspec.Struct):
    """Versions, newest first."""

    items: list[VersionOut]


class RunOut(msgspec.Struct, kw_only=True):
    """A look at all members for a period; ``done`` of ``total`` members were looked at, ``paid`` of ``to_pay`` paid.

    ``approval_id``: closing it waits for, or was decided by, a second person.
    """

    id: str
    kind: RunKind
    period: PeriodKind
    first_on: date
    last_on: date
    title: str
    state: RunState
    scheme_id: str | None
    total: int
    done: int
    statements: int
    amount_fen: int
    payout_fen: int
    to_pay: int
    paid: int
    paid_fen: int
    refused: int
    approval_id: str | None
    staff_id: str | None
    closed_by: str | None
    created_at: datetime
    ended_at: datetime | None


class RunsOut(msgspec.Struct):
    """Runs, newest first."""

    items: list[RunOut]
    next_cursor: str | None = None


class TierOut(msgspec.Struct, kw_only=True):
    """What a tier of a scheme came to; ``tier`` -1 is below the first one."""

    scheme_id: str
    scheme: str
    tier: int
    members: int
    base_fen: int
    fen: int


class StoreOut(msgspec.Struct, kw_only=True):
    """What a store bears of a scheme, corrections apart."""

    scheme_id: str
    scheme: str
    store_id: str
    base_fen: int
    fen: int
    corrected_fen: int


class FiguresOut(msgspec.Struct, kw_only=True):
    """What a run came to, by tier and by store."""

    run: RunOut
    tiers: list[TierOut]
    stores: list[StoreOut]


class CountedOut(msgspec.Struct, kw_only=True):
    """A purchase and how much of it counts, less what came back."""

    sale_id: str
    on: date
    store_id: str
    fen: int


class PartOut(msgspec.Struct, kw_only=True):
    """What a scheme came to; ``given`` is False where another scheme that does not stack gives more.

    ``lines`` are the first of ``purchases``; ``stores`` says who bears how much of ``fen``.
    """

    scheme_id: str
    title: str
    version: int
    base_fen: int
    tier: int
    rate_bp: int
    fen: int
    capped: bool
    given: bool
    stores: dict[str, int]
    purchases: int
    lines: list[CountedOut]


class CorrectionOut(msgspec.Struct, kw_only=True):
    """What an earlier period should have given and did, since something reached it after it was closed."""

    title: str
    first_on: date
    last_on: date
    was_fen: int
    now_fen: int
    fen: int


class StatementOut(msgspec.Struct, kw_only=True):
    """A statement: ``amount_fen`` + ``corrected_fen`` + ``brought_fen`` = ``payout_fen`` + ``carried_fen``.

    ``brought_fen`` came from earlier statements, ``carried_fen`` goes on to the next (below nought: owed).
    """

    id: str
    run_id: str
    period: PeriodKind
    first_on: date
    last_on: date
    title: str
    state: StatementState
    amount_fen: int
    corrected_fen: int
    brought_fen: int
    payout_fen: int
    carried_fen: int
    expires_on: date | None
    paid_at: datetime | None
    at: datetime


class StatementsOut(msgspec.Struct):
    """Statements, newest first."""

    items: list[StatementOut]
    next_cursor: str | None = None


class StatementDetail(StatementOut, kw_only=True):
    """A statement in full."""

    parts: list[PartOut]
    corrections: list[CorrectionOut]


class RunStatementOut(StatementOut, kw_only=True):
    """A statement in a run's list; ``refusal``: why the books did not take it."""

    member_id: str
    member_no: str
    name_masked: str
    refusal: str | None


class RunStatementsOut(msgspec.Struct):
    """Statements by member."""

    items: list[RunStatementOut]
    next_cursor: str | None = None


class RunningOut(msgspec.Struct, kw_only=True):
    """Where the member stands in a scheme in the current period, by what is known now.

    ``next_tier`` is what the sum does not reach yet, ``missing_fen`` what it lacks; null: the highest is reached.
    ``counted_until`` is null where all is counted; of whoever has very many purchases (the owner of a large group), the
    day that the count got to. The statement counts all of them.
    """

    scheme_id: str
    title: str
    period: PeriodKind
    first_on: date
    last_on: date
    period_title: str
    terms: Terms
    base_fen: int
    tier: int
    rate_bp: int
    fen: int
    capped: bool
    given: bool
    next_tier: Tier | None
    missing_fen: int | None
    counted_until: date | None


class LotOut(msgspec.Struct):
    """Rebate that ends on a day; null: never."""

    fen: int
    expires_on: date | None


class MemberRebatesOut(msgspec.Struct, kw_only=True):
    """A member's rebates: what can be spent, what runs, and the last statements.

    ``waiting_fen`` waits for the next statement; below nought it is owed to it.
    """

    rebate_fen: int
    lots: list[LotOut]
    waiting_fen: int
    running: list[RunningOut]
    statements: list[StatementOut]
