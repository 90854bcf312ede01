"""One gift card wanted by many at once: it pays no more than is on it, is loaded once and becomes one member's."""

from __future__ import annotations

import uuid
from collections import Counter

import msgspec
import pytest
import pytest_asyncio

from backend.giftcards import service
from backend.kernel import config, limits
from backend.pos.commands import refunds
from tests.support.gift_cards import (
    CARDS,
    activate,
    bind,
    bound_card,
    by_cards,
    cards_of,
    charge,
    check,
    make_cards,
    sold_card,
    token_of,
)
from tests.support.mall import checkout, open_mall, order, put
from tests.support.members import register
from tests.support.races import NoTurns, at_once, codes_of, held_up, outcomes
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest.fixture(autouse=True)
def _fresh_limits(engines) -> None:
    engines.valkey.flush()
    limits.forget()


async def test_a_card_spent_sixteen_times_at_once_pays_what_is_on_it(client, chain, admin, phone, settings):
    """By its member at two tills, by its token in the member's sales; and by passers-by, of whom none gets anything."""
    plastic = await sold_card(admin, chain.till, client, 10_000)
    tokens = [await token_of(till, client, plastic) for till in chain.tills["S1"]]
    mine = (await bind(phone, plastic)).json()
    codes = await codes_of(phone, 11)

    answers = await at_once(
        (
            chain.tills["S1"][n % 2].sell(
                client, codes[n], fen=1_500, tenders=by_cards(mine["id"] if n % 3 else tokens[n % 2], rest=None)
            )
            if n < 11
            else charge(chain.tills["S1"][n % 2], client, tokens[n % 2], 1_500)
        )
        for n in range(16)
    )

    assert outcomes(answers[:11]) == Counter({201: 6, "insufficient_balance": 5})
    assert outcomes(answers[11:]) == Counter({"gift_card_named": 5})
    assert (await cards_of(phone))[0]["balance_fen"] == 1_000
    assert await findings(settings) == []


async def test_a_card_that_is_bound_while_passers_by_pay_pays_none_of_them_afterwards(
    client, chain, admin, phone, settings
):
    plastic = await sold_card(admin, chain.till, client, 1_000)
    token = await token_of(chain.till, client, plastic)

    answers = await at_once([*(charge(chain.till, client, token, 100) for _ in range(6)), bind(phone, plastic)])
    late = await charge(chain.till, client, token, 100)

    paid = sum(answer.status_code == 201 for answer in answers[:6])
    assert answers[6].status_code == 201
    assert outcomes(answers[:6]) == +Counter({201: paid, "gift_card_named": 6 - paid})
    assert late.json()["code"] == "gift_card_named"
    assert (await cards_of(phone))[0]["balance_fen"] == 1_000 - 100 * paid
    assert await findings(settings) == []


async def test_sales_that_pay_with_the_same_cards_in_any_order_do_not_hold_each_other_up(
    client, chain, admin, phone, settings
):
    cards = [(await bound_card(admin, chain.till, phone, 1_000))["id"] for _ in range(3)]
    codes = await codes_of(phone, 8)

    answers = await at_once(
        chain.tills["S1"][n % 2].sell(
            client, code, fen=300, tenders=by_cards(*((card, 100) for card in cards[:: 1 if n % 2 else -1]), rest=None)
        )
        for n, code in enumerate(codes)
    )

    assert outcomes(answers) == Counter({201: 8})
    assert {card["balance_fen"] for card in await cards_of(phone)} == {200}
    assert await findings(settings) == []


async def test_a_card_is_activated_once(client, chain, admin, settings):
    (card,) = await make_cards(admin)
    key = uuid.uuid4().hex
    body = {"card_no": card.number, "order_no": "A-1", "amount_fen": 500}

    answers = await at_once(
        [
            *(activate(chain.tills["S1"][n % 2], client, card, 500) for n in range(4)),
            *(chain.till.post(client, "/v1/pos/gift-cards/activate", body, key=key) for _ in range(4)),
        ]
    )

    sold = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert len(set(sold)) == 1
    assert {code for code in outcomes(answers) if code != 201} <= {"gift_card_activated"}
    assert (await check(chain.till, client, card)).json()["balance_fen"] == 500
    assert await findings(settings) == []


async def test_a_card_becomes_one_member_s(client, chain, admin, settings):
    card = await sold_card(admin, chain.till, client, 500)
    phones = [await register(client) for _ in range(2)]

    answers = await at_once(bind(phone, card) for phone in phones for _ in range(2))

    # Four at the same moment are fewer than lock a number, whether right or wrong.
    assert outcomes(answers) == Counter({201: 2, "gift_card_bound": 2})
    held = [await cards_of(phone) for phone in phones]
    assert sorted(len(cards) for cards in held) == [0, 1]
    assert await findings(settings) == []


async def test_a_member_binds_no_more_cards_at_once_than_one_may(client, chain, admin, phone, settings):
    cards = [await sold_card(admin, chain.till, client, 100) for _ in range(5)]
    config.use(msgspec.structs.replace(settings, gift_cards_per_member=2))
    try:
        answers = await held_up(settings, "LOCK TABLE giftcard IN SHARE MODE", (bind(phone, card) for card in cards))
    finally:
        config.use(settings)

    assert outcomes(answers) == Counter({201: 2, "gift_card_limit": 3})
    assert len(await cards_of(phone)) == 2


async def test_a_refund_and_spends_at_once_leave_what_was_paid_less_what_came_back(
    client, chain, admin, phone, settings, monkeypatch
):
    """Each as if another process took it: none waits for its turn, and no refund is told ``stale``."""
    monkeypatch.setattr(refunds, "_turns", NoTurns())
    monkeypatch.setattr(service, "_turns", NoTurns())
    card = await bound_card(admin, chain.till, phone, 2_000)
    sale = (await chain.till.sell(client, phone.code(), fen=2_000, tenders=by_cards(card["id"], rest=None))).json()
    codes = await codes_of(phone, 6)
    path = f"/v1/pos/sales/{sale['id']}/refunds"

    answers = await at_once(
        [
            *(chain.tills["S1"][n % 2].post(client, path, {"amount_fen": 500, "reason": "退"}) for n in range(6)),
            *(
                chain.tills["S1"][n % 2].sell(client, code, fen=500, tenders=by_cards(card["id"], rest=None))
                for n, code in enumerate(codes)
            ),
        ]
    )

    back, spent = [sum(answer.status_code == 201 for answer in part) for part in (answers[:6], answers[6:])]
    assert back == 4
    assert {code for code in outcomes(answers[:6]) if code != 201} <= {"sale_not_refundable", "refund_exceeds_paid"}
    assert {code for code in outcomes(answers[6:]) if code != 201} <= {"insufficient_balance"}
    assert (await cards_of(phone))[0]["balance_fen"] == 2_000 - spent * 500
    assert await findings(settings) == []


async def test_freezing_undoing_and_spending_at_once_never_lose_a_fen(client, chain, admin, settings):
    card = await sold_card(admin, chain.till, client, 1_000)
    shown = (await check(chain.till, client, card)).json()
    found = (await admin.get(f"{CARDS}/{shown['card_id']}")).json()
    undo = f"/v1/pos/gift-cards/activations/{found['activation_id']}/undo"

    answers = await at_once(
        [
            *(charge(chain.till, client, shown["card_token"], 100) for _ in range(4)),
            *(chain.tills["S1"][n].post(client, undo, {}) for n in range(2)),
            admin.post(f"{CARDS}/{shown['card_id']}/freeze", {"reason": "x"}),
        ]
    )

    paid = sum(answer.status_code == 201 for answer in answers[:4])
    undone = sum(answer.status_code == 200 for answer in answers[4:6])
    assert all(answer.status_code < 500 for answer in answers)
    assert undone == 0 or (paid, undone) == (0, 1)
    left = (await admin.get(f"{CARDS}/{shown['card_id']}")).json()["balance_fen"]
    assert left == (0 if undone else 1_000 - 100 * paid)
    assert await findings(settings) == []


async def test_a_card_spent_at_tills_and_in_orders_at_once_pays_what_is_on_it(
    client, chain, admin, phone, settings, monkeypatch
):
    """As if each request were another process's: whole orders, orders at two stores, and such as wait for WeChat."""
    monkeypatch.setattr(service, "_turns", NoTurns())
    await open_mall("S1", "S2")
    for store_id in ("S1", "S2"):
        await put(store_id, "6902", 20, 20_000)
    card = (await bound_card(admin, chain.till, phone, 10_000))["id"]
    here, there = checkout("S1", a6902=1)["orders"], checkout("S2", a6902=1)["orders"]
    codes = await codes_of(phone, 6)
    whole = {"orders": here, "tenders": by_cards(card, rest=None)}
    both = {"orders": [*there, *here], "tenders": by_cards(card, rest=None)}
    rest = {"orders": here, "tenders": by_cards((card, 1_000), rest="wechat")}

    answers = await at_once(
        [
            *(
                chain.tills["S1"][n % 2].sell(client, code, fen=1_250, tenders=by_cards(card, rest=None))
                for n, code in enumerate(codes)
            ),
            *(
                order(phone, body, fen)
                for _ in range(3)
                for body, fen in ((whole, 1_250), (both, 2_500), (rest, 1_250))
            ),
        ]
    )

    spent = [1_250] * 6 + [1_250, 2_500, 1_000] * 3
    paid = sum(fen for fen, answer in zip(spent, answers, strict=True) if answer.status_code == 201)
    refused = {code for code in outcomes(answers) if code != 201}
    assert refused <= {"insufficient_balance", "unavailable"}, refused
    assert 0 < paid <= 10_000
    assert (await cards_of(phone))[0]["balance_fen"] == 10_000 - paid
    assert await findings(settings) == []
