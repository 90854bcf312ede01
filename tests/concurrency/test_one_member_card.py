"""Cards that many want at once: one member gets it, a member gets one, and a quota is exact."""

from __future__ import annotations

import asyncio

import pytest_asyncio

from backend.kernel import db
from backend.worker import load
from tests.support.membercards import (
    CARDS,
    ISSUERS,
    MOVES,
    held,
    make_agent,
    make_batch,
    make_type,
    move,
    numbers,
    printed,
)
from tests.support.members import random_phone, register
from tests.support.races import at_once, codes_of, held_up, outcomes
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    load()
    return await log_in(client, chain, "admin")


async def test_a_card_that_eight_members_want_is_one_members(client, admin):
    (number,) = await printed(admin, 1)
    phones = [random_phone() for _ in range(8)]
    members = [await register(client, phone=phone) for phone in phones]

    answers = await at_once(admin.post(f"{CARDS}/issue", {"card_no": number, "phone": phone}) for phone in phones)

    assert outcomes(answers) == {201: 1, "card_taken": 7}
    assert max([await held(member.member_id) for member in members], key=len) == [(number, "issued")]
    assert (
        await db.fetchval(
            "SELECT count(*) FROM membercard_step s JOIN membercard c ON c.id = s.card_id"
            " WHERE c.number = $1 AND s.state = 'issued'",
            number,
        )
        == 1
    )


async def test_a_member_who_is_given_eight_cards_has_one(client, admin, phone):
    cards = await printed(admin, 8)
    codes = await codes_of(phone, 8)

    answers = await at_once(
        admin.post(f"{CARDS}/issue", {"card_no": number, "code": code})
        for number, code in zip(cards, codes, strict=True)
    )

    assert outcomes(answers) == {201: 1, "card_held": 7}
    assert len(await held(phone.member_id)) == 1


async def test_two_cards_of_two_members_the_wrong_way_round_end_in_no_deadlock(client, admin):
    cards = await printed(admin, 2)
    phones = [random_phone() for _ in range(2)]
    for phone, number in zip(phones, cards, strict=True):
        await register(client, phone=phone)
        made = await admin.post(f"{CARDS}/issue", {"card_no": number, "phone": phone})
        assert made.status_code == 201
    crossed = [
        admin.post(f"{CARDS}/issue", {"card_no": number, "phone": phone})
        for _ in range(6)
        for phone, number in zip(phones, reversed(cards), strict=True)
    ]

    answers = await at_once(crossed)

    assert set(outcomes(answers)) <= {"card_held", "card_taken"}


async def test_a_quota_is_exact_however_many_take_at_once(client, admin, settings):
    batch = await make_batch(admin, await make_type(admin), 40)
    agent = await make_agent(admin, quota=9)

    answers = await held_up(
        settings,
        "LOCK TABLE membercard_issuer IN EXCLUSIVE MODE",
        [move(admin, batch, 2 * n + 1, 2 * n + 2, to=agent["id"]) for n in range(16)],
    )

    shown = (await admin.get(f"{ISSUERS}/{agent['id']}")).json()
    assert outcomes(answers) == {201: 4, "card_quota": 12}
    assert (shown["issuer"]["taken"], sum(one["cards"] for one in shown["stock"])) == (8, 8)


async def test_a_move_that_is_sent_twice_at_once_is_answered_twice_and_done_once(client, admin, settings):
    batch = await make_batch(admin, await make_type(admin), 4)
    agent = await make_agent(admin)
    body = {"kind": "allot", "batch_id": batch["id"], "from_serial": 1, "to_serial": 3, "issuer_id": agent["id"]}
    calls = [admin.post(MOVES, body | {"reason": "x"}, key=batch["id"]) for _ in range(4)]

    answers = await held_up(settings, "LOCK TABLE membercard_batch IN EXCLUSIVE MODE", calls)

    assert outcomes(answers) == {201: 4}
    assert len({answer.text for answer in answers}) == 1
    assert (await admin.get(f"{ISSUERS}/{agent['id']}")).json()["issuer"]["taken"] == 3


async def test_a_run_that_goes_away_while_its_cards_are_issued_counts_each_once(client, admin):
    batch = await make_batch(admin, await make_type(admin), 12)
    agent = await make_agent(admin, quota=12)
    cards = await numbers(batch)
    phones = [random_phone() for _ in range(6)]
    for phone in phones:
        await register(client, phone=phone)

    issued, moved = await asyncio.gather(
        at_once(
            admin.post(f"{CARDS}/issue", {"card_no": number, "phone": phone})
            for number, phone in zip(cards, phones, strict=False)
        ),
        at_once(move(admin, batch, 2 * n + 1, 2 * n + 2, to=agent["id"]) for n in range(6)),
    )

    assert set(outcomes(issued)) == {201}
    assert set(outcomes(moved)) <= {201, "cards_not_there"}
    shown = (await admin.get(f"{ISSUERS}/{agent['id']}")).json()
    assert shown["issuer"]["taken"] == sum(one["cards"] for one in shown["stock"])


async def test_lost_and_replaced_at_the_same_moment_leave_one_card(client, admin):
    old, new = await printed(admin, 2)
    number = random_phone()
    phone = await register(client, phone=number)
    card = (await admin.post(f"{CARDS}/issue", {"card_no": old, "phone": number})).json()
    path = f"{CARDS}/{card['id']}"

    answers = await at_once(
        [
            *(admin.post(f"{path}/replace", {"card_no": new, "phone": number, "reason": "x"}) for _ in range(3)),
            *(phone.call("POST", "/v1/member/card/lost") for _ in range(3)),
            *(admin.post(f"{path}/found", {"reason": "x"}) for _ in range(3)),
        ]
    )

    assert outcomes(answers[:3])[201] == 1
    assert all(answer.status_code < 500 for answer in answers)
    states = dict(await held(phone.member_id))
    assert states[old] == "replaced"
    assert states[new] in ("issued", "lost")
