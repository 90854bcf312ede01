"""The demo's orders, in a chain without the two thousand."""

from __future__ import annotations

from collections import Counter

from backend.demo import mall as demo_mall
from backend.demo import orders, stock
from backend.demo.load import STORES, _load_chain
from backend.kernel import clock, db
from backend.mall import queries as mall
from backend.members import service as members
from backend.members.types import NewMember, Status
from backend.orders import queries
from backend.orders.rules import delivery
from tests.support.value import findings, give

PHONES = ("13800001111", "13800002222")
SENT = {"330106": "杭州同城", "320106": "江浙沪", "440305": "全国", "540102": "西北、内蒙古、西藏", "810001": None}
"""By which rule the store in Hangzhou sends to a region."""


async def test_two_members_have_orders_at_every_step_and_the_books_balance(settings, database):
    await _load_chain()
    store_ids = [store.id for store in STORES]
    async with db.transaction() as tx:
        await demo_mall.load(tx, store_ids, clock.now())
    mall.forget_offers()
    mall.forget_classes()
    await stock.fill(store_ids, clock.now())
    ids = [await _member(phone, fen) for phone, fen in zip(PHONES, (60_000, 50_000), strict=True)]

    await orders.load_rules()
    await orders.load_spots()
    await orders.load_orders()

    mine, theirs = [await queries.list_orders(one, None, before=None, limit=10) for one in ids]
    assert Counter(one.state for one in mine) == Counter(
        ["received", "received", "shipped", "ready_for_pickup", "awaiting_payment"]
    )
    assert [(one.state, one.spot_name) for one in theirs] == [("paid", "A1"), ("paid", None)]
    assert [one["phone"] for one in await orders.told()] == list(PHONES)
    assert await findings(settings) == []
    rules = await queries.list_delivery_rules()
    assert {code: rule and rule.title for code in SENT for rule in [delivery.find_rule(rules, "S003", code)]} == SENT


async def _member(phone: str, fen: int) -> int:
    async with db.transaction() as tx:
        member_id = await members.create_member(tx, NewMember(phone=phone, name="周小敏", status=Status.ACTIVE))
    assert member_id is not None
    await give(member_id, principal=fen)
    return member_id
