"""What members bought is counted once, whatever is told how often and in what order."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest_asyncio

from backend.audience import queries, service
from backend.audience.commands import purchases
from backend.audience.types import Audience, Bought
from backend.kernel import clock as kernel_clock
from backend.kernel import db, events, outbox
from backend.ledger.events import SaleCompleted, SaleRefunded
from tests.support.coupons import log_in_again
from tests.support.mall import checkout, open_mall, order, put
from tests.support.members import register
from tests.support.races import codes_of
from tests.support.value import give


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def mall(database, chain):
    await open_mall("S1", "S2")
    await put("S1", "6902", 100, 500)


async def sell(client, till, phone, *lines) -> str:
    (code,) = await codes_of(phone, 1)
    wanted = [{"sku": sku, "qty": qty, "unit_price_fen": 500} for sku, qty in lines]
    answer = await till.sell(client, code, lines=wanted, tenders=[{"type": "cash"}])
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def refund(client, till, sale_id, **what) -> str:
    answer = await till.post(client, f"/v1/pos/sales/{sale_id}/refunds", {"reason": "x"} | what)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def counted() -> int:
    await outbox.drain()
    return await purchases.count_due()


def today():
    return kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")


async def test_sales_and_what_came_back_of_them_are_counted_by_article(client, chain, phone, books):
    who = phone.member_id
    first = await sell(client, chain.till, phone, ("6901", 3), ("6902", 1), ("till-only", 2), ("6901", 1))
    await sell(client, chain.till, phone, ("6901", 2))

    before, told, after = await queries.favourites(who, 9), await counted(), await queries.favourites(who, 9)
    await refund(client, chain.till, first, lines=[{"line_no": 1, "qty": 3}, {"line_no": 2, "qty": 1}])
    await counted()
    rest = await queries.favourites(who, 9)
    await refund(client, chain.till, first, lines=[{"line_no": 4, "qty": 1}])
    await counted()

    on = today()
    assert (before, told) == ([], 2)
    assert after == [Bought("6901", 6, 2, on), Bought("till-only", 2, 1, on), Bought("6902", 1, 1, on)]
    assert rest == [Bought("6901", 3, 2, on), Bought("till-only", 2, 1, on)]
    assert await queries.favourites(who, 9) == [Bought("6901", 2, 1, on), Bought("till-only", 2, 1, on)]
    assert await queries.favourites(who, 1) == [Bought("6901", 2, 1, on)]


async def test_orders_of_the_mall_are_counted_once_they_are_paid(client, chain, phone, books):
    who = phone.member_id
    await give(who, principal=10_000)
    placed = await order(phone, checkout(a6902=2), 2500)
    assert placed.status_code == 201, placed.text
    (paid,) = placed.json()["orders"]
    await counted()
    bought = await queries.favourites(who, 9)

    cancelled = await phone.call("POST", f"/v1/member/orders/{paid['id']}/cancel")
    await counted()

    assert cancelled.status_code == 200, cancelled.text
    assert bought == [Bought("6902", 2, 1, today())]
    assert await queries.favourites(who, 9) == []


async def service_note(member_id: int, sale_id: str) -> None:
    async with db.transaction() as tx:
        await service.note(tx, member_id, sale_id)


async def test_what_is_told_twice_or_in_another_order_counts_once(client, chain, phone, books):
    who = phone.member_id
    sale_id = await sell(client, chain.till, phone, ("6902", 4))
    refund_id = await refund(client, chain.till, sale_id, lines=[{"line_no": 1, "qty": 1}])
    async with db.transaction() as tx:  # the refund is told of first, and everything three times
        for _ in range(3):
            told = SaleRefunded(member_id=who, sale_id=sale_id, refund_id=refund_id, refund_fen=500)
            await events.handlers_of("SaleRefunded")[0](told, tx)
            await service.note(tx, who, sale_id)
    await counted()
    once = await queries.favourites(who, 9)
    sold = SaleCompleted(member_id=who, sale_id=sale_id, store_id="S1", payable_fen=2000)
    for _ in range(2):
        async with db.transaction() as tx:
            await events.publish(tx, sold)
        await counted()

    assert once == [Bought("6902", 3, 1, today())]
    assert await queries.favourites(who, 9) == once


async def test_the_last_day_goes_back_when_the_last_purchase_does(client, chain, phone, books, clock):
    who = phone.member_id
    await sell(client, chain.till, phone, ("6902", 1))
    on = today()
    clock.shift(timedelta(days=40))
    await log_in_again(phone)
    later = await sell(client, chain.till, phone, ("6902", 5))
    await counted()
    bought = await queries.favourites(who, 9)
    recent = await queries.includes(Audience(bought_skus=("6902",), bought_within_days=30), who)

    await refund(client, chain.till, later, amount_fen=2500)
    await counted()

    assert bought == [Bought("6902", 6, 2, on + timedelta(days=40))]
    assert recent
    assert await queries.favourites(who, 9) == [Bought("6902", 1, 1, on)]
    assert not await queries.includes(Audience(bought_skus=("6902",), bought_within_days=30), who)
    assert await queries.includes(Audience(bought_skus=("6902",), bought_within_days=40), who)


async def test_two_who_count_at_once_count_once(client, chain, phone, books):
    for qty in (1, 2, 3):
        await sell(client, chain.till, phone, ("6903", qty))
    await outbox.drain()

    told = await asyncio.gather(*(purchases.count_due() for _ in range(4)))

    assert sum(told) == 3
    assert await queries.favourites(phone.member_id, 9) == [Bought("6903", 6, 3, today())]


async def test_what_was_sold_before_anybody_counted_is_counted_from_where_it_was_cut_short(
    client, chain, office, monkeypatch, books
):
    monkeypatch.setattr(purchases, "AT_ONCE", 2)
    monkeypatch.setattr(purchases, "ROUNDS", 2)
    phones = [await register(office) for _ in range(3)]
    for phone in phones:
        for _ in range(2):
            await sell(client, chain.till, phone, ("6901", 1))
        await sell(client, chain.till, phone, ("6902", 1))
    monkeypatch.undo()
    await counted()
    wanted = await all_bought()
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM audience_sale; DELETE FROM audience_bought")
    await begin_again()
    monkeypatch.setattr(purchases, "AT_ONCE", 2)
    monkeypatch.setattr(purchases, "ROUNDS", 2)

    runs = [await purchases.look_back()]
    partly = await all_bought()
    while runs[-1]:
        runs.append(await purchases.look_back())
    whole = await all_bought()
    await begin_again()
    monkeypatch.undo()
    again = await purchases.look_back()

    assert runs[0] == 4
    assert partly != wanted
    assert whole == wanted
    assert again == sum(runs)
    assert await all_bought() == wanted


async def begin_again() -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE audience_backfill SET member_id = 0, document_id = '', done = false")


async def all_bought() -> list[tuple]:
    return [tuple(row) for row in await db.fetch("SELECT * FROM audience_bought ORDER BY member_id, sku")]


async def test_a_sale_that_is_not_there_counts_nothing(phone):
    await service_note(phone.member_id, f"S-{uuid.uuid4().hex[:8]}")

    assert await purchases.count_due() == 1
    assert await queries.favourites(phone.member_id, 9) == []
