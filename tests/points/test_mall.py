"""Rules in the mall: an order earns by them when it is placed, and a checkout of two stores shares a day's most."""

from __future__ import annotations

import pytest
import pytest_asyncio

from backend.ledger import queries as ledger
from tests.points.test_sales import DOUBLE, make
from tests.support.mall import checkout, open_mall, order, put
from tests.support.value import give

APPLE = "6902"
pytestmark = pytest.mark.usefixtures("books")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def mall(chain) -> None:
    await open_mall("S1", "S2")


async def bought(phone, *stores):
    body = {"orders": [], "tenders": [{"type": "stored"}]}
    for store in stores:
        (one,) = checkout(a6902=2)["orders"]
        body["orders"].append(one | {"store_id": store})
    quoted = (await phone.call("POST", "/v1/member/orders/quote", body)).json()
    placed = await order(phone, body, quoted["payable_fen"])
    assert placed.status_code == 201, placed.text
    for one in quoted["orders"]:
        assert one["points_earned"] == sum(line["points"] for line in one["earned"])
    return [one["points_earned"] for one in quoted["orders"]], placed.json()["orders"]


async def test_a_quote_says_which_rules_give_each_line_its_points(chain, admin, phone):
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    rule = await make(admin, DOUBLE)

    quoted = (await phone.call("POST", "/v1/member/orders/quote", checkout(a6902=2))).json()["orders"][0]

    (line,) = quoted["earned"]
    assert (line["points"], line["base"]) == (100, {"id": None, "version": None, "title": "基础积分", "points": 50})
    assert line["promotions"] == [{"id": rule["id"], "version": 1, "title": "双倍日", "points": 50}]


async def test_an_order_earns_by_the_rules_and_takes_of_the_days_most_with_its_siblings(chain, admin, phone):
    await give(phone.member_id, principal=50_000)
    for store in ("S1", "S2"):
        await put(store, APPLE, 10, 7_501)
    rule = await make(admin, DOUBLE | {"terms": {"times_bp": 20_000, "day_cap": 70}})

    quoted, orders = await bought(phone, "S1", "S2")
    after, (last,) = await bought(phone, "S1")

    assert sorted(quoted) == sorted(one["points_earned"] for one in orders) == [70, 100]
    assert (after, last["points_earned"]) == ([50], 50)
    documents = [await ledger.find_document(phone.member_id, one["id"]) for one in orders]
    extras = [line["extras"] for found in documents for line in found.body["earned_by"]]
    assert sorted(extra["points"] for (extra,) in extras) == [20, 50]
    assert {extra["rule"] for (extra,) in extras} == {f"{rule['id']}/1"}
