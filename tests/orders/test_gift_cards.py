"""Gift cards pay orders: the member's own and those whose PIN was typed, held with the rest, and given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from backend.giftcards import queries as giftcards
from backend.orders.commands import payments
from tests.orders.test_after_sales import ask, step
from tests.support.books import fingerprint
from tests.support.coupons import give_coupon
from tests.support.gift_cards import (
    CARDS,
    Plastic,
    activate,
    bind,
    bound_card,
    cards_of,
    make_product,
    print_cards,
    sold_card,
)
from tests.support.mall import checkout, order, put
from tests.support.members import Phone, register
from tests.support.recharge import all_answered, document, pay
from tests.support.value import findings, give

pytestmark = pytest.mark.usefixtures("books", "clock")

APPLE, WATER = "6902", "6901"
OFF_500 = {"kind": "cash", "face_fen": 500, "min_spend_fen": 2_000, "validity": {"days": 3}}


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(phone: Phone) -> Phone:
    """Has ¥50 and 1,000 points."""
    await give(phone.member_id, principal=5_000, points=1_000)
    for store in ("S1", "S2"):
        await put(store, APPLE, 20, 2_000)
    return phone


def by(reference: str, fen: int | None = None) -> dict[str, Any]:
    return {"type": "gift_card", "reference": reference} | ({} if fen is None else {"amount_fen": fen})


async def token_of(phone: Phone, card: Plastic) -> str:
    shown = await phone.call("POST", "/v1/member/gift-cards/check", card.shown)
    assert shown.status_code == 200, shown.text
    token: str = shown.json()["card_token"]
    return token


async def later(phone: Phone, clock: Any) -> None:
    """A moment after a card's token has died; the member's session goes on."""
    clock.shift(timedelta(seconds=901))
    tokens = (await phone.client.post("/v1/member/token", json={"refresh_token": phone.refresh_token})).json()
    phone.access_token, phone.refresh_token = tokens["access_token"], tokens["refresh_token"]


async def left(card_id: str) -> int:
    return (await giftcards.get_card(card_id)).balance_fen


async def tenders_of(phone: Phone, order_id: str) -> list[tuple[str, int]]:
    shown = (await phone.call("GET", f"/v1/member/orders/{order_id}")).json()
    return [(one["type"], one["amount_fen"]) for one in shown["tenders"]]


async def test_everything_pays_together_is_held_and_goes_back_to_where_it_came_from(
    buyer, admin, manager, chain, client, settings
):
    coupon_id = await give_coupon(admin, buyer, OFF_500)
    own = (await bound_card(admin, chain.till, buyer, 3_000))["id"]
    plastic = await sold_card(admin, chain.till, client, 1_000)
    shown = (await buyer.call("POST", "/v1/member/gift-cards/check", plastic.shown)).json()
    body = checkout(coupon_ids=(coupon_id,), a6902=4) | {
        "tenders": [
            {"type": "points", "points": 100},
            by(own, 2_000),
            by(shown["card_token"], 900),
            {"type": "stored", "amount_fen": 700},
            {"type": "wechat"},
        ]
    }
    quoted = (await buyer.call("POST", "/v1/member/orders/quote", body)).json()
    assert {one["id"]: (one["balance_fen"], one["amount_fen"], one["usable"]) for one in quoted["gift_cards"]} == {
        own: (3_000, 2_000, True),
        shown["card_id"]: (1_000, 900, True),
    }

    placed = (await order(buyer, body, 5_000)).json()

    (made,) = placed["orders"]
    assert placed["payment"]["pay_fen"] == 800
    assert [(one["type"], one["amount_fen"], one.get("reference")) for one in made["tenders"]] == [
        ("coupon", 500, None),
        ("points", 100, None),
        ("gift_card", 2_000, own),
        ("gift_card", 900, shown["card_id"]),
        ("stored", 700, None),
        ("wechat", 800, None),
    ]
    assert (await left(own), await left(shown["card_id"])) == (1_000, 100)
    assert await findings(settings) == []
    await pay(client, placed["payment"]["id"])
    await all_answered(client, placed["payment"]["id"], 1)
    paid = (await buyer.call("GET", f"/v1/member/orders/{made['id']}")).json()
    assert (paid["status"], paid["points_earned"]) == ("paid", 88)

    half = (await ask(buyer, made["id"], "refund", qty=2)).json()
    first = (await step(manager, half["id"], "approve")).json()["refund"]
    assert {(one["type"], one.get("reference")): one["amount_fen"] for one in first["by_tender"]} == {
        ("coupon", None): 250,
        ("points", None): 50,
        ("gift_card", own): 1_000,
        ("gift_card", shown["card_id"]): 450,
        ("stored", None): 350,
        ("wechat", None): 400,
    }
    assert (await left(own), await left(shown["card_id"])) == (2_000, 550)
    rest = (await ask(buyer, made["id"], "refund", qty=2)).json()
    await step(manager, rest["id"], "approve")
    assert (await left(own), await left(shown["card_id"])) == (3_000, 1_000)
    wallet = await buyer.wallet()
    assert (wallet["stored"]["total_fen"], wallet["points"]["available"]) == (5_000, 1_000)


async def test_one_card_pays_at_two_stores_and_a_cancel_gives_it_all_back(buyer, admin, chain):
    card = (await bound_card(admin, chain.till, buyer, 3_000))["id"]
    body = {"orders": [*checkout(a6902=1)["orders"], *checkout("S2", a6902=1)["orders"]], "tenders": [by(card)]}

    placed = (await order(buyer, body, 2_500, key="one-card-two-stores")).json()

    assert [await tenders_of(buyer, one["id"]) for one in placed["orders"]] == [[("gift_card", 1_250)]] * 2
    assert await left(card) == 500
    again = await order(buyer, body, 2_500, key="one-card-two-stores")
    assert (again.json(), again.headers["idempotency-replayed"]) == (placed, "true")
    entries = (await buyer.call("GET", f"/v1/member/gift-cards/{card}/entries")).json()["items"]
    spent = {(-1_250, one["id"]) for one in placed["orders"]}
    assert {(one["amount"], one["reference"]) for one in entries[:2]} == spent

    for one in placed["orders"]:
        cancelled = await buyer.call("POST", f"/v1/member/orders/{one['id']}/cancel")
        assert cancelled.json()["status"] == "cancelled"
    assert await left(card) == 3_000


@pytest.mark.parametrize("meanwhile", ["nothing", "frozen", "replaced"])
async def test_an_order_that_is_not_paid_gives_its_cards_back_however_they_stand(
    buyer, admin, chain, client, clock, meanwhile
):
    product = await make_product(admin)
    plastic, spare = await print_cards(admin, product["id"], 2)
    await activate(chain.till, client, plastic, 2_000)
    card = (await bind(buyer, plastic)).json()["id"]
    both = {"orders": [*checkout(a6902=1)["orders"], *checkout("S2", a6902=1)["orders"]]}
    placed = (await order(buyer, both | {"tenders": [by(card, 1_500), {"type": "wechat"}]}, 2_500)).json()
    assert await left(card) == 500
    if meanwhile == "frozen":
        await admin.post(f"{CARDS}/{card}/freeze", {"reason": "报失"})
    if meanwhile == "replaced":
        card = (await admin.post(f"{CARDS}/{card}/replace", {"card_no": spare.number, "reason": "报失"})).json()["id"]
        assert await left(card) == 500

    clock.shift(timedelta(minutes=16))
    await payments.advance_due(clock.now())

    assert (await document(buyer, placed["payment"]["id"])).state == "closed"
    assert await left(card) == 2_000


async def test_what_a_card_does_not_pay_is_refused_and_nothing_moves(buyer, admin, chain, client, settings):
    other = await register(client)
    own, theirs = [(await bound_card(admin, chain.till, one, 2_000))["id"] for one in (buyer, other)]
    frozen = (await bound_card(admin, chain.till, buyer, 2_000))["id"]
    plastic = await sold_card(admin, chain.till, client, 2_000)
    anothers = await token_of(other, plastic)
    tills = (await chain.till.post(client, "/v1/pos/gift-cards/check", plastic.shown)).json()["card_token"]
    mine, bound_since = await token_of(buyer, plastic), await sold_card(admin, chain.till, client, 2_000)
    gone = await token_of(buyer, bound_since)
    await bind(other, bound_since)
    await admin.post(f"{CARDS}/{frozen}/freeze", {"reason": "报失"})
    bearer = (await chain.till.post(client, "/v1/pos/gift-cards/check", plastic.shown)).json()["card_id"]
    rest = {"type": "stored"}
    cases: list[tuple[str, list[dict[str, Any]]]] = [
        ("gift_card_not_held", [by(theirs, 100), rest]),
        ("gift_card_not_held", [by(bearer, 100), rest]),
        ("gift_card_not_held", [by("nothing", 100), rest]),
        ("gift_card_token_invalid", [by(anothers, 100), rest]),
        ("gift_card_token_invalid", [by(tills, 100), rest]),
        ("gift_card_named", [by(gone, 100), rest]),
        ("gift_card_frozen", [by(frozen, 100), rest]),
        ("insufficient_balance", [by(own, 2_001), rest]),
        ("insufficient_balance", [by(own)]),
        ("tenders_mismatch", [by(own, 100), by(own, 100), rest]),
        ("tenders_mismatch", [by(own, 2_000), by(mine, 2_000)]),
        ("tenders_mismatch", [by(own, 2_000)]),
        ("tenders_mismatch", [*(by(f"{number}", 100) for number in range(6)), rest]),
        ("tenders_mismatch", [by(own, 100) | {"points": 100}, rest]),
        ("validation_failed", [{"type": "gift_card", "amount_fen": 100}, rest]),
        ("validation_failed", [rest | {"reference": own}]),
    ]
    before = await fingerprint(settings)

    answers = [await order(buyer, checkout(a6902=2) | {"tenders": tenders}, 2_500) for _, tenders in cases]

    assert [answer.json()["code"] for answer in answers] == [code for code, _ in cases]
    assert await fingerprint(settings) == before


async def test_a_retry_is_answered_when_the_token_has_died_and_the_card_is_spent(buyer, admin, chain, client, clock):
    token = await token_of(buyer, await sold_card(admin, chain.till, client, 1_250))
    body = checkout(a6902=1) | {"tenders": [by(token)]}
    placed = await order(buyer, body, 1_250, key="card-once")
    assert placed.status_code == 201, placed.text
    assert await left(placed.json()["orders"][0]["tenders"][0]["reference"]) == 0
    await later(buyer, clock)

    again, late = [await order(buyer, body, 1_250, key=key) for key in ("card-once", "card-twice")]

    assert (again.json(), again.headers["idempotency-replayed"]) == (placed.json(), "true")
    assert (late.status_code, late.json()["code"]) == (422, "gift_card_token_expired")


async def test_who_guesses_at_cards_on_a_phone_is_stopped_whatever_the_call(buyer, admin, chain, client):
    plastic = await sold_card(admin, chain.till, client, 1_250)
    wrong = plastic.shown | {"pin": f"{(int(plastic.pin) + 1) % 10**6:06d}"}

    tries = [await buyer.call("POST", "/v1/member/gift-cards/check", wrong) for _ in range(5)]
    locked = await buyer.call("POST", "/v1/member/gift-cards/check", plastic.shown)

    assert [one.json()["code"] for one in tries] == ["gift_card_invalid"] * 5
    assert (locked.status_code, locked.json()["code"]) == (429, "gift_card_locked")
    assert (await bind(buyer, plastic)).json()["code"] == "gift_card_locked"
    assert await cards_of(buyer) == []
