"""One document of stock in many hands at once: one of them moves it on, the others are told, and goods move once."""

from __future__ import annotations

from uuid import uuid4

import pytest
import pytest_asyncio

from backend.kernel import db
from backend.stock import queries
from tests.support.races import at_once, outcomes
from tests.support.staff import log_in
from tests.support.value import findings

DOCUMENTS = "/v1/admin/stock/documents"
HANDS = 8


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def supplier(chain) -> str:
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO mall_supplier (code, name, contact, phone, note, active)"
            " VALUES ('SUP', '华东', '', '', '', true)"
        )
    return "SUP"


@pytest_asyncio.fixture(loop_scope="session")
async def people(client, chain, supplier):
    """Two of head office's, and the managers of two stores."""
    return {name: await log_in(client, chain, name) for name in ("admin", "manager-S1", "manager-S2")}


async def entered(people, kind: str, qty: int, **more) -> dict:
    lines = [{"sku": sku, "qty": qty, "unit_fen": 50} for sku in ("6901", "6902")]
    body = {"kind": kind, "place_id": "S1", "lines": lines} | more
    answer = await people["manager-S1"].post(DOCUMENTS, body, key=uuid4().hex)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(by, document: dict, action: str, **more) -> dict:
    now = (await by.get(f"{DOCUMENTS}/{document['id']}")).json()
    body = {"action": action, "version": now["version"]} | more
    answer = await by.post(f"{DOCUMENTS}/{document['id']}/actions", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def race(people, hands: tuple[str, ...], document: dict, action: str, **more) -> dict[object, int]:
    """All of them at the version that all of them saw."""
    now = (await people["admin"].get(f"{DOCUMENTS}/{document['id']}")).json()
    body = {"action": action, "version": now["version"]} | more
    path = f"{DOCUMENTS}/{document['id']}/actions"
    return outcomes(await at_once(people[hands[n % len(hands)]].post(path, body) for n in range(HANDS)))


async def shelf(place: str = "S1") -> tuple[int, int]:
    levels = [await queries.find_level(place, sku) for sku in ("6901", "6902")]
    return levels[0].on_hand if levels[0] else 0, levels[1].on_hand if levels[1] else 0


ONE = {200: 1, "stale": HANDS - 1}
ALL = {"lines": [{"line_no": 1, "qty": 3}, {"line_no": 2, "qty": 3}]}


async def test_a_purchase_order_is_approved_once_and_received_once(people, supplier, settings):
    order = await entered(people, "purchase_order", 5, supplier_id=supplier)
    submitted = await race(people, ("admin", "manager-S1"), order, "submit")
    approved = await race(people, ("admin", "manager-S1"), order, "approve")
    before = await shelf()
    received = await race(people, ("admin", "manager-S1"), order, "receive", **ALL)

    assert (submitted, approved, received) == (ONE, ONE, ONE)
    assert await shelf() == (before[0] + 3, before[1] + 3)
    assert await db.fetchval("SELECT count(*) FROM stock_document WHERE about = $1", order["id"]) == 1
    rest = {"lines": [{"line_no": 1, "qty": 2}, {"line_no": 2, "qty": 2}]}
    assert await race(people, ("admin", "manager-S1"), order, "receive", **rest) == ONE
    owed = (await people["admin"].get("/v1/admin/stock/payables")).json()["items"]
    assert [(one["supplier_id"], one["received_fen"]) for one in owed] == [(supplier, 500)]
    assert await findings(settings) == []


async def test_approving_and_calling_off_do_not_both_happen(people, settings):
    paper = await entered(people, "receipt", 4)
    await act(people["manager-S1"], paper, "submit")
    now = (await people["admin"].get(f"{DOCUMENTS}/{paper['id']}")).json()
    before = await shelf()

    answers = await at_once(
        people["admin"].post(f"{DOCUMENTS}/{paper['id']}/actions", {"action": action, "version": now["version"]})
        for action in ("approve", "cancel", "reject") * 3
    )

    assert outcomes(answers) == {200: 1, "stale": 8}
    assert await shelf() == before
    assert await findings(settings) == []


@pytest.mark.parametrize("kind", ["receipt", "wholesale", "purchase_return"])
async def test_a_paper_is_posted_once(people, supplier, settings, kind):
    first = await entered(people, "receipt", 9)
    for action in ("submit", "approve", "post"):
        await act(people["admin"], first, action)
    paper = await entered(people, kind, 4, **({"supplier_id": supplier} if kind == "purchase_return" else {}))
    for action in ("submit", "approve"):
        await act(people["admin"], paper, action)
    before = await shelf()

    assert await race(people, ("admin", "manager-S1"), paper, "post") == ONE

    moved = 4 if kind == "receipt" else -4
    assert await shelf() == (before[0] + moved, before[1] + moved)
    assert await findings(settings) == []


async def test_a_transfer_leaves_once_and_comes_once(people, settings):
    first = await entered(people, "receipt", 9)
    for action in ("submit", "approve", "post"):
        await act(people["admin"], first, action)
    transfer = await entered(people, "transfer", 4, other_place_id="S2")
    before, there = await shelf(), await shelf("S2")

    assert await race(people, ("admin", "manager-S1"), transfer, "ship") == ONE
    assert await shelf() == (before[0] - 4, before[1] - 4)
    assert await race(people, ("admin", "manager-S2"), transfer, "receive", **ALL) == ONE

    assert await shelf("S2") == (there[0] + 3, there[1] + 3)
    assert await findings(settings) == []


async def test_of_many_counts_of_a_place_one_begins_and_is_posted_once(people, settings):
    manager = people["manager-S2"]
    began = await at_once(
        manager.post("/v1/admin/stock/stocktakes", {"place_id": "S2", "skus": ["6901"]}) for _ in range(HANDS)
    )
    (count,) = [answer.json() for answer in began if answer.status_code == 201]
    counts = f"{DOCUMENTS}/{count['id']}/counts"
    counted = await at_once(manager.post(counts, {"items": [{"sku": "6901", "qty": 7}]}) for _ in range(HANDS))
    for action in ("submit", "approve"):
        await act(people["admin"], count, action)

    assert outcomes(began) == {201: 1, "stocktake_open": HANDS - 1}
    assert {answer.status_code for answer in counted} == {200}
    assert await race(people, ("admin", "manager-S2"), count, "post") == ONE
    assert (await shelf("S2"))[0] == 7
    assert await findings(settings) == []


async def test_a_document_that_many_hands_enter_with_one_key_is_one(people, settings):
    lines = [{"sku": "6901", "qty": 1, "unit_fen": 1}]
    body, key = {"kind": "receipt", "place_id": "S1", "lines": lines}, uuid4().hex
    entered = await at_once(people["manager-S1"].post(DOCUMENTS, body, key=key) for _ in range(HANDS))

    assert {answer.status_code for answer in entered} == {201}
    assert len({answer.json()["id"] for answer in entered}) == 1
    assert sum(answer.headers.get("idempotency-replayed") == "true" for answer in entered) == HANDS - 1
    assert await db.fetchval("SELECT count(*) FROM stock_document WHERE key LIKE '%/' || $1", key) == 1
