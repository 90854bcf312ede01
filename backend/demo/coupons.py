"""Five coupons as a neighbourhood shop gives them, and some that members hold already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.coupons import service
from backend.coupons.plans import Wish
from backend.coupons.records import ClaimBy, Occurrence, Offer, Trigger
from backend.coupons.types import (
    Channel,
    CouponKind,
    RefundPolicy,
    Scope,
    Stacking,
    Terms,
    Validity,
)
from backend.kernel import db
from backend.ledger.plans import job_hash


class DemoCoupon(msgspec.Struct, frozen=True):
    """A template of the demo; of every ``one_in`` members one holds it from the beginning (0: nobody)."""

    id: str
    title: str
    terms: Terms
    offer: Offer
    one_in: int = 0
    note: str = ""


COUPONS = (
    DemoCoupon(
        "TDEMO100OFF20",
        "满100减20",
        Terms(
            kind=CouponKind.CASH,
            face_fen=2_000,
            min_spend_fen=10_000,
            validity=Validity(days=30),
            stacking=Stacking.ONE_OF_GROUP,
            group="threshold",
            refund=RefundPolicy.RETURN,
        ),
        Offer(claim_by=ClaimBy.CENTRE, total=5_000, per_member=2, sort=1),
        one_in=5,
    ),
    DemoCoupon(
        "TDEMO90PERCENT",
        "鲜食水果9折券",
        Terms(
            kind=CouponKind.PERCENT,
            rate_bp=1_000,
            cap_fen=3_000,
            validity=Validity(days=14),
            scope=Scope(categories=("fruit", "fresh")),
            stacking=Stacking.JOINT,
            max_together=3,
        ),
        Offer(claim_by=ClaimBy.CENTRE, total=2_000, per_member=1, sort=2),
        one_in=9,
        note="适用于水果、鲜食便当",
    ),
    DemoCoupon(
        "TDEMOFREETEA",
        "生日茶饮兑换券",
        Terms(
            kind=CouponKind.EXCHANGE,
            pieces=1,
            validity=Validity(days=15),
            scope=Scope(channels=(Channel.POS,), categories=("tea",)),
            stacking=Stacking.JOINT,
            transferable=True,
        ),
        Offer(per_member=None, triggers=(Trigger(Occurrence.BIRTHDAY),), sort=3),
        one_in=7,
        note="任选一瓶茶饮，到店兑换",
    ),
    DemoCoupon(
        "TDEMOFREESHIP",
        "免运费券",
        Terms(
            kind=CouponKind.SHIPPING,
            min_spend_fen=3_900,
            validity=Validity(days=60),
            scope=Scope(channels=(Channel.MALL,)),
            stacking=Stacking.JOINT,
        ),
        Offer(claim_by=ClaimBy.CENTRE, per_member=3, sort=4),
    ),
    DemoCoupon(
        "TDEMOWELCOME",
        "新人礼金50元",
        Terms(
            kind=CouponKind.CASH,
            face_fen=5_000,
            partial_use=True,
            validity=Validity(days=90),
            stacking=Stacking.JOINT,
            refund=RefundPolicy.SPLIT,
        ),
        Offer(per_member=1, triggers=(Trigger(Occurrence.REGISTRATION),), sort=5),
        one_in=11,
    ),
)

HEAD_OFFICE = 0
"""The staff id of what no person did."""


async def load_templates(now: datetime) -> None:
    """Make the five templates and let them run."""
    async with db.transaction() as tx:
        for item in COUPONS:
            await service.create_template(
                tx, item.id, item.title, item.terms, item.offer, note=item.note, staff_id=HEAD_OFFICE, now=now
            )
        await db.raw(tx).execute("UPDATE coupon_template SET state = 'active'")


async def hand_out(member_ids: Sequence[int]) -> int:
    """Give some of the members what they hold from the beginning; returns how many coupons it were."""
    given = 0
    for item in COUPONS:
        chosen = [member_ids[n] for n in range(len(member_ids)) if item.one_in and n % item.one_in == 0]
        for start in range(0, len(chosen), service.AT_ONCE):
            wishes = [_wish(item.id, member_id) for member_id in chosen[start : start + service.AT_ONCE]]
            async with db.transaction() as tx:
                outcomes = await service.issue(tx, item.id, wishes)
            given += sum(isinstance(outcome, service.Issued) for outcome in outcomes)
    return given


def _wish(template_id: str, member_id: int) -> Wish:
    return Wish(
        member_id=member_id,
        coupon_id=service.new_coupon_id(member_id),
        source="staff:demo",
        scope="coupon_demo",
        key=f"{template_id}:{member_id}",
        hash=job_hash("demo", template_id, member_id),
    )
