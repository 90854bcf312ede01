"""Bodies, queries and answers of reconciliation and clearing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel import charts
from backend.kernel.http import Body
from backend.kernel.sheets import Format
from backend.wechat.types import BillKind

from .types import Action, BillState, Resolution, State, What

StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
Text = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$(?!\n)")]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=200)]


class SpanQuery(Body, kw_only=True, rename={"from_on": "from", "to_on": "to"}):
    """A range of days, both included."""

    from_on: date
    to_on: date


class DaysChartQuery(SpanQuery, kw_only=True):
    """The same as a picture."""

    format: charts.Form = "svg"


class DayOut(msgspec.Struct, frozen=True, kw_only=True):
    """A day: its bill, and both sides' sums in fen. ``fee`` is in hundred-thousandths of a yuan.

    ``open``: differences that nobody has resolved. ``state`` None: its bill was not asked for.
    """

    day: date
    state: BillState | None
    tries: int
    due_at: datetime | None
    taken_at: datetime | None
    lines: int
    fee: int
    theirs_paid_fen: int
    ours_paid_fen: int
    theirs_refunded_fen: int
    ours_refunded_fen: int
    items: int
    open: int


class DaysOut(msgspec.Struct, frozen=True):
    """Days, the last one first."""

    items: list[DayOut]


class DayIn(Body, kw_only=True):
    """A day of WeChat's bills."""

    day: date


class ItemsQuery(Body, kw_only=True):
    """A page of a day's items; ``differs``: only those whose sides do not agree."""

    day: date
    differs: bool = False
    cursor: Cursor | None = None
    limit: Limit = 50


class ItemOut(msgspec.Struct, frozen=True, kw_only=True):
    """A payment or a refund by its number at WeChat, and what either side says of it."""

    kind: BillKind
    number: str
    store_id: str | None
    source: str | None
    document_id: str | None
    transaction_id: str | None
    theirs_fen: int | None
    theirs_at: datetime | None
    ours_fen: int | None
    ours_at: datetime | None
    difference: What | None


class ItemsOut(msgspec.Struct, frozen=True):
    """A page of items."""

    items: list[ItemOut]
    next_cursor: str | None


class ItemsFileQuery(Body, kw_only=True):
    """A day's items as a file."""

    day: date
    format: Format = "csv"


class DifferencesQuery(Body, kw_only=True):
    """A page of differences; ``waiting`` (the default): only those that nobody has resolved."""

    waiting: bool = True
    state: State | None = None
    what: What | None = None
    day: date | None = None
    store_id: StoreId | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class DifferenceOut(msgspec.Struct, frozen=True, kw_only=True):
    """A difference, and who has taken it on or resolved it. Send ``version`` with what you do to it."""

    id: str
    kind: BillKind
    number: str
    what: What
    day: date
    store_id: str | None
    theirs_fen: int | None
    ours_fen: int | None
    state: State
    staff: str | None
    resolution: Resolution | None
    found_at: datetime
    ended_at: datetime | None
    version: int


class StepOut(msgspec.Struct, frozen=True):
    """What happened to a difference; ``staff`` None: by itself."""

    action: Action
    staff: str | None
    note: str
    at: datetime


class DifferenceDetail(msgspec.Struct, frozen=True):
    """A difference with its steps, oldest first."""

    difference: DifferenceOut
    steps: list[StepOut]


class DifferencesOut(msgspec.Struct, frozen=True):
    """A page of differences."""

    items: list[DifferenceOut]
    next_cursor: str | None


class TakeIn(Body, kw_only=True):
    """Take a difference on."""

    version: Version


class NoteIn(Body, kw_only=True):
    """What was found out."""

    version: Version
    note: Text


class ResolveIn(Body, kw_only=True):
    """What it turned out to be, and how one knows."""

    version: Version
    resolution: Resolution
    note: Text


class FlowsQuery(SpanQuery, kw_only=True):
    """Clearing of a range of days; ``with_bonus``: what stores gave on top counts, too."""

    store_id: StoreId | None = None
    with_bonus: bool = False


class FlowsFileQuery(FlowsQuery, kw_only=True):
    """The same as a file."""

    format: Format = "csv"


class FlowsChartQuery(FlowsQuery, kw_only=True):
    """The same as a picture."""

    format: charts.Form = "svg"


class FlowOut(msgspec.Struct, frozen=True, kw_only=True):
    """Of value recharged at ``from_store``, what was spent at ``to_store`` less what came back; None is head office."""

    from_store: str | None
    to_store: str | None
    principal_fen: int
    bonus_fen: int
    purchases: int


class BalanceOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a store gets for others' value and pays for its own; ``net_fen`` below zero is to be paid."""

    store_id: str | None
    receives_fen: int
    pays_fen: int
    net_fen: int


class FlowsOut(msgspec.Struct, frozen=True):
    """The flows between stores, and what each store gets and pays; all nets together are zero."""

    flows: list[FlowOut]
    balances: list[BalanceOut]


class LinesQuery(SpanQuery, kw_only=True):
    """The purchases behind a flow; a store that is left out is head office."""

    from_store: StoreId | None = None
    to_store: StoreId | None = None
    cursor: Cursor | None = None
    limit: Limit = 100


class LineOut(msgspec.Struct, frozen=True, kw_only=True):
    """What one purchase (a refund: below zero) took of one lot."""

    day: date
    document_id: str
    part: str
    fen: int


class LinesOut(msgspec.Struct, frozen=True):
    """A page of lines."""

    items: list[LineOut]
    next_cursor: str | None


class SettleIn(Body, kw_only=True):
    """Settle everything up to that day, it included; ``with_bonus``: what stores gave on top is borne by them, too."""

    to_on: date = msgspec.field(name="to")
    with_bonus: bool = False
    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]


class AskedOut(msgspec.Struct, frozen=True):
    """A second person is asked, under that id of an approval."""

    approval_id: str
    state: str


class SettlementOut(msgspec.Struct, frozen=True, kw_only=True, rename={"from_on": "from", "to_on": "to"}):
    """A settlement: its days, who fixed it, and what each store gets and pays."""

    id: str
    from_on: date
    to_on: date
    with_bonus: bool
    asked_by: str
    approved_by: str
    at: datetime
    balances: list[BalanceOut]


class SettlementDetail(msgspec.Struct, frozen=True):
    """A settlement with the flows it was made of."""

    settlement: SettlementOut
    flows: list[FlowOut]


class SettlementsOut(msgspec.Struct, frozen=True):
    """A page of settlements, the last one first."""

    items: list[SettlementOut]
    next_cursor: str | None


class SettlementsQuery(Body, kw_only=True):
    """A page of settlements."""

    cursor: Cursor | None = None
    limit: Limit = 20


class FileQuery(Body, kw_only=True):
    """In which form a file is wanted."""

    format: Format = "csv"
