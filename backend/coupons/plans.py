"""Plans that issue coupons, expire them, and give them to friends: pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.kernel.events import encode as encode_event
from backend.ledger import plans as ledger
from backend.ledger.plans import Guard, Leg, Plan, job_hash
from backend.ledger.types import Holding

from .errors import CouponLimitReached
from .events import CouponEnded
from .records import Coupon
from .types import CouponState, Gift, Terms

ISSUE = "coupon_issue"
EXPIRY = "coupon_expiry"
GIVE = "coupon_gift"
GIVE_BACK = "coupon_gift_back"
GIVEN = "coupon_given"
RECEIVED = "coupon_received"
VOID = "coupon_void"
PREFIX = "C"
"""Of a coupon's id."""

GIFT_PREFIX = "G"

_NO_CAP = 10**12


class Wish(msgspec.Struct, frozen=True):
    """That a member gets a coupon: for what (``source``), and once per scope and key."""

    member_id: int
    coupon_id: str
    source: str
    scope: str
    key: str
    hash: str


def cap_name(template_id: str) -> str:
    """The guard that counts how many of a template's coupons a member ever got."""
    return f"coupons:{template_id}"


def worth(terms: Terms) -> tuple[str, int]:
    """The unit of a coupon's account and what it begins with."""
    return (ledger.FEN, terms.face_fen) if terms.partial_use else (ledger.USES, 1)


def issue(
    wish: Wish,
    template_id: str,
    terms: Terms,
    *,
    per_member: int | None,
    expires_on: date | None,
    now: datetime,
    on: date,
) -> Plan:
    """Give a member one coupon, if they have not had as many of this template as one may have."""
    unit, amount = worth(terms)
    return Plan(
        member_id=wish.member_id,
        kind=ISSUE,
        at=now,
        on=on,
        scope=wish.scope,
        key=wish.key,
        hash=wish.hash,
        active=True,
        about=wish.coupon_id,
        guards=(Guard(cap_name(template_id), "add", 1, CouponLimitReached.code, cap=per_member or _NO_CAP),),
        legs=ledger.issue_coupon(wish.coupon_id, template_id, unit, amount, expires_on=expires_on),
    )


def expire(member_id: int, expired: Sequence[Holding], *, now: datetime, on: date) -> Plan:
    """Take what is left of these coupons of a member: their last day was before ``on``."""
    named = [(item.lot_id, item.balance) for item in expired]
    legs: list[Leg] = []
    for item in expired:
        legs += ledger.expire_coupon(item.ref, item.source, item.unit, item.balance, lot_id=item.lot_id)
    ended = [
        CouponEnded(member_id=member_id, coupon_id=item.ref, state=CouponState.EXPIRED, at=now) for item in expired
    ]
    return Plan(
        member_id=member_id,
        kind=EXPIRY,
        at=now,
        on=on,
        scope=EXPIRY,
        key=f"{member_id}:{on}:{job_hash(*named)[:16]}",
        hash=job_hash(*named),
        legs=tuple(legs),
        events=tuple(encode_event(event) for event in ended),
    )


def give(gift: Gift, *, key: str, request_hash: str, on: date) -> Plan:
    """Hold all that is left of a coupon for a friend, once per key of its holder."""
    return Plan(
        member_id=gift.member_id,
        kind=GIVE,
        at=gift.given_at,
        on=on,
        scope=ledger.own_scope(gift.member_id),
        key=key,
        hash=request_hash,
        active=True,
        about=gift.id,
        legs=ledger.hold_coupon(gift.coupon_id, gift.template_id, gift.unit, gift.amount),
    )


def give_back(gift: Gift, *, now: datetime, on: date) -> Plan:
    """Give the held coupon back to whoever wanted to give it; also after its last day, when it expires as usual."""
    return Plan(
        member_id=gift.member_id,
        kind=GIVE_BACK,
        at=now,
        on=on,
        scope=GIVE_BACK,
        key=gift.id,
        hash=job_hash(GIVE_BACK, gift.id),
        about=gift.id,
        legs=ledger.release_coupon(gift.coupon_id, gift.unit, gift.amount, lot_id=gift.lot_id),
    )


def given(gift: Gift, *, now: datetime, on: date) -> Plan:
    """End the giver's coupon; its other half is ``receive``, in the same transaction."""
    ended = CouponEnded(member_id=gift.member_id, coupon_id=gift.coupon_id, state=CouponState.GIVEN, at=now, by=gift.id)
    return Plan(
        member_id=gift.member_id,
        kind=GIVEN,
        at=now,
        on=on,
        scope=GIVEN,
        key=gift.id,
        hash=job_hash(GIVEN, gift.id),
        active=True,
        about=gift.id,
        legs=ledger.void_coupon(gift.coupon_id, gift.template_id, gift.unit, gift.amount, account=ledger.COUPON_HELD),
        events=(encode_event(ended),),
    )


def void(coupon: Coupon, unit: str, amount: int, *, key: str, now: datetime, on: date) -> Plan:
    """Take all that is left of a coupon, once per key: staff made it void. Its member may be frozen."""
    ended = CouponEnded(member_id=coupon.member_id, coupon_id=coupon.id, state=CouponState.VOID, at=now)
    return Plan(
        member_id=coupon.member_id,
        kind=VOID,
        at=now,
        on=on,
        scope=VOID,
        key=key,
        hash=job_hash(VOID, coupon.id, amount),
        about=coupon.id,
        legs=ledger.void_coupon(coupon.id, coupon.template_id, unit, amount),
        events=(encode_event(ended),),
    )


def give_up(
    member_id: int,
    coupon_id: str,
    template_id: str,
    unit: str,
    amount: int,
    lot_id: int,
    *,
    key: str,
    now: datetime,
    on: date,
) -> Plan:
    """Take all that is left of a coupon whose member leaves, whether its last day is over or not."""
    ended = CouponEnded(member_id=member_id, coupon_id=coupon_id, state=CouponState.VOID, at=now)
    taken, house = ledger.void_coupon(coupon_id, template_id, unit, amount)
    return Plan(
        member_id=member_id,
        kind=VOID,
        at=now,
        on=on,
        scope=VOID,
        key=key,
        hash=job_hash(VOID, coupon_id, amount),
        about=coupon_id,
        legs=(msgspec.structs.replace(taken, lots=((lot_id, -amount),)), house),
        events=(encode_event(ended),),
    )


def receive(wish: Wish, gift: Gift, *, expires_on: date | None, now: datetime, on: date) -> Plan:
    """Give the friend a coupon of their own with what was left; the template's cap does not count what is received."""
    return Plan(
        member_id=wish.member_id,
        kind=RECEIVED,
        at=now,
        on=on,
        scope=wish.scope,
        key=wish.key,
        hash=wish.hash,
        active=True,
        about=wish.coupon_id,
        legs=ledger.issue_coupon(wish.coupon_id, gift.template_id, gift.unit, gift.amount, expires_on=expires_on),
    )
