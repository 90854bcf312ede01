"""Lists of orders, the member's, the store's and what waits at its tables: what they say, and how often they read."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from backend.kernel import db
from tests.orders.test_after_sales import ask, step
from tests.support.coupons import VALUE, give_coupon
from tests.support.mall import checkout, order, put
from tests.support.members import Phone, register
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"
OFF_500 = {"kind": "cash", "face_fen": 500, "min_spend_fen": 2_000, "validity": {"days": 3}}


@pytest_asyncio.fixture(loop_scope="session")
async def table(admin) -> str:
    """What the code of a table says."""
    made = await admin.post("/v1/admin/mall/spots", {"store_id": "S1", "kind": "table", "name": "A12"})
    assert made.status_code == 201, made.text
    return made.json()["code"]


async def buy(phone: Phone, qty: int, coupon_ids: tuple[str, ...] = (), **delivery: str) -> str:
    body = checkout(coupon_ids=coupon_ids, a6902=qty)
    if delivery:
        body["orders"][0]["delivery"] = delivery
    placed = await order(phone, body, 1_250 * qty)
    assert placed.status_code == 201, placed.text
    return placed.json()["checkout_id"]


async def test_a_list_shows_what_coupons_left_to_pay(admin, manager, phone):
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    plain = await buy(phone, 1)
    reduced = await buy(phone, 2, (await give_coupon(admin, phone, OFF_500),))
    free = await buy(phone, 3, (await give_coupon(admin, phone, VALUE),))

    mine = (await phone.call("GET", "/v1/member/orders")).json()["items"]
    theirs = (await manager.get("/v1/admin/orders")).json()["items"]

    for listed in (mine, theirs):
        shown = [(one["id"], one["payable_fen"], one["due_fen"]) for one in listed]
        assert shown == [(free, 3_750, 0), (reduced, 2_500, 2_000), (plain, 1_250, 1_250)]


async def test_a_list_of_many_reads_as_often_as_a_list_of_one(client, chain, manager, phone, table, monkeypatch):
    """Of several members, with what each asked back; the lines of each are its own, those that wait longest first."""
    till, other = chain.tills["S1"][0], await register(client)
    for member in (phone, other):
        await give(member.member_id, principal=50_000)
    await put("S1", APPLE, 30, 22_503)
    asked: list[str] = []
    read = db._read

    async def counted(method: str, sql: str, args: Any) -> Any:
        asked.append(sql)
        return await read(method, sql, args)

    monkeypatch.setattr(db, "_read", counted)

    async def look() -> tuple[list[Any], list[int]]:
        answers, counts = [], []
        for get in (
            lambda: till.get(client, "/v1/pos/spot-orders"),
            lambda: manager.get("/v1/admin/orders?status=paid"),
            lambda: phone.call("GET", "/v1/member/orders?status=paid"),
        ):
            asked.clear()
            answer = await get()
            assert answer.status_code == 200, answer.text
            answers.append(answer.json()["items"])
            counts.append(len(asked))
        return answers, counts

    at_table = {"kind": "spot", "spot_code": table}
    first = await buy(phone, 4, **at_table)
    await look()  # what a process keeps in mind is known
    _, once = await look()
    second, third = await buy(other, 2, **at_table), await buy(phone, 3, **at_table)
    refund = (await ask(phone, first, "refund", qty=1)).json()
    await step(manager, refund["id"], "approve")
    (waiting, of_store, own), again = await look()

    assert again == once
    assert [(one["order_id"], one["lines"][0]["qty"]) for one in waiting] == [(first, 3), (second, 2), (third, 3)]
    wanted = [(third, 3, 0), (second, 2, 0), (first, 4, 1_250)]
    assert [(one["id"], one["lines"][0]["qty"], one["refunded_fen"]) for one in of_store][:3] == wanted
    assert [one["id"] for one in own][:2] == [third, first]
