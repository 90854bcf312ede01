"""Who has the number at hand and not the app reads out a code sent by SMS: once, at that till, for that purpose."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from backend.identities import jobs, rules
from backend.kernel import clock as kernel_clock
from backend.kernel import config, db
from backend.messages import service as messages
from backend.messages.channels import TryAgain
from tests.support.members import random_phone, register
from tests.support.races import at_once, outcomes
from tests.support.value import give

ASK = "/v1/pos/identities"
AGAIN = rules.CODE_AGAIN + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def spending(settings) -> Iterator[None]:
    """The chain lets people spend by SMS."""
    config.use(msgspec.structs.replace(settings, identity_sms="spend"))
    yield
    config.use(settings)


async def asked(client, till, number) -> str:
    answer = await till.post(client, ASK, {"phone": number})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def send(client, till, request_id, purpose="earn"):
    answer = await till.post(client, f"{ASK}/{request_id}/sms", {"purpose": purpose})
    if answer.status_code == 202:
        number = await db.fetchval("SELECT codes FROM identity_request WHERE id = $1", int(request_id))
        for _ in range(2):  # a job may run twice
            await jobs.send_code(request_id, number)
    return answer


async def texts(client, number) -> list[str]:
    answer = await client.get("/mock/sms/sent", params={"phone": number})
    return [item["text"] for item in answer.json()["items"]]


async def code_of(client, number) -> str:
    found = re.search(r"验证码(\d{6})", (await texts(client, number))[0])
    assert found is not None
    return found[1]


async def say(client, till, request_id, code):
    return await till.post(client, f"{ASK}/{request_id}/code", {"code": code})


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def sale(token):
    lines = [{"sku": "X-1", "qty": 1, "unit_price_fen": 1_000}]
    return {"scan_token": token, "order_no": uuid.uuid4().hex[:16], "lines": lines}


@pytest.mark.parametrize(("purpose", "status"), [("earn", "awaiting_confirmation"), ("spend", "completed")])
async def test_the_code_is_good_once_at_this_till_for_what_it_was_asked_for(client, chain, books, purpose, status):
    number, (till, neighbour) = random_phone(), chain.tills["S1"]
    phone = await register(client, phone=number)
    await give(phone.member_id, principal=5_000)
    request_id = await asked(client, till, number)
    sent = await send(client, till, request_id, purpose)
    (text,) = await texts(client, number)
    code = await code_of(client, number)

    elsewhere = await say(client, neighbour, request_id, code)
    miss = await say(client, till, request_id, wrong(code))
    right = await say(client, till, request_id, code)
    twice = await say(client, till, request_id, code)
    sold = await till.post(client, "/v1/pos/sales", sale(right.json()["scan"]["scan_token"]))

    assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
    assert "南京路店收银台确认会员身份" in text
    assert ("使用余额" in text) is (purpose == "spend")
    assert elsewhere.status_code == 404
    assert (miss.status_code, miss.json()["code"], miss.json()["tries_left"]) == (422, "identity_code_invalid", 4)
    assert (right.status_code, right.json()["rights"]) == (200, purpose)
    assert (twice.status_code, twice.json()["code"]) == (409, "identity_decided")
    assert (sold.status_code, sold.json()["status"]) == (201, status)
    row = await db.fetchrow("SELECT * FROM identity_request WHERE id = $1", int(request_id))
    assert row is not None
    assert row["code_sealed"] is None, "nothing of it is kept once it went"
    assert code not in str(dict(row))


async def test_tries_are_bounded_however_many_at_once_and_however_many_codes(client, chain, clock):
    number, till = random_phone(), chain.till
    await register(client, phone=number)
    request_id = await asked(client, till, number)
    await send(client, till, request_id)
    code = await code_of(client, number)

    tried = await at_once(say(client, till, request_id, wrong(code)) for _ in range(8))
    clock.freeze(kernel_clock.now() + AGAIN)
    await send(client, till, request_id)
    late = await say(client, till, request_id, await code_of(client, number))

    assert outcomes(tried) == {"identity_code_invalid": 5, "identity_code_locked": 3}
    assert (late.status_code, late.json()["code"]) == (429, "identity_code_locked")
    until = await db.fetchval("SELECT expires_at FROM identity_request WHERE id = $1", int(request_id))
    assert int(late.headers["Retry-After"]) == (until - kernel_clock.now()).total_seconds()


async def test_a_newer_code_voids_the_one_before_and_there_are_three(client, chain, clock):
    number, till = random_phone(), chain.till
    await register(client, phone=number)
    request_id = await asked(client, till, number)
    await send(client, till, request_id)
    first = await code_of(client, number)
    clock.freeze(kernel_clock.now())
    await db.pool().execute(
        "UPDATE identity_request SET code_at = $2 WHERE id = $1",
        *(int(request_id), kernel_clock.now() - timedelta(seconds=10)),
    )
    soon = await send(client, till, request_id)
    for _ in range(2):
        clock.freeze(kernel_clock.now() + AGAIN)
        await send(client, till, request_id, "spend")
    clock.freeze(kernel_clock.now() + AGAIN)
    asked_at = kernel_clock.now()
    fourth = await send(client, till, request_id)

    old = await say(client, till, request_id, first)
    clock.freeze(kernel_clock.now() + rules.CODE_FOR)
    over = await say(client, till, request_id, await code_of(client, number))

    assert len(await texts(client, number)) == 3
    assert (soon.status_code, soon.json()["code"]) == (429, "identity_code_locked")
    assert soon.headers["Retry-After"] == "20"
    assert fourth.status_code == 429
    until = await db.fetchval("SELECT expires_at FROM identity_request WHERE id = $1", int(request_id))
    assert int(fourth.headers["Retry-After"]) == (until - asked_at).total_seconds()
    assert old.json()["code"] == "identity_code_invalid"
    assert (over.status_code, over.json()["code"]) == (409, "identity_decided")


async def test_a_member_is_sent_six_codes_an_hour_however_often_the_gateway_was_tried(client, chain, clock):
    number, till = random_phone(), chain.tills["S1"][0]
    await register(client, phone=number)
    request_id = await asked(client, till, number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "send_sms", down)
        await till.post(client, f"{ASK}/{request_id}/sms", {})
        for _ in range(rules.MEMBER_CODES + 1):
            with pytest.raises(TryAgain):
                await jobs.send_code(request_id, 1)
    await jobs.send_code(request_id, 1)
    after = len(await texts(client, number))
    for count in (2, 3, 2):
        for _ in range(count):
            clock.shift(AGAIN)
            assert (await send(client, till, request_id)).status_code == 202
        request_id = await asked(client, till, number)

    assert (after, len(await texts(client, number))) == (1, rules.MEMBER_CODES)


async def down(*_: object) -> bool:
    raise TryAgain


async def test_nobody_s_number_is_answered_alike_and_gets_nothing(client, chain):
    mine, nobody, till = random_phone(), random_phone(), chain.tills["S2"][0]
    await register(client, phone=mine)
    said = []
    for number in (mine, nobody):
        request_id = await asked(client, till, number)
        answers = [await send(client, till, request_id)]
        answers += [await say(client, till, request_id, "000000") for _ in range(6)]
        said.append([(one.status_code, sorted(one.json()), one.json().get("code")) for one in answers])

    assert said[0] == said[1]
    assert (len(await texts(client, mine)), await texts(client, nobody)) == (1, [])


@pytest.mark.parametrize(("allowed", "purpose"), [("off", "earn"), ("earn", "spend")])
async def test_what_the_chain_does_not_allow_is_not_sent(client, chain, settings, allowed, purpose):
    config.use(msgspec.structs.replace(settings, identity_sms=allowed))
    number, till = random_phone(), chain.tills["S2"][0]
    await register(client, phone=number)
    request_id = await asked(client, till, number)

    refused = await send(client, till, request_id, purpose)

    assert (refused.status_code, refused.json()["code"]) == (409, "identity_sms_unavailable")
    assert await texts(client, number) == []
