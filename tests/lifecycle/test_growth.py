"""Without rules: levels are reached by growth, once per sale, and never lost."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import db, events
from backend.kernel.events import Event
from backend.ledger.events import SaleCompleted, SaleRefunded
from backend.lifecycle import handlers
from backend.members import queries
from tests.support.levels import history, levels  # noqa: F401 - a fixture
from tests.support.members import register

pytestmark = pytest.mark.usefixtures("levels")


async def tell(event: Event) -> None:
    async with db.transaction() as tx:
        for handler in events.handlers_of(type(event).__name__):
            await handler(event, tx)


async def grow(member_id: int, source: str, fen: int) -> None:
    await tell(SaleCompleted(member_id=member_id, sale_id=source, store_id="S1", payable_fen=fen))


async def test_growth_reaches_the_highest_level_it_has_earned(client):
    phone = await register(client)
    reached = []

    for source, fen in (("sale-1", 9_999), ("sale-2", 1), ("sale-3", 90_000)):
        await grow(phone.member_id, source, fen)
        reached.append((await queries.get_member(phone.member_id)).level.code)

    assert reached == ["basic", "silver", "gold"]
    assert (await phone.call("GET", "/v1/member/profile")).json()["level"] == {
        "code": "gold",
        "name": "金卡",
        "discount_bp": 500,
    }
    assert await history(phone) == [("promoted", "basic", "silver"), ("promoted", "silver", "gold")]


async def test_a_sale_counts_once_however_often_it_is_told(client):
    phone = await register(client)

    await asyncio.gather(*(asyncio.create_task(grow(phone.member_id, "same", 6_000)) for _ in range(4)))

    member = await queries.get_member(phone.member_id)
    assert (member.growth_fen, member.level.code) == (6_000, "basic")


async def test_a_refund_takes_growth_but_not_the_level(client):
    phone = await register(client)
    sale = SaleCompleted(member_id=phone.member_id, sale_id="s", store_id="S1", payable_fen=60_000)
    refund = SaleRefunded(member_id=phone.member_id, sale_id="s", refund_id="r", refund_fen=59_000)

    for event in (sale, refund, refund):
        await tell(event)

    member = await queries.get_member(phone.member_id)
    assert (member.growth_fen, member.level.code) == (1_000, "gold")


async def test_what_coupons_paid_is_no_growth_and_its_return_no_loss(client):
    phone = await register(client)
    sale = SaleCompleted(member_id=phone.member_id, sale_id="s", store_id="S1", payable_fen=6_000, coupon_fen=2_000)
    refund = SaleRefunded(member_id=phone.member_id, sale_id="s", refund_id="r", refund_fen=1_500, coupon_fen=500)

    for event, growth in ((sale, 4_000), (refund, 3_000)):
        await tell(event)
        assert (await queries.get_member(phone.member_id)).growth_fen == growth


def test_levels_hear_of_sales():
    assert handlers.grow in events.handlers_of("SaleCompleted")
    assert handlers.shrink in events.handlers_of("SaleRefunded")
