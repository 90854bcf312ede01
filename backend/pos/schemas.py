"""Shapes of the till's calls. Source: CONTRACT, POS."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.cards.types import Entitlements
from backend.coupons.types import CouponKind
from backend.kernel.http import Body
from backend.kernel.money import Fen, FenOrZero, Points
from backend.points.types import EarnedLine
from backend.sales.types import TenderType
from backend.wallet.types import Wallet

from .override_schemas import DiscountedLine, MissingOut, OverrideIn

Code = Annotated[
    str, Meta(min_length=1, max_length=64, description="会员码：20 位数字", examples=["70123456789012345678"])
]
# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
OrderNo = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$(?!\n)", description="收银单号，门店内唯一")
]
Text = Annotated[str, Meta(min_length=1, max_length=80)]
Sku = Annotated[str, Meta(min_length=1, max_length=64)]
Pieces = Annotated[int, Meta(ge=1, le=1_000_000)]
LineNo = Annotated[int, Meta(ge=1, le=200)]
Instant = Annotated[datetime, Meta(tz=True)]


class ScanIn(Body):
    """A code as the till read it."""

    code: Code


class LineIn(Body):
    """One article of the basket; ``discount_fen`` is the till's own."""

    sku: Sku
    qty: Pieces
    unit_price_fen: Fen
    name: Text | None = None
    category: Annotated[str, Meta(max_length=40)] | None = None
    discount_fen: FenOrZero = 0


# Not the enum itself: another name has a refusal of its own, ``tender_unsupported``.
TenderName = Annotated[
    str, Meta(min_length=1, max_length=40, extra_json_schema={"enum": [str(one) for one in TenderType]})
]


class TenderInput(Body):
    """How part of the sale is paid; one may lack its amount and takes the rest. A coupon's amount is set here.

    ``reference`` of a gift card is the card token of its check, or the id of a card that is this member's own.
    """

    type: TenderName
    amount_fen: Fen | None = None
    points: Points | None = None
    coupon_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    reference: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


Lines = Annotated[list[LineIn], Meta(min_length=1, max_length=200)]
Tenders = Annotated[list[TenderInput], Meta(max_length=20)]
CodeEntry = Annotated[Literal["scanned", "typed"], Meta(description="scanned 或 typed（手输需会员确认）")]


class QuoteIn(Body):
    """A basket and whose it is."""

    lines: Lines
    code: Code | None = None
    scan_token: Annotated[str, Meta(min_length=1, max_length=400)] | None = None
    code_entry: CodeEntry = "scanned"
    order_no: OrderNo | None = None
    cashier: Text | None = None
    occurred_at: Instant | None = None
    tenders: Tenders | None = None


class SaleIn(Body):
    """A sale: whose (``code`` or ``scan_token``), what, and how it is paid."""

    order_no: OrderNo
    lines: Lines
    code: Code | None = None
    scan_token: Annotated[str, Meta(min_length=1, max_length=400)] | None = None
    code_entry: CodeEntry = "scanned"
    cashier: Text | None = None
    occurred_at: Instant | None = None
    tenders: Tenders | None = None
    override: OverrideIn | None = None


class RefundLineIn(Body):
    """Pieces of one line."""

    line_no: LineNo
    qty: Pieces


class RefundIn(Body):
    """What to refund: pieces of lines, or an amount."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    cashier: Text | None = None
    lines: Annotated[list[RefundLineIn], Meta(min_length=1, max_length=200)] | None = None
    amount_fen: Fen | None = None


class PassUseIn(Body):
    """How often a pass is used, by the member of the scan; ``service`` where it is good for several."""

    scan_token: Annotated[str, Meta(min_length=1, max_length=400)]
    qty: Annotated[int, Meta(ge=1, le=100)] = 1
    service: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class AccrualIn(Body):
    """A sale taken while the till was offline: it earns points, and never spends."""

    order_no: OrderNo
    total_fen: Fen
    lines: Lines
    occurred_at: Instant
    member_no: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    code: Code | None = None


class CancelIn(Body):
    """Nothing to say."""


class TenderOut(msgspec.Struct, omit_defaults=True):
    """A tender and its amount; ``points`` where points paid, ``coupon_id`` where a coupon did."""

    type: str
    amount_fen: int
    points: int | None = None
    reference: str | None = None
    coupon_id: str | None = None


class BalancesOut(msgspec.Struct):
    """What the member has: fen, and points less what is owed after refunds."""

    stored_fen: int
    points: int


class SaleLineOut(msgspec.Struct, omit_defaults=True):
    """A line and its price; what was refunded of it shows once something was."""

    line_no: int
    sku: str
    qty: int
    unit_price_fen: int
    discount_fen: int
    payable_fen: int
    name: str | None = None
    refunded_qty: int = 0
    refunded_fen: int = 0


class SaleOut(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A sale as it stands."""

    id: str
    status: str
    order_no: str
    expires_at: datetime | None = None
    total_fen: int
    discount_fen: int
    payable_fen: int
    tenders: list[TenderOut]
    points_earned: int
    balances: BalancesOut
    lines: list[SaleLineOut]
    at: datetime | None = None
    refunded_fen: int | None = None
    override_id: str | None = None


class HeldCoupon(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A coupon of the member's; ``code`` and ``detail`` say why it cannot be used, as a sale's refusal would.

    ``min_spend_fen`` is the threshold, ``balance_fen`` what is left of a value coupon.
    """

    id: str
    title: str
    usable: bool
    kind: CouponKind | None = None
    face_fen: int = 0
    rate_bp: int = 0
    cap_fen: int | None = None
    min_spend_fen: int = 0
    balance_fen: int | None = None
    expires_on: date | None = None
    code: str | None = None
    detail: str | None = None
    missing_fen: int = 0
    day: str | None = None
    other: str | None = None
    most: int | None = None


class QuotedCoupon(HeldCoupon, omit_defaults=True, kw_only=True):
    """A coupon on this basket: what it takes off, or would; ``used`` where the quote's tenders name it."""

    used: bool
    amount_fen: int


class SuggestedCoupon(msgspec.Struct):
    """A coupon of the best set, and what it takes off in it."""

    id: str
    amount_fen: int


class Suggestion(msgspec.Struct):
    """The coupons that take most off together, with those the tenders name.

    ``exact``: it is proven that there is no better set; ``most``: that none takes more, though fewer coupons may do.
    """

    coupons: list[SuggestedCoupon]
    total_fen: int
    exact: bool
    most: bool


class QuoteOut(msgspec.Struct, kw_only=True):
    """What the sale would cost; nothing is spent or bound. ``earned`` says which rules give what to each line.

    ``override`` is there where the till's own discount is more than a cashier may give.
    """

    total_fen: int
    discount_fen: int
    payable_fen: int
    tenders: list[TenderOut]
    points_earned: int
    balances: BalancesOut
    lines: list[SaleLineOut]
    sufficient: bool
    confirmation_required: bool
    coupons: list[QuotedCoupon]
    suggestion: Suggestion
    earned: list[EarnedLine] = []
    override: MissingOut | None = None
    discounts: list[DiscountedLine] = []


class PassUseOut(msgspec.Struct):
    """A use of a pass: ``used`` or ``undone``, and how many uses that left (null where they are not counted)."""

    id: str
    pass_id: str
    title: str
    status: str
    qty: int
    service: str | None
    uses_left: int | None
    at: datetime


class LevelOut(msgspec.Struct):
    """A member's level; ``discount_bp`` is what is taken off (500 = 95折)."""

    code: str
    name: str
    discount_bp: int


class ScanMemberOut(msgspec.Struct, omit_defaults=True):
    """What a cashier may see of a member; ``notes`` are attributes that the chain has tills told of, by their names."""

    id: str
    name_masked: str
    level: LevelOut
    notes: dict[str, str] = {}


class ScanOut(msgspec.Struct):
    """Who stands at the till, and the token that stands for the spent code."""

    scan_token: str
    expires_at: datetime
    member: ScanMemberOut
    wallet: Wallet
    coupons: list[HeldCoupon]
    entitlements: Entitlements


class AccrualOut(msgspec.Struct):
    """Points credited for a sale taken offline."""

    id: str
    order_no: str
    points_earned: int
    balances: BalancesOut


class CodeOut(msgspec.Struct):
    """The session's current code."""

    code: str
    expires_at: datetime
    refresh_after_s: int


class ConfirmationOut(msgspec.Struct):
    """A sale that waits for the member; coupons pay ``coupon_fen`` of it."""

    id: str
    sale_id: str
    payable_fen: int
    store: dict[str, str]
    expires_at: datetime
    coupon_fen: int


class ConfirmationsOut(msgspec.Struct):
    """All of them."""

    items: list[ConfirmationOut]


class DecisionIn(Body):
    """The member's answer."""

    decision: Literal["approve", "reject"]
    pin: Annotated[str, Meta(min_length=1, max_length=12)] | None = None


class DecisionOut(msgspec.Struct):
    """What became of the sale."""

    sale_id: str
    status: str


class ArticleOut(msgspec.Struct):
    """An article of the chain."""

    sku: str
    name: str
    category: str
    unit_price_fen: int
    barcode: str | None


class ArticlesOut(msgspec.Struct):
    """Articles that match."""

    items: list[ArticleOut]


class NamedOut(msgspec.Struct):
    """An id with its name."""

    id: str
    name: str


class ContextOut(msgspec.Struct):
    """Where this terminal stands and what it must know."""

    terminal: NamedOut
    store: NamedOut
    chain_name: str
    limits: dict[str, int]


class SimulateIn(Body, kw_only=True):
    """A basket, a store, a time (now where none is named), and who buys: a member, or anybody of a level.

    ``draft`` is a rule that is judged as if it lived as it is written now.
    """

    lines: Annotated[list[LineIn], Meta(min_length=1, max_length=200)]
    store_id: Annotated[str, Meta(min_length=1, max_length=16)]
    member_id: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    level: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    birthday: date | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None
    draft: Annotated[str, Meta(min_length=1, max_length=16)] | None = None


class SimulatedOut(msgspec.Struct):
    """What the basket costs and earns, where all of it is paid with money; by line, and why."""

    payable_fen: int
    points: int
    lines: list[EarnedLine]
