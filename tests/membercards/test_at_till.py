"""Cards at a till: given for a deposit, replaced for a fee, lost, brought back elsewhere; and what the books say."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.membercards.commands import ageing
from backend.reconciliation.commands import clearing
from tests.support.books import fingerprint
from tests.support.membercards import TYPES, held, issue, make_batch, make_store, make_type, move, numbers, printed
from tests.support.members import random_phone, register
from tests.support.races import at_once, codes_of, outcomes
from tests.support.shifts import close_shift, open_shift, tender

CARDS = "/v1/pos/member-cards"


async def in_store(admin, total: int, **fields) -> list[str]:
    """Numbers of a new type that store S1 hands out."""
    batch = await make_batch(admin, await make_type(admin, **fields), total)
    assert (await move(admin, batch, 1, total, to=await make_store(admin, "S1"))).status_code == 201
    return await numbers(batch)


async def token_of(client, till, phone) -> str:
    (code,) = await codes_of(phone, 1)
    found: str = (await till.post(client, "/v1/pos/scan", {"code": code})).json()["scan_token"]
    return found


async def booked(account: str) -> dict[str, int]:
    rows = await db.fetch("SELECT ref, sum(amount)::bigint FROM ledger_entry WHERE kind = $1 GROUP BY ref", account)
    return {row[0]: row[1] for row in rows}


async def test_a_card_is_given_for_its_deposit_replaced_for_a_fee_and_brought_back_at_another_store(
    client, admin, chain, phone, books
):
    till, other = chain.till, chain.tills["S2"][0]
    old, new = await in_store(admin, 2, deposit_fen=1_000, fee_fen=500)
    for one in (till, other):
        await open_shift(client, one)
    token = await token_of(client, till, phone)
    asked = (await till.post(client, f"{CARDS}/quote", {"scan_token": token, "card_no": old})).json()
    body, key = {"scan_token": token, "card_no": old, "due_fen": 1_000, "cashier": "小李"}, uuid.uuid4().hex
    given = await till.post(client, CARDS, body, key=key)
    again = await till.post(client, CARDS, body, key=key)
    nothing_due = await till.post(client, CARDS, body | {"due_fen": 0})
    lost = [(await till.post(client, f"{CARDS}/lost", {"scan_token": token})).json()["state"] for _ in range(2)]
    not_back = await till.post(client, f"{CARDS}/return", {"scan_token": token, "card_no": old})
    (code,) = await codes_of(phone, 1)
    wish = {"code": code, "card_no": new, "replace": True, "due_fen": 500, "tender": "external", "reason": "遗失"}
    replaced = await till.post(client, CARDS, wish)
    spent = await till.sell(client, code, tenders=[{"type": "cash"}])

    assert asked["held"] is None
    assert asked["card"]["action"] == "issue"
    assert (asked["card"]["deposit_fen"], asked["card"]["fee_fen"], asked["card"]["due_fen"]) == (1_000, 0, 1_000)
    assert (given.status_code, given.json()["total_fen"], given.json()["replaced"]) == (201, 1_000, False)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (given.json(), "true")
    assert (nothing_due.status_code, nothing_due.json()["total_fen"]) == (201, 0)
    assert (lost, not_back.json()["code"]) == (["lost"] * 2, "card_conflict")
    assert (replaced.status_code, replaced.json()["fee_fen"], replaced.json()["deposit_fen"]) == (201, 500, 0)
    assert (replaced.json()["replaced"], spent.json()["code"]) == (True, "code_used")
    assert await held(phone.member_id) == [(old, "replaced"), (new, "issued")]

    there = await token_of(client, other, phone)
    shown = (await other.post(client, f"{CARDS}/quote", {"scan_token": there, "card_no": new})).json()
    back = await other.post(client, f"{CARDS}/return", {"scan_token": there, "card_no": new, "reason": "退卡"})
    twice = await other.post(client, f"{CARDS}/return", {"scan_token": there, "card_no": new})
    closed = [await close_shift(client, till, 11_000), await close_shift(client, other, 9_000)]
    await outbox.drain()
    await clearing.count_due()
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")

    assert (shown["card"]["back_fen"], shown["held"]["deposit_fen"]) == (1_000, 1_000)
    assert (back.status_code, back.json()["action"], back.json()["total_fen"]) == (201, "taken_back", 1_000)
    assert twice.json()["code"] == "card_conflict"
    first, second = (one["figures"] for one in closed)
    assert [one["difference_fen"] for one in closed] == [-500, 0]  # nobody counted what was paid otherwise
    assert (first["member_cards"], tender(first, "external")["in_fen"]) == ({"count": 2, "fen": 1_500}, 500)
    assert (second["member_cards_back"], tender(second, "cash")["out_fen"]) == ({"count": 1, "fen": 1_000}, 1_000)
    assert await booked("house.card_deposits") == {"S1": 0}
    assert await booked("house.card_fees") == {"S1": 500}
    assert await booked("house.tills") == {"S1": -1_500, "S2": 1_000}
    flow = {"from_store": "S1", "to_store": "S2", "principal_fen": 1_000}
    assert await owed(admin, today) == [flow]


async def owed(admin, on: date) -> list[dict[str, object]]:
    """What stores owe each other by that day's clearing."""
    answer = (await admin.get(f"/v1/admin/clearing/flows?from={on}&to={on}")).json()
    wanted = ("from_store", "to_store", "principal_fen")
    return [{name: one[name] for name in wanted} for one in answer["flows"]]


async def test_what_is_refused_at_a_till_moves_nothing(client, admin, chain, phone, settings, books):
    till = chain.till
    mine, free = await in_store(admin, 2, deposit_fen=700)
    (office,) = await printed(admin, 1)
    stranger = await register(client)
    await issue(admin, stranger, mine)
    token, theirs = await token_of(client, till, phone), await token_of(client, till, stranger)
    before = await fingerprint(settings)
    refused = [
        await till.post(client, CARDS, {"scan_token": token, "card_no": free, "due_fen": 699}),
        await till.post(client, CARDS, {"scan_token": token, "card_no": mine, "due_fen": 700}),
        await till.post(client, CARDS, {"scan_token": token, "card_no": office}),
        await till.post(client, CARDS, {"scan_token": theirs, "card_no": free, "due_fen": 700}),
        await till.post(client, CARDS, {"scan_token": token, "code": stranger.code(), "card_no": free}),
        await till.post(client, f"{CARDS}/return", {"scan_token": token, "card_no": mine}),
        await till.post(client, f"{CARDS}/lost", {"scan_token": token}),
        await till.post(client, f"{CARDS}/quote", {"scan_token": token, "card_no": mine}),
        await chain.tills["S2"][0].post(client, f"{CARDS}/quote", {"scan_token": token}),
    ]

    assert [answer.json()["code"] for answer in refused] == [
        "card_dues_changed", "card_taken", "card_elsewhere", "card_held", "validation_failed", "card_invalid",
        "not_found", "card_taken", "code_invalid",
    ]  # fmt: skip
    assert refused[0].json()["due_fen"] == 700
    assert await fingerprint(settings) == before


async def test_a_deposit_that_the_counter_did_not_take_is_paid_once_and_given_back_once(
    client, admin, chain, phone, books
):
    till = chain.till
    (number,) = await in_store(admin, 1, deposit_fen=900)
    await issue(admin, phone, number)
    token = await token_of(client, till, phone)
    quoted = (await till.post(client, f"{CARDS}/quote", {"scan_token": token, "card_no": number})).json()["card"]
    wish = {"scan_token": token, "card_no": number}
    paid = await at_once(till.post(client, CARDS, wish | {"due_fen": 900}) for _ in range(5))
    back = await at_once(till.post(client, f"{CARDS}/return", wish) for _ in range(5))

    assert (quoted["action"], quoted["due_fen"], quoted["back_fen"]) == ("pay", 900, 0)
    assert outcomes(paid) == {201: 1, "card_dues_changed": 4}
    assert outcomes(back) == {201: 1, "card_conflict": 4}
    assert (await booked("house.card_deposits")).get("S1", 0) == 0
    assert await held(phone.member_id) == [(number, "void")]


async def test_what_was_never_paid_does_not_come_back(client, admin, chain, phone, books):
    (number,) = await in_store(admin, 1, deposit_fen=900)
    await issue(admin, phone, number)
    wish = {"scan_token": await token_of(client, chain.till, phone), "card_no": number}
    back = await chain.till.post(client, f"{CARDS}/return", wish)

    assert (back.status_code, back.json()["total_fen"]) == (201, 0)
    assert await held(phone.member_id) == [(number, "void")]


async def test_what_is_due_for_a_card_is_taken_though_its_type_is_closed(client, admin, chain, phone, books):
    made = await make_type(admin, deposit_fen=900)
    mine, free = await numbers(await make_batch(admin, made, 2))
    await issue(admin, phone, mine)
    kept = ("name", "deposit_fen", "colour", "version")
    closed = await admin.call("PUT", f"{TYPES}/{made['code']}", {name: made[name] for name in kept} | {"active": False})
    wish = {"scan_token": await token_of(client, chain.till, phone), "due_fen": 900}

    another = await chain.till.post(client, CARDS, wish | {"card_no": free, "replace": True})
    paid = await chain.till.post(client, CARDS, wish | {"card_no": mine})

    assert closed.status_code == 200, closed.text
    assert another.json()["code"] == "card_type_closed"
    assert (paid.status_code, paid.json()["total_fen"]) == (201, 900)
    assert await held(phone.member_id) == [(mine, "issued")]


async def test_numbers_of_other_people_s_cards_count_as_guesses_whichever_call_tries_them(
    client, admin, chain, phone, clock, books
):
    till = chain.tills["S2"][0]
    (somebodys,) = await printed(admin, 1)
    await issue(admin, await register(client), somebodys)
    wish = {"scan_token": await token_of(client, till, phone), "card_no": somebodys}
    clock.freeze(clock.now().replace(second=30))  # within one window of the limit

    looked = [await till.post(client, f"{CARDS}/quote", wish) for _ in range(10)]
    wanted = [await till.post(client, CARDS, wish) for _ in range(11)]

    assert outcomes(looked) == {"card_taken": 10}
    assert outcomes(wanted) == {"card_taken": 10, "rate_limited": 1}
    assert await held(phone.member_id) == []
    (free,) = await printed(admin, 1)
    right = wish | {"card_no": free}
    blocked = [await till.post(client, path, right) for path in (f"{CARDS}/quote", CARDS, f"{CARDS}/return")]
    without_number = await till.post(client, f"{CARDS}/quote", {"scan_token": wish["scan_token"]})
    neighbour = chain.tills["S2"][1]
    theirs = {"scan_token": await token_of(client, neighbour, phone), "card_no": free}
    elsewhere = await neighbour.post(client, f"{CARDS}/quote", theirs)
    assert outcomes(blocked) == {"rate_limited": 3}, "or what is not refused is a card"
    assert (without_number.status_code, elsewhere.status_code) == (200, 200)
    clock.shift(timedelta(minutes=2))
    wish["scan_token"] = await token_of(client, till, phone)
    assert (await till.post(client, f"{CARDS}/quote", wish | {"card_no": free})).status_code == 200


@pytest.mark.parametrize("written", [False, True], ids=["not written down yet", "written down"])
async def test_the_deposit_of_a_card_that_was_lost_until_it_expired_goes_over_to_the_next(
    client, admin, chain, phone, books, written
):
    till = chain.till
    old, new = await in_store(admin, 2, deposit_fen=1_000, fee_fen=500, validity_months=1)
    token = await token_of(client, till, phone)
    await till.post(client, CARDS, {"scan_token": token, "card_no": old, "due_fen": 1_000})
    await till.post(client, f"{CARDS}/lost", {"scan_token": token})
    await db.pool().execute("UPDATE membercard SET valid_until = '2026-01-31' WHERE number = $1", old)
    if written:
        await ageing.expire_cards()

    async def at_stake():
        return (await phone.call("GET", "/v1/member/privacy/erasure")).json()["at_stake"]

    left = [(one["code"], one["amount"], one["blocks"]) for one in await at_stake()]
    mine = (await till.post(client, f"{CARDS}/quote", {"scan_token": token, "card_no": old})).json()
    asked = (await till.post(client, f"{CARDS}/quote", {"scan_token": token, "card_no": new})).json()
    given = await till.post(client, CARDS, {"scan_token": token, "card_no": new, "due_fen": asked["card"]["due_fen"]})
    states = await held(phone.member_id)
    too_late = await till.post(client, f"{CARDS}/return", {"scan_token": token, "card_no": old})
    back = await till.post(client, f"{CARDS}/return", {"scan_token": token, "card_no": new})

    assert (left, await at_stake()) == ([("member_card_deposit", 1_000, False)], [])
    assert mine["held"] is None if written else mine["held"]["state"] == "expired"
    assert (mine["card"]["action"], mine["card"]["due_fen"], mine["card"]["back_fen"]) == ("none", 0, 1_000)
    assert (asked["card"]["action"], asked["card"]["due_fen"]) == ("issue", 0)
    assert (given.status_code, given.json()["replaced"], given.json()["total_fen"]) == (201, False, 0)
    assert states == [(old, "expired"), (new, "issued")]
    assert too_late.json()["code"] == "card_conflict"
    assert (back.status_code, back.json()["total_fen"]) == (201, 1_000)


async def test_an_expired_card_in_hand_gives_what_its_quote_says(client, admin, chain, phone, books):
    (number,) = await in_store(admin, 1, deposit_fen=1_000, validity_months=1)
    wish = {"scan_token": await token_of(client, chain.till, phone), "card_no": number}
    await chain.till.post(client, CARDS, wish | {"due_fen": 1_000})
    await chain.till.post(client, f"{CARDS}/lost", {"scan_token": wish["scan_token"]})
    await db.pool().execute("UPDATE membercard SET valid_until = '2026-01-31' WHERE number = $1", number)

    before = await admin.get("/v1/admin/member-card-deposits")
    await db.pool().execute("UPDATE member SET status = 'erased' WHERE id = $1", phone.member_id)
    after = await admin.get("/v1/admin/member-card-deposits")
    await db.pool().execute("UPDATE member SET status = 'active' WHERE id = $1", phone.member_id)
    quoted = (await chain.till.post(client, f"{CARDS}/quote", wish)).json()["card"]
    again = await chain.till.post(client, CARDS, wish | {"due_fen": quoted["due_fen"]})
    back = await chain.till.post(client, f"{CARDS}/return", wish)

    (was,), (now,) = before.json()["items"], after.json()["items"]
    assert (was["store_id"], was["cards"] >= 1, was["held_fen"] >= 1_000) == ("S1", True, True)
    assert now == was | {"left_cards": was["left_cards"] + 1, "left_fen": was["left_fen"] + 1_000}
    assert (quoted["action"], quoted["back_fen"], again.json()["code"]) == ("none", 1_000, "card_ended")
    assert (back.status_code, back.json()["total_fen"]) == (201, quoted["back_fen"])
    assert await held(phone.member_id) == [(number, "expired")]


async def test_who_is_identified_to_earn_only_gives_up_no_card(client, admin, chain, settings, books):
    till, number = chain.till, random_phone()
    phone = await register(client, phone=number)
    mine, other = await in_store(admin, 2, deposit_fen=1_000)
    await till.post(
        client, CARDS, {"scan_token": await token_of(client, till, phone), "card_no": mine, "due_fen": 1_000}
    )
    asked = (await till.post(client, "/v1/pos/identities", {"phone": number})).json()["id"]
    await phone.call("POST", f"/v1/member/identities/{asked}", {"decision": "approve"})
    token = (await till.get(client, f"/v1/pos/identities/{asked}")).json()["scan"]["scan_token"]
    before = await fingerprint(settings)

    refused = [
        await till.post(client, f"{CARDS}/return", {"scan_token": token, "card_no": mine}),
        await till.post(client, CARDS, {"scan_token": token, "card_no": other, "replace": True}),
    ]

    assert [answer.json()["code"] for answer in refused] == ["identity_may_not_spend"] * 2
    assert await fingerprint(settings) == before
    lost = await till.post(client, f"{CARDS}/lost", {"scan_token": token})
    assert lost.json()["state"] == "lost"
