"""A plan: one transfer and all that must happen with it, as data. Built by pure functions; no I/O, clock or randomness.

Shapes here are the wire format between the server and ``ledger_post``; ``VERSION`` changes only so that the previous
release's server can still post.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any, Literal

import msgspec

VERSION = 1

# Accounts of a member
STORED = "stored"
POINTS = "points"
POINTS_PENDING = "points_pending"
POINTS_DEBT = "points_debt"
REBATE = "rebate"
STORED_HELD = "stored_held"
"""Stored value that is held for refunds of recharges; its lots have the refund for their source."""

# A member's, one for each coupon: ``ref`` is the coupon's id
COUPON = "coupon"
COUPON_HELD = "coupon_held"

# A gift card's own: it is a holder of its own, with its id for a member's
GIFT_CARD = "gift_card"
# A member's, one for each campaign: ``ref`` is the campaign's id. What is owed was taken back after it became a reward.
STAMPS = "stamps"
STAMPS_OWED = "stamps_owed"
# A member's, one of each for each pass: ``ref`` is the pass's id. What it is good for, and what of its price is not
# earned yet
SERVICE = "service"
SERVICE_VALUE = "service_value"

# House accounts: entries only, no balance row, so no row is hot
HOUSE_SALES = "house.sales"
HOUSE_PSP = "house.psp_clearing"
HOUSE_TILLS = "house.tills"
"""What tills took for recharges, in cash or otherwise, and gave back; ``ref`` is the store."""

HOUSE_ORDER_HELD = "house.order_held"
"""Members' fen that orders hold until WeChat has paid the rest of them; ``ref`` is the store."""
HOUSE_ORDER_POINTS_HELD = "house.order_points_held"
HOUSE_BONUS = "house.bonus_cost"
HOUSE_POINTS_ISSUED = "house.points_issued"
HOUSE_POINTS_REDEEMED = "house.points_redeemed"
HOUSE_POINTS_CLAWED = "house.points_clawed"
HOUSE_POINTS_RECEIVABLE = "house.points_receivable"
HOUSE_POINTS_EXPIRED = "house.points_expired"
HOUSE_POINTS_CLEARING = "house.points_clearing"
"""Between two members' books while points go from one to the other: zero over each transfer."""
HOUSE_MERGED = "house.merge_clearing"
"""Between two members' books while one is merged into the other: zero over each merge. So are ``*_merged``."""
HOUSE_GROUP = "house.group_clearing"
"""Between the books of a group's owner and of whom they allot something: zero over each allotment."""
HOUSE_POINTS_ADJUSTED = "house.points_adjusted"
"""What staff gave and took, of all members together; ``ref`` is the reason."""
HOUSE_GIFT_MONEY = "house.gift_money"
"""What members paid for gifts on top of points; ``ref`` is the gift's id."""
HOUSE_GIFT_COST = "house.gift_cost"
"""Stored value that was given for points; ``ref`` is the gift's id."""
HOUSE_CARD_DEPOSITS = "house.card_deposits"
"""Deposits for member cards that were taken and not given back; ``ref`` is the store that took them."""
HOUSE_CARD_FEES = "house.card_fees"
"""What tills took for replacing member cards; ``ref`` is the store."""
HOUSE_OPENING = "house.opening"
"""What members brought along from another system, who were imported; in fen and in points."""
HOUSE_BREAKAGE = "house.breakage"
HOUSE_REBATE_COST = "house.rebate_cost"

# ``ref`` is the coupon template's id
HOUSE_COUPONS_ISSUED = "house.coupons_issued"
HOUSE_COUPONS_USED = "house.coupons_used"
HOUSE_COUPONS_EXPIRED = "house.coupons_expired"
HOUSE_COUPONS_VOIDED = "house.coupons_voided"
HOUSE_COUPONS_MERGED = "house.coupons_merged"
HOUSE_COUPON_COST = "house.coupon_cost"
"""What coupons took off sales, in fen; ``ref`` is who bears it: ``head_office``, ``store/<id>``, ``counter/<code>``."""

HOUSE_GIFT_CARDS_SOLD = "house.gift_cards_sold"
HOUSE_GIFT_CLEARING = "house.gift_clearing"
"""Between a sale on a member's books and the gift card that pays it: zero over each sale, refund and replacement."""
# ``ref`` is the campaign's id
HOUSE_STAMPS_ISSUED = "house.stamps_issued"
HOUSE_STAMPS_REDEEMED = "house.stamps_redeemed"
HOUSE_STAMPS_EXPIRED = "house.stamps_expired"
HOUSE_STAMPS_CLAWED = "house.stamps_clawed"
HOUSE_STAMPS_RECEIVABLE = "house.stamps_receivable"
HOUSE_STAMPS_MERGED = "house.stamps_merged"
# ``ref`` is the pass product's id
HOUSE_SERVICES_ISSUED = "house.services_issued"
HOUSE_SERVICES_USED = "house.services_used"
HOUSE_SERVICES_EXPIRED = "house.services_expired"
HOUSE_SERVICES_VOIDED = "house.services_voided"
HOUSE_SERVICES_MERGED = "house.services_merged"
HOUSE_SERVICE_INCOME = "house.service_income"
"""What passes earned; ``ref`` is the store of the use, of what days earn the one that sold it."""

FEN = "fen"
POINT = "points"
USES = "uses"
"""What is counted: a coupon that is good for one use (a value coupon is kept in fen), passes, stamps of a campaign."""


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A new lot: part of a positive leg. ``part`` says where it came from (principal, bonus, earned, gift…).

    ``rank`` is its turn for good: lots of a lower one are spent first, of the same one the earliest last day.
    """

    part: str
    amount: int
    expires_on: date | None = None
    matures_on: date | None = None
    source: str | None = None
    rank: int = 0


class Leg(msgspec.Struct, frozen=True, omit_defaults=True):
    """One signed line.

    A negative leg without ``lots`` takes the lowest rank first, in it the earliest expiry; ``lots`` names them instead,
    as ``(lot id, signed amount)``: a return to, or a taking from, exactly these. ``bonus`` is how much of the taking
    the plan saw to be bonus; another outcome is ``stale``. A positive leg is made of returned ``lots`` and issued ones.
    """

    account: str
    unit: str
    amount: int
    ref: str = ""
    lots: tuple[tuple[int, int], ...] = ()
    issue: tuple[Issue, ...] = ()
    bonus: int | None = None


class Guard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition decided inside the door, per member and name.

    ``above``: value must exceed the mark, which it then becomes. ``once``: the mark must not exist yet. ``add``: the
    counter plus value must not exceed ``cap``. ``refusal`` is the code raised when it does not hold.
    """

    name: str
    op: Literal["above", "once", "add"]
    value: int
    refusal: str
    cap: int | None = None
    expires_at: datetime | None = None


class Cap(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a member may hold at most once the legs have moved, of what is good that day: these accounts together.

    ``parts``: of lots of these parts only; none named is all. ``refusal`` is the code raised when it is more.
    """

    accounts: tuple[str, ...]
    most: int
    refusal: str
    parts: tuple[str, ...] = ()


class Claim(msgspec.Struct, frozen=True):
    """A name that only one document may hold: an order number in a store."""

    scope: str
    key: str


class Saw(msgspec.Struct, frozen=True, omit_defaults=True):
    """A balance the plan was priced with; another one is ``stale``."""

    account: str
    balance: int
    ref: str = ""


class CodeUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the member's code is used. With ``refusal``, not within ``window_s`` of a use at another store."""

    store: str
    window_s: int = 0
    refusal: str | None = None


class NewDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document to store. ``body`` is its value part: hashed into the chain, never personal; ``memo`` is neither."""

    id: str
    kind: str
    state: str
    body: msgspec.Raw | dict[str, Any]
    store_id: str | None = None
    progress: dict[str, Any] | None = None
    memo: dict[str, Any] | None = None
    due_at: datetime | None = None


class DocumentUpdate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change of an existing document that must still have ``version``; ``release`` gives its claim free."""

    id: str
    version: int
    state: str | None = None
    progress: dict[str, Any] | None = None
    due_at: datetime | None = None
    release: Claim | None = None


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One transfer, its idempotency key and everything that stands or falls with it.

    ``scope`` and ``key`` name the request (a terminal's, a member's, a job's); ``hash`` (hex SHA-256) is what must be
    equal for a retry to be a retry. ``at`` is the instant posted, ``on`` the local day that decides expiry.
    """

    member_id: int
    kind: str
    at: datetime
    on: date
    scope: str
    key: str
    hash: str
    legs: tuple[Leg, ...] = ()
    active: bool = False
    use: CodeUse | None = None
    saw: tuple[Saw, ...] = ()
    guards: tuple[Guard, ...] = ()
    caps: tuple[Cap, ...] = ()
    claim: Claim | None = None
    document: NewDocument | None = None
    update: DocumentUpdate | None = None
    about: str | None = None
    reverses: int | None = None
    events: tuple[dict[str, Any], ...] = ()


def earn_points(earned: int, debt: int, issue: Issue, *, account: str = POINTS) -> tuple[Leg, ...]:
    """The legs that credit points: what is owed after a clawback is paid first, the rest becomes a lot.

    ``issue`` says everything of the lot but its amount. The plan must have seen ``points_debt`` at ``debt``.
    """
    if earned <= 0:
        return ()
    paid = min(earned, debt)
    legs = [Leg(HOUSE_POINTS_ISSUED, POINT, -earned)]
    if paid:
        legs += [
            Leg(POINTS_DEBT, POINT, -paid),
            Leg(HOUSE_POINTS_RECEIVABLE, POINT, paid),
            Leg(HOUSE_POINTS_CLAWED, POINT, paid),
        ]
    if earned > paid:
        kept = earned - paid
        legs.append(Leg(account, POINT, kept, issue=(msgspec.structs.replace(issue, amount=kept),)))
    return tuple(legs)


def issue_coupon(
    coupon_id: str, template_id: str, unit: str, amount: int, *, expires_on: date | None
) -> tuple[Leg, ...]:
    """The legs that make a coupon: one lot for all of its life, with the template as its source.

    What ends or moves the coupon later takes from this lot, and what gives it back returns to it; who is given somebody
    else's coupon gets one with an id of its own. ``unit`` and ``amount``: ``uses`` and 1, or ``fen`` and the face.
    """
    lot = Issue("coupon", amount, expires_on=expires_on, source=template_id)
    return (
        Leg(COUPON, unit, amount, ref=coupon_id, issue=(lot,)),
        Leg(HOUSE_COUPONS_ISSUED, unit, -amount, ref=template_id),
    )


def use_coupon(coupon_id: str, template_id: str, unit: str, amount: int, *, account: str = COUPON) -> tuple[Leg, ...]:
    """The legs that use a coupon, or so much of its value; a held one with ``account=COUPON_HELD``."""
    return _end_coupon(account, coupon_id, HOUSE_COUPONS_USED, template_id, unit, amount)


def void_coupon(coupon_id: str, template_id: str, unit: str, amount: int, *, account: str = COUPON) -> tuple[Leg, ...]:
    """The legs that take a coupon back, or away from whoever gives it to somebody else."""
    return _end_coupon(account, coupon_id, HOUSE_COUPONS_VOIDED, template_id, unit, amount)


def expire_coupon(coupon_id: str, template_id: str, unit: str, amount: int, *, lot_id: int) -> tuple[Leg, ...]:
    """The legs that take what is left of a coupon whose last day is over; only a named lot gives what has expired."""
    lots = ((lot_id, -amount),)
    return _end_coupon(COUPON, coupon_id, HOUSE_COUPONS_EXPIRED, template_id, unit, amount, lots)


def return_coupon(coupon_id: str, template_id: str, unit: str, amount: int, *, lot_id: int) -> tuple[Leg, ...]:
    """The legs that undo a use: back to the coupon's lot, whatever its last day."""
    return (
        Leg(COUPON, unit, amount, ref=coupon_id, lots=((lot_id, amount),)),
        Leg(HOUSE_COUPONS_USED, unit, -amount, ref=template_id),
    )


def hold_coupon(coupon_id: str, template_id: str, unit: str, amount: int) -> tuple[Leg, ...]:
    """The legs that keep a coupon for an order. What is held does not expire: the order was in time."""
    return (
        Leg(COUPON, unit, -amount, ref=coupon_id),
        Leg(COUPON_HELD, unit, amount, ref=coupon_id, issue=(Issue("coupon", amount, source=template_id),)),
    )


def release_coupon(coupon_id: str, unit: str, amount: int, *, lot_id: int) -> tuple[Leg, ...]:
    """The legs that undo a hold: back to the coupon's lot, whatever its last day."""
    return (
        Leg(COUPON_HELD, unit, -amount, ref=coupon_id),
        Leg(COUPON, unit, amount, ref=coupon_id, lots=((lot_id, amount),)),
    )


def _end_coupon(
    account: str,
    coupon_id: str,
    house: str,
    template_id: str,
    unit: str,
    amount: int,
    lots: tuple[tuple[int, int], ...] = (),
) -> tuple[Leg, ...]:
    return Leg(account, unit, -amount, ref=coupon_id, lots=lots), Leg(house, unit, amount, ref=template_id)


def own_scope(member_id: int) -> str:
    """The scope of a member's own requests; when they are merged, what was answered in it goes on to the other's."""
    return f"member/{member_id}"


def job_hash(*parts: object) -> str:
    """The request hash of a plan that no HTTP request asked for: what must be equal for it to be the same wish."""
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()


_encoder = msgspec.json.Encoder()
_PREFIX = b'{"v":%d,' % VERSION


def encode(plan: Plan) -> str:
    """The JSON that ``ledger_post`` takes."""
    return (_PREFIX + _encoder.encode(plan)[1:]).decode()
