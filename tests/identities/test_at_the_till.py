"""Who stands at a till without their phone's code: they confirm it themselves, and the till learns nothing before."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from backend.kernel import db
from tests.support.members import random_phone, register
from tests.support.races import at_once, outcomes
from tests.support.value import give

ASK = "/v1/pos/identities"
PIN = "135790"


async def known(client, *, pin=False):
    number = random_phone()
    phone = await register(client, phone=number)
    if pin:
        answer = await phone.call("PUT", "/v1/member/pin", {"pin": PIN, "phone_code": f"phone-{number}"})
        assert answer.status_code == 204, answer.text
    return phone, number


async def ask(client, till, **number):
    answer = await till.post(client, ASK, number)
    assert answer.status_code == 202, answer.text
    return answer.json()


def sale(token, fen=1_000, **more):
    lines = [{"sku": "X-1", "qty": 1, "unit_price_fen": fen}]
    return {"scan_token": token, "order_no": uuid.uuid4().hex[:16], "lines": lines} | more


async def test_the_member_confirms_on_the_phone_and_earns(client, chain, books):
    phone, number = await known(client)
    await give(phone.member_id, principal=5_000)
    asked = await ask(client, chain.till, phone=number)
    (seen,) = (await phone.call("GET", "/v1/member/identities")).json()["items"]

    decided = await phone.call("POST", f"/v1/member/identities/{seen['id']}", {"decision": "approve"})

    found = (await chain.till.get(client, f"{ASK}/{asked['id']}")).json()
    token = found["scan"]["scan_token"]
    cash = await chain.till.post(client, "/v1/pos/sales", sale(token, tenders=[{"type": "cash"}]))
    assert decided.json() == {"id": asked["id"], "state": "confirmed", "rights": "earn"}
    assert (found["state"], found["rights"], found["scan"]["member"]["id"]) == ("confirmed", "earn", phone.member["id"])
    assert (cash.status_code, cash.json()["status"]) == (201, "completed")
    again = await chain.till.post(client, "/v1/pos/sales", sale(token, tenders=[{"type": "cash"}]))
    assert (again.status_code, again.json()["code"]) == (409, "code_used")


async def test_who_only_earns_spends_nothing_without_the_phone(client, chain, books):
    phone, number = await known(client)
    await give(phone.member_id, principal=5_000)
    asked = await ask(client, chain.till, phone=number)
    await phone.call("POST", f"/v1/member/identities/{asked['id']}", {"decision": "approve"})
    token = (await chain.till.get(client, f"{ASK}/{asked['id']}")).json()["scan"]["scan_token"]

    quote = await chain.till.post(client, "/v1/pos/quotes", sale(token))
    waiting = await chain.till.post(client, "/v1/pos/sales", sale(token))

    assert quote.json()["confirmation_required"] is True
    assert waiting.json()["status"] == "awaiting_confirmation"
    assert (await phone.wallet())["stored"]["total_fen"] == 5_000


async def test_the_pin_at_the_till_lets_spend_within_the_limits(client, chain, books):
    phone, number = await known(client, pin=True)
    await give(phone.member_id, principal=100_000)
    asked = await ask(client, chain.till, phone=number)

    wrong = await chain.till.post(client, f"{ASK}/{asked['id']}/pin", {"pin": "000001"})
    right = await chain.till.post(client, f"{ASK}/{asked['id']}/pin", {"pin": PIN})

    token = right.json()["scan"]["scan_token"]
    paid = await chain.till.post(client, "/v1/pos/sales", sale(token, 20_000))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "pin_invalid")
    assert right.json()["rights"] == "spend"
    assert paid.json()["status"] == "completed"
    second = await ask(client, chain.till, phone=number)
    token = (await chain.till.post(client, f"{ASK}/{second['id']}/pin", {"pin": PIN})).json()["scan"]["scan_token"]
    above = await chain.till.post(client, "/v1/pos/sales", sale(token, 20_001))
    assert above.json()["status"] == "awaiting_confirmation"


@pytest.mark.parametrize("pin", [False, True], ids=["without a PIN", "with a PIN, which locks"])
async def test_nobody_s_number_looks_like_anybody_s(client, chain, pin):
    _, number = await known(client, pin=pin)
    nobody = random_phone()
    mine = await ask(client, chain.till, phone=number)
    none = await ask(client, chain.till, phone=nobody)

    shown = [(await chain.till.get(client, f"{ASK}/{one['id']}")).json() for one in (mine, none)]
    tries: list[list[Any]] = [[], []]
    for who, asked, said_of in ((number, mine, tries[0]), (nobody, none, tries[1])):
        for request in (asked, await ask(client, chain.till, phone=who)):
            path = f"{ASK}/{request['id']}/pin"
            said_of += [await chain.till.post(client, path, {"pin": "000001"}) for _ in range(6)]

    assert mine.keys() == none.keys()
    assert [one["state"] for one in (mine, none, *shown)] == ["waiting"] * 4
    assert all(one["scan"] is None for one in shown)
    said = [[(answer.status_code, answer.json()["code"], answer.json()["detail"]) for answer in each] for each in tries]
    assert said[0] == said[1]
    assert [one[1] for one in said[0]] == [*["pin_invalid"] * 5, "pin_locked"] * 2


async def test_a_document_is_found_and_not_readable_in_the_database(client, chain):
    phone, _ = await known(client)
    number = f"11010119900307{uuid.uuid4().int % 10**4:04d}"
    set_ = await phone.call("PUT", "/v1/member/document", {"number": f"{number[:6]} {number[6:]}"})
    other, _ = await known(client)

    taken = await other.call("PUT", "/v1/member/document", {"number": number})
    asked = await ask(client, chain.till, document=number)
    (seen,) = (await phone.call("GET", "/v1/member/identities")).json()["items"]
    row = await db.fetchrow("SELECT * FROM identity_document WHERE member_id = $1", phone.member_id)
    gone = await phone.call("PUT", "/v1/member/document", {"number": None})

    assert (set_.status_code, set_.json()) == (200, {"last4": number[-4:]})
    assert (taken.status_code, taken.json()["code"]) == (409, "document_taken")
    assert seen["id"] == asked["id"]
    assert row is not None
    assert number not in str(dict(row))
    assert gone.json() == {"last4": None}


async def test_rejected_late_and_another_s(client, chain, clock):
    phone, number = await known(client)
    stranger = await register(client)
    asked = await ask(client, chain.till, phone=number)
    path = f"/v1/member/identities/{asked['id']}"

    other = await stranger.call("POST", path, {"decision": "approve"})
    elsewhere = await chain.tills["S1"][1].get(client, f"{ASK}/{asked['id']}")
    answers = await at_once(phone.call("POST", path, {"decision": "reject"}) for _ in range(4))
    late = await ask(client, chain.till, phone=number)
    clock.shift(timedelta(seconds=121))
    over = await phone.call("POST", f"/v1/member/identities/{late['id']}", {"decision": "approve"})

    assert (other.status_code, elsewhere.status_code) == (404, 404)
    assert outcomes(answers) == {200: 1, "identity_decided": 3}
    assert (over.status_code, over.json()["code"]) == (409, "identity_decided")
    assert (await chain.till.get(client, f"{ASK}/{late['id']}")).json()["state"] == "expired"


async def test_a_terminal_that_asks_too_often_is_stopped(client, chain):
    till = chain.tills["S2"][1]

    answers = [await till.post(client, ASK, {"phone": random_phone()}) for _ in range(31)]

    assert outcomes(answers) == {202: 30, "rate_limited": 1}


@pytest.mark.parametrize("body", [{}, {"phone": "13900000000", "card_no": "123456"}, {"phone": "1390000000"}], ids=str)
async def test_exactly_one_number(client, chain, body):
    answer = await chain.till.post(client, ASK, body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/phone")
