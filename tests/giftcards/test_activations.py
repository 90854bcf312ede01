"""A card is loaded at the till that sells it, once, and taken back only while all of it is there."""

from __future__ import annotations

import uuid

import pytest

from tests.support.books import fingerprint
from tests.support.gift_cards import CARDS, activate, bind, charge, check, make_cards, sold_card, token_of
from tests.support.value import findings


async def undo(till, client, activation_id: str, key: str | None = None):
    return await till.post(client, f"/v1/pos/gift-cards/activations/{activation_id}/undo", {}, key=key)


async def test_a_retry_is_answered_as_the_first_time_and_loads_nothing(admin, client, till, books):
    (card,) = await make_cards(admin, face_fen=2_000, validity_months=36)
    key = uuid.uuid4().hex
    body = {"card_no": card.number, "order_no": "A-1"}

    first, second = [await till.post(client, "/v1/pos/gift-cards/activate", body, key=key) for _ in range(2)]
    other = await till.post(client, "/v1/pos/gift-cards/activate", body | {"order_no": "A-2"}, key=key)

    assert (first.status_code, first.json()["amount_fen"], first.json()["order_no"]) == (201, 2_000, "A-1")
    assert first.json()["valid_until"] is not None
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (await check(till, client, card)).json()["balance_fen"] == 2_000


async def test_a_retry_is_answered_as_it_was_then_whatever_was_done_with_the_card(admin, client, till, phone):
    (card,) = await make_cards(admin, face_fen=2_000, validity_months=36)
    key, body = uuid.uuid4().hex, {"card_no": card.number, "order_no": "A-3"}
    first = await till.post(client, "/v1/pos/gift-cards/activate", body, key=key)
    assert (await bind(phone, card)).json()["valid_until"] is None

    again = await till.post(client, "/v1/pos/gift-cards/activate", body, key=key)

    assert again.json() == first.json()
    assert first.json()["valid_until"] is not None


async def test_an_activation_is_undone_and_its_card_is_worth_nothing_for_ever(
    admin, client, chain, till, settings, books
):
    """Whoever bought it knows its PIN: it is not sold again, nor put in the place of another."""
    card, other = await make_cards(admin, 2)
    other_id = (await activate(till, client, other, 700)).json()["card_id"]
    sold = (await activate(till, client, card, 700)).json()
    key = uuid.uuid4().hex

    elsewhere = await undo(chain.tills["S2"][0], client, sold["id"])
    undone, replayed = [await undo(chain.tills["S1"][1], client, sold["id"], key) for _ in range(2)]
    twice = await undo(till, client, sold["id"])
    before = await fingerprint(settings)
    worthless = await check(till, client, card)
    again = await activate(till, client, card, 900)
    replaced = await admin.post(f"{CARDS}/{other_id}/replace", {"card_no": card.number, "reason": "x"})

    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "not_found")
    assert (undone.status_code, undone.json()["amount_fen"]) == (200, 700)
    assert (replayed.json(), replayed.headers["Idempotency-Replayed"]) == (undone.json(), "true")
    assert (twice.status_code, twice.json()["code"]) == (409, "gift_card_undone")
    assert worthless.json()["code"] == "gift_card_closed"
    assert (again.status_code, again.json()["code"]) == (409, "gift_card_closed")
    assert (replaced.status_code, replaced.json()["code"]) == (409, "gift_card_conflict")
    assert await fingerprint(settings) == before


async def test_an_activation_is_not_undone_once_something_was_done_with_the_card(
    admin, client, till, phone, settings, books
):
    spent, bound, frozen = await make_cards(admin, 3)
    sold = [(await activate(till, client, card, 500)).json()["id"] for card in (spent, bound, frozen)]
    assert (await charge(till, client, await token_of(till, client, spent), 1)).status_code == 201
    assert (await bind(phone, bound)).status_code == 201
    card_id = (await check(till, client, frozen)).json()["card_id"]
    assert (await admin.post(f"{CARDS}/{card_id}/freeze", {"reason": "x"})).status_code == 200
    before = await fingerprint(settings)

    answers = [await undo(till, client, activation_id) for activation_id in sold]

    assert [answer.json()["code"] for answer in answers] == ["gift_card_spent", "gift_card_bound", "gift_card_frozen"]
    assert await fingerprint(settings) == before


@pytest.mark.parametrize(
    ("fen", "terms", "code"),
    [
        (None, {}, "gift_card_amount"),
        (50_001, {}, "gift_card_amount"),
        (999, {"face_fen": 1_000}, "gift_card_amount"),
    ],
)
async def test_a_card_is_not_loaded_with_another_amount(admin, client, till, settings, fen, terms, code):
    (card,) = await make_cards(admin, **terms)
    before = await fingerprint(settings)

    refused = await activate(till, client, card, fen)

    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert await fingerprint(settings) == before


async def test_what_is_no_card_or_is_sold_is_not_loaded(admin, client, till, settings):
    card = await sold_card(admin, till, client, 500)
    before = await fingerprint(settings)

    again = await activate(till, client, card, 500)
    slip = await till.post(client, "/v1/pos/gift-cards/activate", {"card_no": "8812", "order_no": "1"})
    nobody = await till.post(client, "/v1/pos/gift-cards/activate", {"card_no": "8812345678901232", "order_no": "1"})

    assert (again.status_code, again.json()["code"]) == (409, "gift_card_activated")
    assert [(answer.status_code, answer.json()["code"]) for answer in (slip, nobody)] == [
        (422, "gift_card_invalid"),
        (422, "gift_card_invalid"),
    ]
    assert await fingerprint(settings) == before
    assert await findings(settings) == []
