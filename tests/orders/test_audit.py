"""What the audit finds of an order that waits for WeChat, once somebody has falsified it; and of nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ledger.tampering import tamper
from tests.support.mall import checkout, order, put
from tests.support.members import Phone, register
from tests.support.value import findings, give

APPLE = "6902"
ORDER = "UPDATE orders_order SET {} WHERE member_id = $1"
DOCUMENT = "UPDATE ledger_document SET {} WHERE member_id = $1 AND kind = 'order'"
PROMISE = "UPDATE stock_reservation SET {} WHERE order_id IN (SELECT id FROM orders_order WHERE member_id = $1)"
TAMPERING: dict[str, tuple[str, ...]] = {
    "order_stands: paid by itself": (ORDER.format("state = 'paid'"),),
    "order_stands: closed by itself": (ORDER.format("state = 'closed'"),),
    "order_stands: cancelled, and nothing was given back": (
        DOCUMENT.format("state = 'paid'"),
        ORDER.format("state = 'cancelled'"),
    ),
    "order_stands: gone": ("DELETE FROM orders_order WHERE member_id = $1",),
    "promised_to_open: the order has ended": (ORDER.format("state = 'closed'"),),
    "promised_to_open: more than was ordered": (PROMISE.format("qty = qty + 1"),),
    "promised_to_open: at another store": (PROMISE.format("place_id = 'S2'"),),
    "promised_to_open: another article": (PROMISE.format("sku = '6901'"),),
    "reserved_is_promised: less than was ordered": (PROMISE.format("qty = qty - 1"),),
    "held_is_open_orders: paid in the books": (DOCUMENT.format("state = 'paid'"),),
    "held_is_open_orders: more points": (DOCUMENT.format("body = jsonb_set(body, '{tenders,0,points}', '101')"),),
    "held_is_open_orders: a hold without an order": ("DELETE FROM ledger_document WHERE member_id = $1",),
    "order_paid_once: less stored value": (DOCUMENT.format("body = jsonb_set(body, '{paid,stored}', '899')"),),
    "order_paid_once: more of a gift card": (DOCUMENT.format("body = jsonb_set(body, '{paid,gift_card}', '1')"),),
    "held_is_open_orders: more of a gift card": (DOCUMENT.format("body = jsonb_set(body, '{paid,gift_card}', '1')"),),
}


async def waiting(phone: Phone) -> str:
    """An order that holds ¥9, 100 points and two apples; its id."""
    await give(phone.member_id, principal=1_000, bonus=1_000, points=1_000)
    await put("S1", APPLE, 10, 1_001)
    tenders: list[dict[str, Any]] = [
        {"type": "points", "points": 100},
        {"type": "stored", "amount_fen": 900},
        {"type": "wechat"},
    ]
    made = await order(phone, checkout(a6902=2) | {"tenders": tenders}, 2_500)
    assert made.status_code == 201, made.text
    return str(made.json()["checkout_id"])


async def test_open_orders_are_honest_books(phone, settings):
    await waiting(phone)

    assert await findings(settings) == []


@pytest.mark.parametrize("what", TAMPERING)
async def test_the_audit_finds(client, settings, phone, what):
    bystander = await register(client)
    mine, theirs = await waiting(phone), await waiting(bystander)

    await tamper(settings, phone.member_id, *TAMPERING[what])

    found = await findings(settings)
    check = what.partition(":")[0]
    assert [
        one
        for one in found
        if one.check == check
        and (one.member_id == phone.member_id or mine in one.what or check == "reserved_is_promised")
    ]
    assert not [one for one in found if one.member_id == bystander.member_id or theirs in one.what]
