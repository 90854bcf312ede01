"""A member makes a card their own: it moves nothing, does not expire, and pays by the member's code."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from backend.kernel import config, db
from backend.ledger import queries as ledger
from tests.support.books import fingerprint
from tests.support.coupons import log_in_again
from tests.support.gift_cards import bind, bound_card, by_cards, cards_of, check, make_cards, sold_card
from tests.support.members import register
from tests.support.value import findings


async def test_binding_moves_nothing_and_takes_the_last_day_away(admin, client, till, phone, settings):
    card = await sold_card(admin, till, client, 3_000, min_fen=1, max_fen=5_000, validity_months=36)
    shown = (await check(till, client, card)).json()
    entries = await db.fetchval("SELECT count(*) FROM ledger_entry")

    first, again = await bind(phone, card), await bind(phone, card)

    assert shown["valid_until"] is not None
    assert (first.status_code, first.json()) == (201, again.json())
    assert first.json() == {
        "id": shown["card_id"],
        "title": "礼品卡",
        "number_masked": f"**** **** **** {card.number[-4:]}",
        "state": "active",
        "balance_fen": 3_000,
        "valid_until": None,
        "bound_at": first.json()["bound_at"],
    }
    assert await cards_of(phone) == [first.json()]
    assert await db.fetchval("SELECT count(*) FROM ledger_entry") == entries
    told = await db.fetch("SELECT body FROM outbox WHERE name = 'GiftCardBound' AND member_id = $1", phone.member_id)
    assert [msgspec.json.decode(row["body"])["card_id"] for row in told] == [int(shown["card_id"])]
    assert (await phone.call("GET", f"/v1/member/gift-cards/{shown['card_id']}")).json() == first.json()
    assert await findings(settings) == []


async def test_what_cannot_be_bound(admin, client, till, phone, settings):
    bearer = await sold_card(admin, till, client, holder="bearer")
    (unsold,) = await make_cards(admin)
    others = await sold_card(admin, till, client)
    assert (await bind(await register(client), others)).status_code == 201
    before = await fingerprint(settings)

    answers = [await bind(phone, card) for card in (bearer, unsold, others)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "gift_card_not_bindable"),
        (409, "gift_card_not_active"),
        (409, "gift_card_bound"),
    ]
    assert await cards_of(phone) == []
    assert await fingerprint(settings) == before


async def test_a_member_binds_no_more_than_one_may(admin, client, till, phone, settings):
    config.use(msgspec.structs.replace(settings, gift_cards_per_member=2))
    try:
        cards = [await sold_card(admin, till, client) for _ in range(3)]

        answers = [await bind(phone, card) for card in cards]
    finally:
        config.use(settings)

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[2].json()["code"] == "gift_card_limit"
    assert len(await cards_of(phone)) == 2


async def test_a_named_card_pays_only_its_member(admin, client, till, phone, settings):
    card = await sold_card(admin, till, client, 300_000, min_fen=1, max_fen=500_000, holder="named")
    unbound = await check(till, client, card)

    bound = await bind(phone, card)
    sold = await till.sell(client, phone.code(), fen=500, tenders=by_cards((bound.json()["id"], 500), rest=None))

    assert (unbound.status_code, unbound.json()["code"]) == (409, "gift_card_unbound")
    assert sold.status_code == 201, sold.text
    assert (await cards_of(phone))[0]["balance_fen"] == 299_500
    assert (await ledger.get_balances(int(bound.json()["id"]))) == {"gift_card": 299_500}
    assert await findings(settings) == []


async def test_a_card_that_expired_is_bound_only_after_it_was_extended(admin, client, till, phone, clock):
    card = await sold_card(admin, till, client, 100, min_fen=1, max_fen=100, validity_months=36)
    shown = (await check(till, client, card)).json()
    clock.shift(timedelta(days=3 * 366 + 31))
    await log_in_again(phone)

    late = await bind(phone, card)

    assert (late.status_code, late.json()["code"]) == (409, "gift_card_expired")
    assert late.json()["valid_until"] == shown["valid_until"]


async def test_entries_come_page_by_page(admin, client, till, phone):
    card = await bound_card(admin, till, phone, 1_000)
    assert (await till.sell(client, phone.code(), fen=100, tenders=by_cards(card["id"], rest=None))).status_code == 201
    path = f"/v1/member/gift-cards/{card['id']}/entries"

    first = (await phone.call("GET", f"{path}?limit=1")).json()
    second = (await phone.call("GET", f"{path}?limit=1&cursor={first['next_cursor']}")).json()
    wrong = await phone.call("GET", f"{path}?cursor=x")

    assert [item["amount"] for item in first["items"] + second["items"]] == [-100, 1_000]
    assert second["next_cursor"] is None
    assert wrong.status_code == 422
