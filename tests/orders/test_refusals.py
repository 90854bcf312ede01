"""A phone that lies, is late, or asks for what is not to be had: each has its code, and no row of any table changes."""

from __future__ import annotations

from typing import Any

import pytest

from backend.kernel import db
from backend.mall import queries as mall
from tests.support.books import fingerprint
from tests.support.coupons import VALUE, give_coupon
from tests.support.delivery import add_address, sent_to
from tests.support.gift_cards import bound_card
from tests.support.mall import checkout, order, put
from tests.support.members import Phone, register
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE, WATER, TEA = "6902", "6901", "6903"
STORED = {"type": "stored"}


async def change(statement: str, *arguments: Any) -> None:
    """Head office changes the catalogue at this moment."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(statement, *arguments)
    mall.forget_offers()


async def ready(client, admin, chain) -> tuple[Phone, Phone]:
    """A member with ¥300, a PIN, an address and a price they saw; and another with a coupon and a gift card."""
    buyer, other = await register(client), await register(client)
    await give(buyer.member_id, principal=30_000, points=100)
    await buyer.call("PUT", "/v1/member/pin", {"pin": "135790"})
    for sku, qty in ((APPLE, 20), (WATER, 20), (TEA, 1)):
        await put("S1", sku, qty, 1_000)
        await put("S2", sku, qty, 1_000)
    return buyer, other


async def test_whatever_is_wrong_with_an_order_it_is_said_and_nothing_moves(client, admin, chain, settings):
    buyer, other = await ready(client, admin, chain)
    theirs = await give_coupon(admin, other, VALUE)
    card = (await bound_card(admin, chain.till, other, 2_000))["id"]
    far = sent_to(await add_address(buyer), a6902=1)
    seen = (await buyer.call("POST", "/v1/member/orders/quote", checkout(a6903=1))).json()["payable_fen"]
    await change("UPDATE mall_article SET unit_price_fen = unit_price_fen + 1 WHERE sku = $1", TEA)
    await change("DELETE FROM mall_publication WHERE product_id = $1 AND store_id = 'S1'", f"P-{WATER}")
    priced = checkout(a6902=1)
    priced["orders"][0]["lines"][0]["unit_price_fen"] = 1
    gift = {"type": "gift_card", "reference": card, "amount_fen": 100}
    cases: list[tuple[int, str, dict[str, Any], int]] = [
        (409, "price_changed", checkout(a6902=1), 1_249),
        (409, "price_changed", checkout(a6902=1), 1_251),
        (409, "price_changed", checkout(a6902=1) | {"due_fen": 1_249}, 1_250),
        (409, "price_changed", checkout(a6903=1), seen),
        (422, "validation_failed", priced, 1),
        (422, "validation_failed", checkout(a6902=1) | {"total_fen": 1}, 1_250),
        (422, "validation_failed", checkout(a6902=1) | {"tenders": [STORED | {"amount_fen": -1_250}]}, 1_250),
        (422, "validation_failed", checkout(a6902=-1), 1_250),
        (422, "validation_failed", checkout(a6902=1), -1_250),
        (422, "tenders_mismatch", checkout(a6902=1) | {"tenders": [STORED | {"amount_fen": 1_249}]}, 1_250),
        (422, "tenders_mismatch", checkout(a6902=1) | {"tenders": [STORED | {"amount_fen": 1_251}]}, 1_250),
        (409, "not_on_sale", checkout("S1", a6901=1), 200),  # unpublished there
        (409, "not_on_sale", checkout("S1", nothing=1), 200),
        (404, "not_found", checkout("S3", a6902=1), 1_250),
        (409, "address_out_of_range", far, 1_250),
        (409, "out_of_stock", checkout("S2", a6901=21), 4_200),
        (409, "insufficient_balance", checkout(a6902=1) | {"tenders": [{"type": "points"}]}, 1_250),
        (409, "insufficient_balance", checkout(a6902=1) | {"tenders": [{"type": "rebate"}]}, 1_250),
        (404, "coupon_not_held", checkout("S1", (theirs,), a6902=1), 1_250),
        (404, "gift_card_not_held", checkout(a6902=1) | {"tenders": [gift, STORED]}, 1_250),
        (409, "pin_required", checkout(a6902=17), 21_250),
    ]
    before = await fingerprint(settings)

    answers = [await order(buyer, body, fen) for _, _, body, fen in cases]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [case[:2] for case in cases]
    assert answers[3].json()["quote"]["payable_fen"] == seen + 1
    assert await fingerprint(settings) == before
    assert (await order(buyer, checkout("S2", a6901=1), 200)).status_code == 201
