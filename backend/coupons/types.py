"""Terms of coupons, and what they meet: baskets, occasions, verdicts."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class CouponKind(StrEnum):
    """What a coupon gives.

    ``cash`` takes ``face_fen`` off. ``percent`` takes ``rate_bp`` off, at most ``cap_fen``. ``exchange`` and
    ``service`` give up to ``pieces`` pieces of the articles in scope, the dearest first. ``shipping`` takes
    ``face_fen`` off the delivery fee (all of it where it is 0).
    """

    CASH = "cash"
    PERCENT = "percent"
    EXCHANGE = "exchange"
    SHIPPING = "shipping"
    SERVICE = "service"


class Stacking(StrEnum):
    """With what a coupon may be used: alone; with others, but one of its ``group``; or with any others.

    Groups are the chain's words, ``one per category`` among them: two templates with the same group never meet.
    """

    EXCLUSIVE = "exclusive"
    ONE_OF_GROUP = "one_of_group"
    JOINT = "joint"


class RefundPolicy(StrEnum):
    """What becomes of a coupon when its sale is refunded.

    ``return``: it comes back when all of its amount was refunded. ``split``: the share of each refund goes back to its
    balance (value coupons only). ``claw_back``: as soon as what is kept would not have earned it, its amount is taken
    back first and it returns; until then as ``return``. ``forfeit``: it never comes back.
    """

    RETURN = "return"
    SPLIT = "split"
    CLAW_BACK = "claw_back"
    FORFEIT = "forfeit"


class Channel(StrEnum):
    """Where a coupon is used."""

    POS = "pos"
    MALL = "mall"


class Party(StrEnum):
    """Who bears a coupon's cost; ``store`` is the one that sells."""

    HEAD_OFFICE = "head_office"
    STORE = "store"
    SUPPLIER = "supplier"
    COUNTER = "counter"


class CostShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """A party's part of the cost in basis points; ``code`` says which supplier or counter."""

    party: Party
    share_bp: int
    code: str = ""


class Hours(msgspec.Struct, frozen=True):
    """Minutes of the local day, ``from_minute`` included, ``to_minute`` not; over midnight where it is the smaller."""

    from_minute: int
    to_minute: int


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where, on what and for whom. An empty field does not limit; ``skus_excluded`` always does.

    A line is in scope where its category, brand **and** SKU are. ``weekdays``: 1 is Monday; hours that go over midnight
    belong to the day on which they began.
    """

    stores: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    skus_excluded: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    hours: tuple[Hours, ...] = ()


class Validity(msgspec.Struct, frozen=True, omit_defaults=True):
    """From when to when a coupon can be used, in local dates of the chain, both days included.

    Either absolute (``from_on``, else the day of issue, and ``until_on``), or from ``after_days`` days after the issue
    for ``days`` days.
    """

    from_on: date | None = None
    until_on: date | None = None
    after_days: int = 0
    days: int | None = None


class Terms(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a version of a template promises; a coupon keeps the terms it was issued with.

    ``min_spend_fen``: what the lines in scope must cost before coupons. ``partial_use``: a value coupon (``cash``
    only); its face is a balance that several sales use up. ``max_together``: how many coupons at most in one sale with
    this one. ``cost``: shares that sum to 10,000.
    """

    kind: CouponKind
    validity: Validity
    face_fen: int = 0
    rate_bp: int = 0
    cap_fen: int | None = None
    pieces: int = 1
    min_spend_fen: int = 0
    partial_use: bool = False
    scope: Scope = Scope()
    stacking: Stacking = Stacking.EXCLUSIVE
    group: str = ""
    max_together: int | None = None
    transferable: bool = False
    refund: RefundPolicy = RefundPolicy.RETURN
    cost: tuple[CostShare, ...] = (CostShare(Party.HEAD_OFFICE, 10_000),)


DELIVERY_LINE = 0
"""The number under which the delivery fee stands among a basket's lines."""


class BasketLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line as coupons meet it; ``payable_fen`` is what it costs before coupons."""

    line_no: int
    sku: str
    qty: int
    payable_fen: int
    category: str | None = None
    brand: str | None = None


class Occasion(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where, when (local time of the store) and for whom a basket is bought; ``shipping_fen`` is the delivery fee."""

    store_id: str
    channel: Channel
    level: str
    at: datetime
    shipping_fen: int = 0


class CouponState(StrEnum):
    """How a coupon stands."""

    AVAILABLE = "available"
    LOCKED = "locked"
    USED = "used"
    EXPIRED = "expired"
    GIVEN = "given"
    VOID = "void"


class GiftState(StrEnum):
    """How a gift to a friend stands: to be accepted, accepted, taken back by its giver, or too late."""

    OPEN = "open"
    ACCEPTED = "accepted"
    TAKEN_BACK = "taken_back"
    OVER = "over"


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon that its holder gives away, held for whoever has the link until ``expires_at``.

    ``amount`` in ``unit`` is all that was left of it; back it goes to the giver's lot ``lot_id``. Whoever
    accepted has it as ``accepted_as``, a coupon of their own.
    """

    member_id: int
    id: str
    coupon_id: str
    template_id: str
    unit: str
    amount: int
    given_at: datetime
    expires_at: datetime
    lot_id: int = 0
    ended_as: str | None = None
    accepted_as: str | None = None

    def state_at(self, now: datetime) -> GiftState:
        """How it stands at that instant, also when nobody has given it back yet."""
        if self.ended_as is not None:
            return GiftState(self.ended_as)
        return GiftState.OPEN if now < self.expires_at else GiftState.OVER


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """A coupon in a member's hand. ``balance``: fen of a value coupon, else the uses that are left (0 or 1).

    ``template`` tells pieces of one offer from others, ``version`` is the one whose terms it keeps; ``expires_on`` is
    the last day (None: never).
    """

    id: str
    template: str
    terms: Terms
    balance: int
    valid_from: date
    expires_on: date | None
    state: CouponState = CouponState.AVAILABLE
    version: int = 1


class Reason(StrEnum):
    """Why a coupon is not used. Those from ``not_held`` on come from the other coupons of the sale."""

    USED = "used"
    LOCKED = "locked"
    GIVEN = "given"
    VOID = "void"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    OTHER_STORE = "other_store"
    OTHER_CHANNEL = "other_channel"
    OTHER_LEVEL = "other_level"
    WRONG_WEEKDAY = "wrong_weekday"
    WRONG_HOUR = "wrong_hour"
    NO_ARTICLE_IN_SCOPE = "no_article_in_scope"
    BELOW_THRESHOLD = "below_threshold"
    NOTHING_TO_TAKE = "nothing_to_take"
    NOT_HELD = "not_held"
    NOT_TOGETHER = "not_together"
    TOO_MANY = "too_many"
    ADDS_NOTHING = "adds_nothing"


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one coupon does on a basket: it takes ``amount_fen`` off ``lines``, or ``reason`` says why it does not.

    ``lines`` and ``counted`` (those in scope, which count towards the threshold) are line numbers. A reason comes with
    its numbers: ``missing_fen`` to the threshold, ``day`` the first or the last one, ``other`` the coupon that stands
    in the way, ``most`` how many may be used together.
    """

    coupon_id: str
    amount_fen: int = 0
    lines: tuple[int, ...] = ()
    counted: tuple[int, ...] = ()
    reason: Reason | None = None
    missing_fen: int = 0
    day: date | None = None
    other: str = ""
    most: int = 0


class Use(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A coupon in a sale: what it takes off, line by line as ``(line_no, fen)``, and the lines that earned it."""

    coupon_id: str
    amount_fen: int
    by_line: tuple[tuple[int, int], ...]
    counted: tuple[int, ...]


class Used(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A coupon as the document of its sale keeps it: a ``Use``, which terms it was of, and what was booked for it.

    ``taken`` of its account, in ``unit``; ``cost`` is who bears how much of ``amount_fen``, by ledger ref.
    """

    id: str
    template: str
    version: int
    unit: str
    taken: int
    amount_fen: int
    by_line: tuple[tuple[int, int], ...]
    counted: tuple[int, ...]
    cost: dict[str, int]


class Combination(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Coupons used together, in the order in which they take, and of every other one why it is not used.

    ``exact``: no other admissible combination takes more, nor as much with fewer coupons, nor as much with as many
    that expire earlier. False where the search was cut short; it is then the best one that was found. ``most``: at
    least none takes more.
    """

    amount_fen: int
    uses: tuple[Use, ...]
    unused: tuple[Verdict, ...]
    exact: bool = True
    most: bool = True


class CouponRefund(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one refund does to one coupon of the sale.

    ``amount_fen`` is the coupon's share of it and ``cost`` how much less each party bears, by ledger ref. ``returned``
    goes back to the coupon's account: fen of a value coupon, else 1 when it returns.
    """

    coupon_id: str
    amount_fen: int
    returned: int
    cost: dict[str, int]
