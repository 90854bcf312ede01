"""The gift catalogue as a neighbourhood shop has it, and what some members redeemed and what became of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from hashlib import sha256

from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.gifts.codes import code_of
from backend.gifts.commands import catalogue, ending, handing, redeeming
from backend.gifts.schemas import GiftIn, RedeemIn
from backend.gifts.types import Gift, GiftKind, Redemption, ReturnReason, Way
from backend.kernel import db
from backend.kernel.errors import DomainError
from backend.kernel.http import Idempotency
from backend.ledger import queries as ledger
from backend.ledger.plans import POINTS

STORES = ("S001", "S002", "S003")
COUPON = "TDEMO100OFF20"

# An article that every store has is asked for by its place in the list of those in stock.
OFFERED = (
    GiftIn(kind=GiftKind.STORED, title="5 元余额", points=500, stored_fen=500, stored_days=30, per_member=2, sort=1),
    GiftIn(kind=GiftKind.COUPON, title="满 100 减 20 券", points=300, template_id=COUPON, per_member=3, sort=2),
)
GOODS = (
    ("到店礼一份", 80, 0, 3, "凭领取码到店领取，七天内有效"),
    ("加价换购", 60, 200, 4, "积分加 2 元，用储值支付"),
    ("限量好礼", 150, 0, 5, "每天 20 份，兑完为止"),
)
REDEEMED = 12
"""Members who redeem something, one after the other; what becomes of it goes round."""


async def load() -> None:
    """Publish the gifts, and let members who have the points redeem some."""
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'")
    gifts = [await _publish(body, staff_id) for body in [*OFFERED, *await _goods()]]
    draft = gifts[-1]
    await catalogue.create_gift(
        GiftIn(kind=GiftKind.GOODS, title="新年礼盒（筹备中）", points=2_000, sku=draft.sku, pickup=True), staff_id
    )
    rows = await db.fetch("SELECT id FROM member WHERE status = 'active' ORDER BY created_at, id LIMIT 300")
    await _redeem([row["id"] for row in rows], gifts[2:3] + gifts[:2] + gifts[4:5], staff_id)


async def _goods() -> list[GiftIn]:
    rows = await db.fetch(
        "SELECT sku FROM stock_level WHERE on_hand - reserved > 20 GROUP BY sku HAVING count(*) >= $1"
        " ORDER BY sku LIMIT 20",
        len(STORES),
    )
    skus = [row["sku"] for row in rows]
    return [
        GiftIn(
            kind=GiftKind.GOODS,
            title=title,
            note=note,
            points=points,
            pay_fen=pay_fen,
            sku=skus[at % len(skus)],
            pickup=True,
            ship_from=STORES[0],
            per_member=5,
            day_total=20 if title == "限量好礼" else None,
            sort=at,
        )
        for title, points, pay_fen, at, note in GOODS
    ]


async def _publish(body: GiftIn, staff_id: int) -> Gift:
    made = await catalogue.create_gift(body, staff_id)
    return await catalogue.move_gift(made.id, "publish", staff_id)


async def _redeem(member_ids: Sequence[int], gifts: Sequence[Gift], staff_id: int) -> None:
    turns, done = itertools.cycle(gifts), 0
    gift = next(turns)
    for member_id in member_ids:
        if done == REDEEMED:
            break
        if (await ledger.get_balances(member_id)).get(POINTS, 0) < gift.points:
            continue
        store_id = STORES[done % len(STORES)] if gift.kind is GiftKind.GOODS else None
        body = RedeemIn(gift_id=gift.id, way=Way.PICKUP if store_id else None, store_id=store_id)
        key = Idempotency(f"demo-gift-{member_id}", sha256(gift.id.encode()).digest())
        try:
            made = (await redeeming.redeem(body, _member(member_id), key)).value
        except DomainError:  # owes points, or has had as many of the coupon as one may
            continue
        if gift.kind is GiftKind.GOODS:
            await _go_on(made, done, staff_id)
        gift, done = next(turns), done + 1


async def _go_on(made: Redemption, number: int, staff_id: int) -> None:
    """Some were fetched, one was brought back, one was given up; the others wait."""
    caller = _staff(staff_id)
    match number // 4 % 3:
        case 0:
            await handing.hand_over_by_staff(made.id, code_of(made.id), caller)
            if number == 0:
                await ending.take_back(made.id, ReturnReason.DAMAGED, "包装破损，已换券补偿", True, caller)
        case 1:
            await ending.cancel_own(made.id, _member(made.member_id))
        case _:
            pass


def _member(member_id: int) -> MemberCaller:
    return MemberCaller(
        session_id=0, member_id=member_id, openid="", token_expires_at=0, rate_key="", rate_per_minute=0
    )


def _staff(staff_id: int) -> StaffCaller:
    return StaffCaller(
        staff_id=staff_id,
        session_id=0,
        role="admin",
        store_id=None,
        permissions=frozenset(Permission),
        rate_key="",
        rate_per_minute=0,
    )
