"""A passer-by pays with a card by number and PIN, and gets money back onto it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from tests.support.books import fingerprint
from tests.support.gift_cards import CARDS, charge, check, make_cards, sold_card, token_of
from tests.support.value import findings


async def refund(till, client, charge_id: str, fen: int, key: str | None = None):
    body = {"amount_fen": fen, "reason": "退"}
    return await till.post(client, f"/v1/pos/gift-cards/charges/{charge_id}/refunds", body, key=key)


async def test_a_charge_is_taken_once_and_refunded_up_to_what_it_took(admin, client, till, books):
    card = await sold_card(admin, till, client, 1_000)
    token, key, back = await token_of(till, client, card), uuid.uuid4().hex, uuid.uuid4().hex

    first, second = [await charge(till, client, token, 600, order_no="C-1", key=key) for _ in range(2)]
    charge_id = first.json()["id"]
    refunds = [await refund(till, client, charge_id, 250, back) for _ in range(2)]
    rest, over = await refund(till, client, charge_id, 350), await refund(till, client, charge_id, 1)

    assert (first.status_code, first.json()["status"], first.json()["balance_fen"]) == (201, "charged", 400)
    assert (second.json(), second.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert [answer.json()["balance_fen"] for answer in refunds] == [650, 650]
    assert refunds[1].headers["Idempotency-Replayed"] == "true"
    assert (rest.status_code, rest.json()["balance_fen"]) == (201, 1_000)
    assert (over.status_code, over.json()["code"]) == (409, "refund_exceeds_paid")
    shown = (await till.get(client, f"/v1/pos/gift-cards/charges/{charge_id}")).json()
    assert (shown["status"], shown["refunded_fen"], shown["balance_fen"]) == ("refunded", 600, 1_000)
    assert shown["order_no"] == "C-1"


async def test_an_order_is_charged_once_to_a_card_and_may_take_two_cards(admin, client, chain, till, settings, books):
    one, two = [await sold_card(admin, till, client, 1_000) for _ in range(2)]
    tokens = [await token_of(till, client, card) for card in (one, two)]

    answers = [await charge(till, client, token, 300, order_no="C-2") for token in tokens]
    before = await fingerprint(settings)
    twice = await charge(till, client, tokens[0], 300, order_no="C-2")

    found = (await till.get(client, "/v1/pos/gift-cards/charges?order_no=C-2")).json()["items"]
    elsewhere = await chain.tills["S2"][0].get(client, "/v1/pos/gift-cards/charges?order_no=C-2")

    assert [answer.status_code for answer in answers] == [201, 201]
    assert sorted(item["id"] for item in found) == sorted(answer.json()["id"] for answer in answers)
    assert {(item["status"], item["amount_fen"], item["balance_fen"]) for item in found} == {("charged", 300, 700)}
    assert elsewhere.json() == {"items": []}
    assert (twice.status_code, twice.json()["code"], twice.json()["id"]) == (
        409,
        "order_exists",
        answers[0].json()["id"],
    )
    assert await fingerprint(settings) == before


async def test_a_card_never_pays_more_than_is_on_it(admin, client, till, settings, books):
    card = await sold_card(admin, till, client, 1_000)
    token = await token_of(till, client, card)
    before = await fingerprint(settings)

    refused = await charge(till, client, token, 1_001)

    assert (refused.status_code, refused.json()["code"], refused.json()["tender"]) == (
        409,
        "insufficient_balance",
        "gift_card",
    )
    assert await fingerprint(settings) == before
    assert (await charge(till, client, token, 1_000)).status_code == 201


async def test_a_token_stands_for_the_card_at_its_till_for_five_minutes(admin, client, chain, till, clock, settings):
    card = await sold_card(admin, till, client, 1_000)
    shown = (await check(till, client, card)).json()
    before = await fingerprint(settings)

    other = await charge(chain.tills["S1"][1], client, shown["card_token"], 100)
    by_id = await charge(till, client, shown["card_id"], 100)
    clock.shift(timedelta(minutes=5))
    late = await charge(till, client, shown["card_token"], 100)

    assert [(answer.status_code, answer.json()["code"]) for answer in (other, by_id, late)] == [
        (422, "gift_card_token_invalid"),
        (422, "gift_card_token_invalid"),
        (422, "gift_card_token_expired"),
    ]
    assert await fingerprint(settings) == before


async def test_a_retry_is_answered_after_its_token_has_died(admin, client, till, clock):
    card = await sold_card(admin, till, client, 1_000)
    token, key = await token_of(till, client, card), uuid.uuid4().hex
    first = await charge(till, client, token, 100, order_no="C-3", key=key)
    clock.shift(timedelta(minutes=6))

    again = await charge(till, client, token, 100, order_no="C-3", key=key)

    assert (again.status_code, again.json()) == (201, first.json())


@pytest.mark.parametrize("action", ["freeze", "close"])
async def test_a_refund_reaches_a_card_that_pays_no_more(admin, client, till, settings, action):
    """And goes on to the card that took its place."""
    card, spare = await make_cards(admin, 2)
    body = {"card_no": card.number, "order_no": "C-4", "amount_fen": 1_000}
    assert (await till.post(client, "/v1/pos/gift-cards/activate", body)).status_code == 201
    token = await token_of(till, client, card)
    paid = (await charge(till, client, token, 400)).json()
    path = f"{CARDS}/{paid['card_id']}"
    new_id = paid["card_id"]
    if action == "freeze":
        assert (await admin.post(f"{path}/freeze", {"reason": "x"})).status_code == 200
    else:
        new_id = (await admin.post(f"{path}/replace", {"card_no": spare.number, "reason": "x"})).json()["id"]
    refused = await charge(till, client, token, 1)

    given = await refund(till, client, paid["id"], 400)

    assert refused.json()["code"] == {"freeze": "gift_card_frozen", "close": "gift_card_closed"}[action]
    assert given.status_code == 201, given.text
    assert (await admin.get(f"{CARDS}/{new_id}")).json()["balance_fen"] == 1_000
    if action == "close":
        assert (await admin.get(path)).json()["balance_fen"] == 0
    assert await findings(settings) == []
