"""The statement: one line a transfer, newest first, in pages that lose and repeat nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wallet import rules
from tests.support import recharge
from tests.support.value import give
from tests.wallet.test_lots import owe

pytestmark = pytest.mark.usefixtures("books")


async def page(phone, account: str, **query) -> dict:
    text = "&".join(f"{name}={value}" for name, value in {"account": account, **query}.items())
    answer = await phone.call("GET", f"/v1/member/wallet/entries?{text}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_members_story_as_their_statement_tells_it(client, phone, chain, offers):
    order = await recharge.begin(phone, offer_id=offers.big)
    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")
    sold = await chain.till.sell(
        client,
        phone.code(),
        fen=10_000,
        tenders=[{"type": "points", "points": 100}, {"type": "stored"}],
    )
    assert sold.status_code == 201, sold.text
    sale = sold.json()
    back = await chain.till.post(
        client, f"/v1/pos/sales/{sale['id']}/refunds", {"amount_fen": sale["payable_fen"], "reason": "退货"}
    )
    assert back.status_code == 201, back.text
    paid = sale["payable_fen"] - 100

    stored = (await page(phone, "stored"))["items"]
    points = (await page(phone, "points"))["items"]

    assert [(e["kind"], e["title"], e["amount"], e["balance_after"], e["reference"]) for e in stored] == [
        ("refund", "退款", paid, 55_000, back.json()["id"]),
        ("sale", "消费", -paid, 55_000 - paid, sale["id"]),
        ("recharge", "充值", 55_000, 55_000, order["id"]),
    ]
    earned = sale["points_earned"]
    assert [(e["kind"], e["amount"], e["balance_after"]) for e in points] == [
        ("refund", 100 - earned, 500),
        ("sale", earned - 100, 400 + earned),
        ("recharge", 500, 500),
    ]
    assert points[2]["title"] == "充值赠积分"
    assert (await page(phone, "rebate")) == {"items": [], "next_cursor": None}
    assert len({e["id"] for e in stored + points}) == 6
    wallet = await phone.wallet()
    assert (wallet["stored"]["total_fen"], wallet["points"]["available"]) == (55_000, 500)


async def test_points_are_shown_less_what_is_owed(phone):
    await give(phone.member_id, points=20)
    await owe(phone.member_id, 50)
    await give(phone.member_id, points=5)

    found = await page(phone, "points", limit=1)

    assert [(e["amount"], e["balance_after"]) for e in found["items"]] == [(5, -25)]
    found = await page(phone, "points", limit=2, cursor=found["next_cursor"])
    assert [(e["amount"], e["balance_after"]) for e in found["items"]] == [(-50, -30), (20, 20)]
    assert found["next_cursor"] is None


async def test_pages_of_any_size_make_the_whole_statement(phone):
    for number in range(1, 13):
        await give(phone.member_id, principal=number if number % 3 else 0, points=number % 5, bonus=number % 2)
    for account in ("stored", "points"):
        whole = (await page(phone, account, limit=100))["items"]
        assert sum(entry["amount"] for entry in whole) == whole[0]["balance_after"]
        for limit in (1, 2, 5, len(whole), len(whole) + 1):
            pieced, cursor = [], None
            while True:
                found = await page(phone, account, limit=limit, **({"cursor": cursor} if cursor else {}))
                pieced += found["items"]
                assert len(found["items"]) == limit or found["next_cursor"] is None
                if not (cursor := found["next_cursor"]):
                    break
            assert pieced == whole


async def test_what_happens_meanwhile_moves_no_page(phone):
    for number in range(1, 7):
        await give(phone.member_id, principal=number)
    first = await page(phone, "stored", limit=3)
    await give(phone.member_id, principal=100)

    second = await page(phone, "stored", limit=3, cursor=first["next_cursor"])

    assert [e["amount"] for e in first["items"] + second["items"]] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("account=gold", "/query/account"),
        ("limit=20", "/query/account"),
        ("account=stored&limit=0", "/query/limit"),
        ("account=stored&limit=101", "/query/limit"),
        ("account=stored&cursor=!!", "/query/cursor"),
        ("account=stored&cursor=", "/query/cursor"),
        (f"account=stored&cursor={rules.make_cursor('points', 4)}", "/query/cursor"),
        ("account=stored&page=2", "/query/page"),
    ],
)
async def test_refuses_a_question_it_does_not_understand(bystander, query, pointer):
    answer = await bystander.call("GET", f"/v1/member/wallet/entries?{query}")

    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


@given(st.sampled_from(["stored", "points", "rebate"]), st.integers(0, 10**18 - 1))
def test_a_cursor_says_where_it_was_made(account, before):
    assert rules.read_cursor(account, rules.make_cursor(account, before)) == before


@given(st.text(max_size=64))
def test_any_other_text_is_a_cursor_or_none(text):
    found = rules.read_cursor("stored", text)

    assert found is None or found >= 0
