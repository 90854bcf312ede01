"""What tills sell leaves the shelf of their store, and what is refunded comes back: once, whatever comes twice."""

from __future__ import annotations

import httpx
import pytest
import pytest_asyncio

from backend.kernel import clock, db, outbox
from backend.stock import queries, service
from backend.stock.commands import alerts, till_sales
from backend.stock.types import MovementKind, Receipt
from backend.worker import load
from tests.support.members import Phone, register
from tests.support.races import codes_of
from tests.support.seed import Chain, seed_chain
from tests.support.staff import log_in
from tests.support.value import findings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    """Stores of which the first keeps stock of two articles: three of 6901 and nothing of 6902."""
    load()
    made = await seed_chain(server.base_url)
    async with db.transaction() as tx:
        receipts = [Receipt("S1", "6901", 3, 100), Receipt("S1", "6902", 1, 700)]
        await service.receive(tx, MovementKind.RECEIPT, "R1", receipts, at=clock.now(), staff_id=None)
        step = service.Step(0, "take", "R2", "S1", "6902", 1, MovementKind.PURCHASE_RETURN)
        await service.post(tx, [step], at=clock.now())
    queries.forget_places()
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def phone(client, chain) -> Phone:
    return await register(client)


async def sell(client: httpx.AsyncClient, till, phone: Phone, **pieces: int) -> dict:
    """A sale of these articles; 6901 in two lines."""
    (code,) = await codes_of(phone, 1)
    lines = [{"sku": sku.strip("_"), "qty": qty, "unit_price_fen": 500} for sku, qty in pieces.items()]
    answer = await till.sell(client, code, lines=lines, tenders=[{"type": "cash"}])
    assert answer.status_code == 201, answer.text
    return answer.json()


async def moved() -> int:
    await outbox.drain()
    return await till_sales.move_due()


async def books(sku: str) -> tuple[int, int, int]:
    level = await queries.find_level("S1", sku)
    assert level is not None
    return level.on_hand, level.short, level.value_fen


async def test_a_sale_and_its_refunds_move_the_shelf_once(client, chain, phone, settings):
    sale = await sell(client, chain.till, phone, _6901=2, _6902=2, _6903=1)
    await sell(client, chain.tills["S2"][0], phone, _6901=2)

    assert await moved() == 1
    assert (await books("6901"), await books("6902")) == ((1, 0, 34), (0, 2, 0))
    assert await queries.find_level("S1", "6903") is None

    async with db.transaction() as tx:
        await service.note_due(tx, phone.member_id, sale["id"], "")
    assert await moved() == 1
    assert (await books("6901"), await books("6902")) == ((1, 0, 34), (0, 2, 0))

    path = f"/v1/pos/sales/{sale['id']}/refunds"
    for line_no, qty in ((1, 1), (2, 1)):
        body = {"lines": [{"line_no": line_no, "qty": qty}], "reason": "x"}
        answer = await chain.till.post(client, path, body)
        assert answer.status_code == 201, answer.text
    assert await moved() == 2
    assert (await books("6901"), await books("6902")) == ((2, 0, 67), (0, 1, 0))

    rest = {"lines": [{"line_no": n, "qty": 1} for n in (1, 2, 3)], "reason": "x"}
    assert (await chain.till.post(client, path, rest)).status_code == 201
    async with db.transaction() as tx:
        await service.note_due(tx, phone.member_id, sale["id"], "Xagain")
    assert await moved() == 2
    assert (await books("6901"), await books("6902")) == ((3, 0, 100), (0, 0, 0))
    assert await findings(settings) == []


async def test_a_refund_that_comes_before_its_sale_has_moved_waits_for_it(client, chain, phone, settings):
    sale = await sell(client, chain.till, phone, _6901=1)
    answer = await chain.till.post(
        client, f"/v1/pos/sales/{sale['id']}/refunds", {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}
    )
    assert answer.status_code == 201

    assert await moved() == 2

    kinds = [line.kind for line in await queries.list_movements("S1", "6901", limit=2)]
    assert kinds == ["sale_return", "sale"]
    assert await books("6901") == (3, 0, 100)
    assert await findings(settings) == []


async def test_what_tills_sold_too_many_is_told_and_healed_by_the_receipt(client, chain, phone, settings):
    """Nobody at the till waits: the goods are in the customer's hand, and their paper comes later."""
    manager = await log_in(client, chain, "manager-S1")
    alerts_of = "/v1/admin/stock/alerts?kind=short"
    had, short, _ = await books("6901")
    assert short == 0
    for qty in (had + 2, 1):
        await sell(client, chain.till, phone, _6901=qty)
        assert await moved() == 1
    (told,) = [one for one in (await manager.get(alerts_of)).json()["items"] if one["sku"] == "6901"]
    without = await books("6901")

    async with db.transaction() as tx:
        receipts = [Receipt("S1", "6901", 5, 101)]
        await service.receive(tx, MovementKind.RECEIPT, "R-late", receipts, at=clock.now(), staff_id=None)
    healed = await books("6901")
    closed = [await alerts.close_over() for _ in range(2)]

    assert (told["sku"], told["qty"], without) == ("6901", 3, (0, 3, 0))
    assert healed == (2, 0, 101 - 101 * 3 // 5)
    late, receipt = await queries.list_movements("S1", "6901", limit=2)
    assert (receipt.kind, receipt.qty, receipt.cost_fen) == ("receipt", 5, 101)
    assert (late.kind, late.qty, late.short, late.cost_fen, late.document_id) == ("shortage", -3, -3, -60, "R-late")
    assert closed in ([1, 0], [2, 0])  # also what another test had short
    assert (await manager.get(alerts_of)).json()["items"] == []
    over = (await manager.get(f"{alerts_of}&state=all")).json()["items"][0]
    assert (over["id"], over["closed_by"], over["closed_at"] is not None) == (told["id"], None, True)
    assert await findings(settings) == []


async def test_what_cannot_be_read_stays_and_holds_none_up(client, chain, phone, settings):
    async with db.transaction() as tx:
        await service.note_due(tx, phone.member_id, "A-no-such-sale", "")
    await sell(client, chain.till, phone, _6901=1)

    assert await moved() == 1

    assert (await queries.list_movements("S1", "6901", limit=1))[0].kind == "sale"
    assert await db.fetchval("SELECT count(*) FROM stock_due") == 1
    assert await findings(settings) == []


@pytest.mark.parametrize("known", [frozenset(), frozenset({"S2"})])
async def test_where_no_stock_is_kept_nothing_is_noted(client, chain, phone, monkeypatch, known):
    async def places() -> frozenset[str]:
        return known

    monkeypatch.setattr(queries, "places_with_stock", places)
    before = await db.fetchval("SELECT count(*) FROM stock_due")
    await sell(client, chain.till, phone, _6901=1)
    await outbox.drain()

    assert await db.fetchval("SELECT count(*) FROM stock_due") == before
