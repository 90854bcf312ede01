"""What staff do for a card: find, freeze, extend and replace it, give it another PIN; all of it is written down."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from backend.kernel import clock as kernel_clock
from tests.support.books import fingerprint
from tests.support.gift_cards import (
    CARDS,
    Plastic,
    activate,
    bind,
    bound_card,
    by_cards,
    cards_of,
    charge,
    check,
    make_cards,
    make_product,
    print_cards,
    sold_card,
    token_of,
)
from tests.support.staff import log_in
from tests.support.value import findings

WHY = {"reason": "顾客报失"}


async def changes(admin, card_id: str) -> list[tuple[str, str]]:
    items = (await admin.get(f"{CARDS}/{card_id}/changes")).json()["items"]
    return [(item["action"], item["detail"]["reason"]) for item in reversed(items)]


async def test_a_card_is_found_by_its_number_and_in_the_list_of_its_batch_and_member(
    admin, office, chain, client, till, phone
):
    product = await make_product(admin)
    sold, _ = await print_cards(admin, product["id"], 2)
    await activate(till, client, sold, 500)
    await bind(phone, sold)
    manager = await log_in(office, chain, "manager-S1")

    found = await manager.post(f"{CARDS}/search", {"card_no": sold.number})
    card = found.json()
    nothing = await manager.post(f"{CARDS}/search", {"card_no": "8812345678901232"})

    assert (card["balance_fen"], card["state"], card["member_id"]) == (500, "active", str(phone.member_id))
    assert (await admin.get(f"{CARDS}/{card['id']}")).json() == card
    assert nothing.status_code == 404
    of_batch = (await admin.get(f"{CARDS}?batch_id={card['batch_id']}&limit=1")).json()
    rest = (await admin.get(f"{CARDS}?batch_id={card['batch_id']}&limit=1&cursor={of_batch['next_cursor']}")).json()
    assert {item["state"] for item in of_batch["items"] + rest["items"]} == {"active", "made"}
    for query in (f"member_id={phone.member_id}", f"batch_id={card['batch_id']}&last4={sold.number[-4:]}&state=active"):
        assert [item["id"] for item in (await admin.get(f"{CARDS}?{query}")).json()["items"]] == [card["id"]]
    assert (await admin.get(CARDS)).status_code == 422


async def test_a_frozen_card_pays_nothing_until_it_is_thawed(admin, client, till, phone, clock, settings):
    clock.freeze(clock.now())  # the code is shown to the end
    card = await bound_card(admin, till, phone, 1_000)
    path = f"{CARDS}/{card['id']}"

    frozen = [await admin.post(f"{path}/freeze", WHY) for _ in range(2)]
    before = await fingerprint(settings)
    code = phone.code()
    refused = await till.sell(client, code, fen=100, tenders=by_cards(card["id"], rest=None))
    after = await fingerprint(settings)
    thawed = await admin.post(f"{path}/thaw", WHY)
    sold = await till.sell(client, code, fen=100, tenders=by_cards(card["id"], rest=None))

    assert [answer.json()["state"] for answer in frozen] == ["frozen", "frozen"]
    assert (refused.status_code, refused.json()["code"], before) == (409, "gift_card_frozen", after)
    assert thawed.json()["state"] == "active"
    assert sold.status_code == 201, sold.text
    assert sorted(await changes(admin, card["id"])) == [("freeze", "顾客报失"), ("thaw", "顾客报失")]  # at one instant


async def test_what_is_on_an_expired_card_is_not_forfeited(admin, client, till, clock):
    card = await sold_card(admin, till, client, 100, min_fen=1, max_fen=100, validity_months=36)
    shown = (await check(till, client, card)).json()
    clock.shift(timedelta(days=3 * 366 + 31))
    admin = await _again(admin, client)
    late = await check(till, client, card)
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")
    path = f"{CARDS}/{shown['card_id']}/extend"

    past = await admin.post(path, {"valid_until": (today - timedelta(days=1)).isoformat()} | WHY)
    extended = await admin.post(path, {"valid_until": today.isoformat()} | WHY)
    good = await check(till, client, card)

    assert (late.status_code, late.json()["code"]) == (409, "gift_card_expired")
    assert (past.status_code, past.json()["errors"][0]["pointer"]) == (422, "/valid_until")
    assert extended.json()["valid_until"] == today.isoformat()
    assert (good.status_code, good.json()["balance_fen"]) == (200, 100)
    assert await changes(admin, shown["card_id"]) == [("extend", "顾客报失")]


async def test_nobody_is_left_less_time_than_they_bought(admin, client, till):
    card = await sold_card(admin, till, client, 100, min_fen=1, max_fen=100, validity_months=36)
    shown = (await check(till, client, card)).json()
    last = date.fromisoformat(shown["valid_until"])
    path = f"{CARDS}/{shown['card_id']}/extend"

    shorter = await admin.post(path, {"valid_until": (last - timedelta(days=1)).isoformat()} | WHY)
    kept = (await check(till, client, card)).json()["valid_until"]
    longer = await admin.post(path, {"valid_until": (last + timedelta(days=1)).isoformat()} | WHY)

    assert (shorter.status_code, shorter.json()["errors"][0]["pointer"]) == (422, "/valid_until")
    assert kept == last.isoformat()
    assert longer.json()["valid_until"] == (last + timedelta(days=1)).isoformat()
    assert await changes(admin, shown["card_id"]) == [("extend", "顾客报失")]


async def _again(admin, client):
    """Head office in a new session: the clock was moved, and the old one has ended."""
    body = {"username": "admin", "password": "correct horse"}
    tokens = (await client.post("/v1/admin/login", json=body)).json()
    return type(admin)(client, tokens["access_token"], tokens["refresh_token"])


async def test_a_card_without_a_last_day_and_a_closed_one_are_not_extended(admin, client, till, phone):
    card = await bound_card(admin, till, phone)
    lost, spare = await make_cards(admin, 2, face_fen=100, validity_months=36)
    lost_id = (await activate(till, client, lost)).json()["card_id"]
    await admin.post(f"{CARDS}/{lost_id}/replace", {"card_no": spare.number} | WHY)

    answers = [
        await admin.post(f"{CARDS}/{card_id}/extend", {"valid_until": "2099-01-01"} | WHY)
        for card_id in (card["id"], lost_id)
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "gift_card_conflict")] * 2
    assert [answer.json()["detail"] for answer in answers] == ["the card has no last day", "the card is closed"]


async def test_another_pin_takes_the_place_of_the_old_one_and_unlocks_the_number(admin, client, till):
    card = await sold_card(admin, till, client, 100)
    card_id = (await check(till, client, card)).json()["card_id"]
    for _ in range(5):
        await check(till, client, Plastic(card.number, "x"))
    locked = await check(till, client, card)

    pin = (await admin.post(f"{CARDS}/{card_id}/pin", WHY)).json()["pin"]

    assert (locked.status_code, locked.json()["code"]) == (429, "gift_card_locked")
    assert (await check(till, client, Plastic(card.number, pin))).status_code == 200
    if pin != card.pin:
        assert (await check(till, client, card)).json()["code"] == "gift_card_invalid"
    assert await changes(admin, card_id) == [("pin", "顾客报失")]
    shown = (await admin.get(f"{CARDS}/{card_id}/changes")).text
    assert pin not in shown


async def test_a_lost_card_is_replaced_with_all_that_is_on_it(admin, client, till, phone, settings):
    lost, spare = await make_cards(admin, 2)
    await activate(till, client, lost, 1_000)
    card = (await bind(phone, lost)).json()
    sale = (await till.sell(client, phone.code(), fen=400, tenders=by_cards(card["id"], rest=None))).json()

    replaced = await admin.post(f"{CARDS}/{card['id']}/replace", {"card_no": spare.number} | WHY)
    new_id = replaced.json()["id"]
    dead = await check(till, client, lost)
    refund = await till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", {"amount_fen": 150, "reason": "退"})

    assert (replaced.json()["state"], replaced.json()["balance_fen"]) == ("active", 600)
    assert (dead.status_code, dead.json()["code"]) == (409, "gift_card_closed")
    assert refund.status_code == 201, refund.text
    assert [(item["id"], item["balance_fen"]) for item in await cards_of(phone)] == [(new_id, 750)]
    old = (await admin.get(f"{CARDS}/{card['id']}")).json()
    assert (old["state"], old["balance_fen"], old["replaced_by"]) == ("closed", 0, new_id)
    lines = [
        (entry["title"], entry["amount"])
        for entry in (await admin.get(f"{CARDS}/{card['id']}/entries")).json()["items"]
    ]
    assert lines == [("补卡转出", -150), ("退款", 150), ("补卡转出", -600), ("消费", -400), ("激活", 1_000)]
    assert await changes(admin, card["id"]) == [("replace", "顾客报失")]
    assert await changes(admin, new_id) == [("replaces", "顾客报失")]
    assert (await check(till, client, spare)).json()["code"] == "gift_card_named"
    assert await findings(settings) == []


async def test_a_card_that_was_replaced_twice_gives_on_to_the_last(admin, client, till, settings):
    cards = await make_cards(admin, 3)
    await activate(till, client, cards[0], 1_000)
    paid = (await charge(till, client, await token_of(till, client, cards[0]), 300)).json()
    card_id = paid["card_id"]
    for card in cards[1:]:
        card_id = (await admin.post(f"{CARDS}/{card_id}/replace", {"card_no": card.number} | WHY)).json()["id"]

    body = {"amount_fen": 300, "reason": "退"}
    given = await till.post(client, f"/v1/pos/gift-cards/charges/{paid['id']}/refunds", body)

    assert given.status_code == 201, given.text
    assert (await check(till, client, cards[2])).json()["balance_fen"] == 1_000
    assert await findings(settings) == []


@pytest.mark.parametrize("spare", ["sold", "of another product", "itself", "none"])
async def test_a_card_is_replaced_by_an_unsold_one_of_its_product_only(admin, client, till, settings, spare):
    lost, other = await make_cards(admin, 2)
    await activate(till, client, lost, 1_000)
    await activate(till, client, other, 1_000)
    (foreign,) = await make_cards(admin)
    card_id = (await check(till, client, lost)).json()["card_id"]
    number = {
        "sold": other.number,
        "of another product": foreign.number,
        "itself": lost.number,
        "none": "8812345678901232",
    }[spare]
    before = await fingerprint(settings)

    refused = await admin.post(f"{CARDS}/{card_id}/replace", {"card_no": number} | WHY)

    assert refused.json()["code"] == ("gift_card_invalid" if spare == "none" else "gift_card_conflict")
    assert await fingerprint(settings) == before
