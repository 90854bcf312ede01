"""Who guesses at numbers and PINs learns nothing and is stopped; whose card it is pays on by their code."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from backend.giftcards import rules
from backend.giftcards.commands import tries
from backend.giftcards.errors import GiftCardInvalid, GiftCardLocked
from backend.kernel import db
from backend.kernel.errors import RateLimited
from tests.support.gift_cards import Plastic, bind, bound_card, by_cards, check, make_cards, sold_card
from tests.support.members import register

NOBODY = "8812345678901232"
"""A number with a good check digit that no card has."""


def other_pin(card: Plastic, step: int = 1) -> str:
    return f"{(int(card.pin) + step) % 10**6:06d}"


async def test_a_wrong_pin_and_a_number_that_is_none_look_the_same(admin, client, till, phone, clock):
    card = await sold_card(admin, till, client)
    clock.freeze(clock.now())

    wrong = [*[Plastic(card.number, other_pin(card))] * 7, *[Plastic(NOBODY, card.pin)] * 7]
    answers = [await check(till, client, shown) for shown in wrong]

    seen = [(answer.status_code, answer.json() | {"instance": ""}) for answer in answers]
    assert seen[:5] == seen[7:12] == [seen[0]] * 5
    assert seen[0][1]["code"] == "gift_card_invalid"
    assert {(status, body["code"]) for status, body in seen[5:7] + seen[12:]} == {(429, "gift_card_locked")}
    assert {answer.headers["Retry-After"] for answer in answers[5:7] + answers[12:]} == {"900"}
    assert (await bind(phone, card)).json()["code"] == "gift_card_locked"


async def test_a_slip_of_the_finger_is_no_try(admin, client, till):
    card = await sold_card(admin, till, client)
    slipped = card.number[:-1] + str((int(card.number[-1]) + 1) % 10)

    tries_before = await db.fetchval("SELECT count(*) FROM giftcard_try")

    answers = [await check(till, client, Plastic(slipped, card.pin)) for _ in range(25)]

    assert {answer.json()["code"] for answer in answers} == {"gift_card_invalid"}
    assert await db.fetchval("SELECT count(*) FROM giftcard_try") == tries_before
    assert (await check(till, client, card)).status_code == 200


async def test_a_right_pin_sets_the_count_to_zero(admin, client, till):
    card = await sold_card(admin, till, client)
    tries_before = await db.fetchval("SELECT count(*) FROM giftcard_try")
    for _ in range(3):
        for step in range(1, 5):
            assert (await check(till, client, Plastic(card.number, other_pin(card, step)))).status_code == 422
        assert (await check(till, client, card)).status_code == 200

    assert await db.fetchval("SELECT count(*) FROM giftcard_try") == tries_before


async def test_a_till_and_a_member_may_try_so_often_whatever_the_number(admin, client, chain, phone, clock):
    clock.freeze(clock.now())  # a window that slides on lets one more through
    till = chain.tills["S2"][1]
    numbers = [card.number for card in await make_cards(admin, 30)]

    at_till = [await check(till, client, Plastic(number, "000000")) for number in numbers[:22]]
    on_phone = [await bind(phone, Plastic(number, "000000")) for number in numbers[:22]]
    elsewhere = await check(chain.tills["S2"][0], client, Plastic(numbers[29], "000000"))

    for answers in (at_till, on_phone):
        counted = Counter(answer.json()["code"] for answer in answers)
        assert counted["rate_limited"] == 2
    assert elsewhere.json()["code"] == "gift_card_invalid"


async def test_ten_thousand_tries_at_a_card_find_nothing_and_its_member_pays_meanwhile(
    admin, client, till, phone, clock, books
):
    """From as many tills as one likes, half of them at the same moment: five are judged, then fewer and fewer."""
    card = await sold_card(admin, till, client, 1_000)
    mine = (await bind(phone, card)).json()
    outcomes: Counter[str] = Counter()

    async def guess(number: int) -> None:
        try:
            await tries.prove_to_till(card.number, other_pin(card, 1 + number % 999_999), f"T{number}")
        except (GiftCardInvalid, GiftCardLocked, RateLimited) as refused:
            outcomes[refused.code] += 1

    began = clock.now()
    for start in range(0, 10_000, 500):
        await asyncio.gather(*(guess(number) for number in range(start, start + 500)))
        clock.freeze(began + (1 + start // 500) * timedelta(minutes=7))
    sold = await till.sell(client, phone.code(), fen=300, tenders=by_cards(mine["id"], rest=None))

    assert sum(outcomes.values()) == 10_000
    assert outcomes["gift_card_invalid"] == 5 * 4  # and locked for 15, 30, 60 and 120 of these 140 minutes
    assert sold.status_code == 201, sold.text


async def test_the_lock_doubles_up_to_a_day(admin, client, till, clock):
    card = await sold_card(admin, till, client)
    waits = []
    for round_ in range(9):
        for step in range(rules.TRIES):
            with pytest.raises(GiftCardInvalid):
                await tries.prove_to_till(card.number, other_pin(card, 1 + step), f"R{round_}")
        with pytest.raises(GiftCardLocked) as locked:
            await tries.prove_to_till(card.number, card.pin, f"R{round_}")
        waits.append(locked.value.retry_after_s or 0)
        clock.shift(timedelta(seconds=waits[-1]))

    minutes = [min(15 * 2**number, 24 * 60) for number in range(9)]
    assert [round(wait / 60) for wait in waits] == minutes
    proven = await tries.prove_to_till(card.number, card.pin, "R9")
    assert proven.last4 == card.number[-4:]


async def test_old_tries_are_forgotten(admin, client, till, clock):
    card = await sold_card(admin, till, client)
    await check(till, client, Plastic(card.number, other_pin(card)))
    await tries.sweep()
    kept = await db.fetchval("SELECT count(*) FROM giftcard_try")
    clock.shift(timedelta(days=31))

    await tries.sweep()

    assert kept >= 1
    assert await db.fetchval("SELECT count(*) FROM giftcard_try") == 0


async def test_another_member_s_guessing_locks_nobody_s_code(admin, client, till, phone):
    mine = await bound_card(admin, till, phone, 500)
    thief = await register(client)
    for _ in range(6):
        await bind(thief, Plastic(NOBODY, "123456"))

    sold = await till.sell(client, phone.code(), fen=500, tenders=by_cards(mine["id"], rest=None))

    assert sold.status_code == 201
