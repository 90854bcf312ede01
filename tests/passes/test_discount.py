"""Discount cards: the better of level and card, as long as the card lives."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.members.types import Card, DiscountCard, Level, Status
from backend.passes.commands import ageing
from tests.support.books import fingerprint
from tests.support.passes import CLUB, buy, line_of, make_pass_product, passes_of, use
from tests.support.races import codes_of
from tests.support.value import give

TODAY = date(2027, 1, 1)


def card(level: tuple[int, int], own: tuple[int, int] | None, *, until: date = TODAY) -> Card:
    discount = None if own is None else DiscountCard("P1", *own, until)
    return Card(
        member_id=1,
        member_no="1",
        name_masked="王*",
        level=Level("gold", "金卡", *level, 0),
        status=Status.ACTIVE,
        discount_card=discount,
    )


@pytest.mark.parametrize(
    ("level", "own", "until", "expected"),
    [
        ((500, 10_000), None, TODAY, (500, 10_000, None)),
        ((500, 10_000), (1_000, 10_000), TODAY, (1_000, 10_000, "P1")),
        ((500, 20_000), (1_000, 15_000), TODAY, (1_000, 20_000, "P1")),
        ((500, 10_000), (300, 15_000), TODAY, (500, 15_000, "P1")),
        ((500, 10_000), (500, 10_000), TODAY, (500, 10_000, None)),
        ((500, 10_000), (1_000, 10_000), date(2026, 12, 31), (500, 10_000, None)),
    ],
)
def test_the_better_of_level_and_card(level, own, until, expected):
    benefit = card(level, own, until=until).benefit_on(TODAY)

    assert (benefit.discount_bp, benefit.points_multiplier_bp, benefit.card_id) == expected


async def club(client, chain, admin, phone, terms=CLUB) -> tuple[str, str]:
    """A discount card that the member bought, and the sale that sold it; the row knows."""
    product = await make_pass_product(admin, terms, title="会员折扣卡")
    (code,) = await codes_of(phone, 1)
    token = (await chain.till.post(client, "/v1/pos/scan", {"code": code})).json()["scan_token"]
    sale = await buy(client, chain.till, token, line_of(product, fen=19_900))
    await outbox.drain()
    bought = [item["id"] for item in await passes_of(phone) if item["product_id"] == product["id"]]
    return bought[0], sale["id"]


async def sell(client, chain, phone, fen: int = 10_000) -> dict:
    (code,) = await codes_of(phone, 1)
    answer = await chain.till.sell(client, code, fen=fen, tenders=[{"type": "cash"}])
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_card_prices_sales_while_the_level_is_shown(client, chain, admin, phone, books):
    before = await sell(client, chain, phone)
    pass_id, _ = await club(client, chain, admin, phone)
    (code,) = await codes_of(phone, 1)
    scanned = (await chain.till.post(client, "/v1/pos/scan", {"code": code})).json()

    sale = await sell(client, chain, phone)

    assert (before["payable_fen"], before["points_earned"]) == (10_000, 100)
    assert (sale["payable_fen"], sale["discount_fen"], sale["points_earned"]) == (9_000, 1_000, 180)
    assert scanned["member"]["level"] == {"code": "basic", "name": "普通会员", "discount_bp": 0}
    body = await db.fetchval("SELECT body->>'card_id' FROM ledger_document WHERE id = $1", sale["id"])
    assert body == pass_id


async def test_a_card_that_priced_a_sale_does_not_go_back_with_its_line(client, chain, admin, phone, books):
    pass_id, sale_id = await club(client, chain, admin, phone)
    path, body = f"/v1/pos/sales/{sale_id}/refunds", {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}
    await sell(client, chain, phone)

    used = await chain.till.post(client, path, body)
    ended = await admin.post(f"/v1/admin/passes/{pass_id}/refund", {"reason": "x"}, key=pass_id)
    after = await sell(client, chain, phone)
    await outbox.drain()
    later = await sell(client, chain, phone)

    assert (used.status_code, used.json()["code"]) == (409, "pass_used")
    assert ended.json()["payout_fen"] == 19_900 - 19_900 // 365
    assert [sale["payable_fen"] for sale in (after, later)] == [10_000, 10_000]
    assert await db.fetchval("SELECT card_id FROM member WHERE id = $1", phone.member_id) is None


async def test_an_unused_card_goes_back_and_prices_nothing_any_more(client, chain, admin, phone, books):
    _, sale_id = await club(client, chain, admin, phone)
    path, body = f"/v1/pos/sales/{sale_id}/refunds", {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}

    refunded = await chain.till.post(client, path, body)
    at_once = await sell(client, chain, phone)

    assert (refunded.status_code, refunded.json()["refund_fen"]) == (201, 19_900)
    assert at_once["payable_fen"] == 10_000


async def test_a_sale_that_waits_uses_the_card_when_it_is_approved(client, chain, admin, phone, settings, books):
    """Cancelled, it did not use it; and where the card went back meanwhile, its prices are not to be had any more."""
    pass_id, sale_id = await club(client, chain, admin, phone)
    path, body = f"/v1/pos/sales/{sale_id}/refunds", {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}
    await give(phone.member_id, principal=100_000)
    codes = await codes_of(phone, 2)
    waiting = [(await chain.till.sell(client, code, fen=40_000)).json() for code in codes]

    cancelled = await chain.till.post(client, f"/v1/pos/sales/{waiting[0]['id']}/cancel", {})
    back = await chain.till.post(client, path, body)
    before = await fingerprint(settings)
    late = await phone.call("POST", f"/v1/member/confirmations/{waiting[1]['id']}", {"decision": "approve"})

    assert [sale["payable_fen"] for sale in waiting] == [36_000] * 2
    assert cancelled.json()["status"] == "cancelled"
    assert (back.status_code, back.json()["passes_ended"]) == (201, [pass_id])
    assert (late.status_code, late.json()["code"]) == (409, "pass_void")
    assert await fingerprint(settings) == before


async def test_an_approved_sale_has_used_the_card(client, chain, admin, phone, books):
    _, sale_id = await club(client, chain, admin, phone)
    await give(phone.member_id, principal=100_000)
    (code,) = await codes_of(phone, 1)
    waiting = (await chain.till.sell(client, code, fen=40_000)).json()
    approved = await phone.call("POST", f"/v1/member/confirmations/{waiting['id']}", {"decision": "approve"})

    body = {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}
    used = await chain.till.post(client, f"/v1/pos/sales/{sale_id}/refunds", body)

    assert approved.json()["status"] == "completed"
    assert (used.status_code, used.json()["code"]) == (409, "pass_used")


async def test_the_best_card_counts_and_the_next_when_it_is_over(client, chain, admin, phone, clock, books):
    small, _ = await club(client, chain, admin, phone, CLUB | {"discount_bp": 500, "days": 30})
    best, _ = await club(client, chain, admin, phone, CLUB | {"days": 2})
    chosen = await db.fetchval("SELECT card_id FROM member WHERE id = $1", phone.member_id)

    now = kernel_clock.now().replace(hour=4)
    clock.freeze(now + timedelta(days=3))
    await ageing.expire_passes(kernel_clock.now())
    await outbox.drain()

    assert chosen == best
    assert await db.fetchval("SELECT card_id FROM member WHERE id = $1", phone.member_id) == small


async def test_a_discount_card_is_not_used_by_itself(client, chain, admin, phone):
    pass_id, _ = await club(client, chain, admin, phone)
    (code,) = await codes_of(phone, 1)
    token = (await chain.till.post(client, "/v1/pos/scan", {"code": code})).json()["scan_token"]

    answer = await use(client, chain.till, token, pass_id)

    assert (answer.status_code, answer.json()["code"]) == (409, "pass_not_for_use")
