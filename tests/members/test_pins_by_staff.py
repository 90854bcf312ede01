"""PINs ended and unlocked by staff, and set at a till's PIN pad: with the member there, and nobody sees one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from backend.auth import service as auth
from backend.kernel import config, db
from backend.members import service
from backend.members.errors import PinResetRequired
from tests.members.test_pin import check, with_pin
from tests.support.books import fingerprint
from tests.support.members import random_phone, register
from tests.support.races import codes_of, outcomes
from tests.support.staff import log_in
from tests.support.value import give

NEW = "246802"


def path(phone, act: str = "initialise") -> str:
    return f"/v1/admin/members/{phone.member['id']}/pin/{act}"


async def reset(staff, phone, **proof):
    return await staff.post(path(phone), {"reason": "忘记密码"} | (proof or {"code": phone.code()}))


@pytest.fixture
def chain_rules(settings):
    """Rules of the chain for one test."""

    def change(**fields) -> None:
        config.use(msgspec.structs.replace(settings, **fields))

    yield change
    config.use(settings)


@pytest.fixture
def waiting(client, chain):
    """A sale above the password-free limit that waits for the phone."""

    async def sell(phone, fen: int = 30_000) -> str:
        (code,) = await codes_of(phone, 1)
        sale = (await chain.till.sell(client, code, fen=fen)).json()
        assert sale["status"] == "awaiting_confirmation", sale
        return sale["id"]

    return sell


async def approve(phone, sale_id: str, pin: str):
    return await phone.call("POST", f"/v1/member/confirmations/{sale_id}", {"decision": "approve", "pin": pin})


async def test_the_old_pin_is_dead_at_once_and_nothing_large_is_paid_until_the_phone_set_another(
    client, chain, waiting
):
    phone, _ = await with_pin(client)
    await give(phone.member_id, principal=100_000)
    admin = await log_in(client, chain, "admin")
    sale_id = await waiting(phone)
    done = await reset(admin, phone)
    refused = await approve(phone, sale_id, "135790")
    without = await phone.call("POST", f"/v1/member/confirmations/{sale_id}", {"decision": "approve"})
    profile = (await phone.call("GET", "/v1/member/profile")).json()
    again = await phone.call("PUT", "/v1/member/pin", {"pin": NEW})
    paid = await approve(phone, sale_id, NEW)

    assert (done.status_code, done.json()["state"]) == (200, "to_set")
    assert {refused.json()["code"], without.json()["code"]} == {"pin_reset_required"}
    assert (profile["pin_set"], again.status_code) == (False, 204)
    assert (paid.status_code, paid.json()["status"]) == (200, "completed")
    assert await check(phone.member_id, "135790") == "pin_invalid"


async def test_after_a_reset_only_the_allowance_is_confirmed_and_exactly_that(client, chain, waiting, clock):
    phone, _ = await with_pin(client)
    await give(phone.member_id, principal=1_000_000)
    admin = await log_in(client, chain, "admin")
    await reset(admin, phone)
    await phone.call("PUT", "/v1/member/pin", {"pin": NEW})
    sales = [await waiting(phone, 25_001) for _ in range(2)]
    answers = await asyncio.gather(*(approve(phone, sale_id, NEW) for sale_id in sales))
    shown = (await admin.get(f"/v1/admin/members/{phone.member['id']}/pin")).json()
    await chain.till.post(client, "/v1/pos/pins", {"code": (await codes_of(phone, 1))[0], "pin": NEW})
    renewed = (await admin.get(f"/v1/admin/members/{phone.member['id']}/pin")).json()
    clock.shift(timedelta(hours=25))
    later = await check(phone.member_id, NEW)

    assert renewed["lower_left_fen"] == 50_000 - 25_001  # the next act gives no new allowance
    assert renewed["lower_until"] > shown["lower_until"]
    assert outcomes(answers) == {200: 1, "pin_allowance": 1}
    (refused,) = [answer.json() for answer in answers if answer.status_code == 409]
    assert refused["left_fen"] == 50_000 - 25_001
    assert (shown["state"], shown["lower_left_fen"]) == ("set", 50_000 - 25_001)
    assert later == "passed"


async def test_a_code_proves_presence_once_and_only_its_own_members(client, chain, settings):
    phone, _ = await with_pin(client)
    other = await register(client)
    await give(phone.member_id, principal=10_000)
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S2")
    code = phone.code()
    before = await fingerprint(settings)
    wrong = [
        await reset(admin, phone, code=other.code()),
        await reset(admin, phone, code="1" * 20),
        await reset(admin, phone, phone_code=f"phone-{other.member['phone_masked'][:3]}00000000"),
        await admin.post(path(phone), {"reason": "x"}),
        await manager.post(path(phone), {"reason": "x", "code": other.code()}),
    ]
    unchanged = await fingerprint(settings) == before
    first = await reset(manager, phone, code=code)
    second = await reset(admin, phone, code=code)
    sold = await chain.till.sell(client, code)

    assert [answer.json()["code"] for answer in wrong] == [
        "member_not_present", "code_invalid", "not_found", "validation_failed", "not_found",
    ]  # fmt: skip
    assert unchanged
    assert (first.status_code, second.json()["code"], sold.json()["code"]) == (200, "code_used", "code_used")
    assert len(first.json()["acts"]) == 1


async def test_a_fresh_phone_code_of_the_own_number_proves_it_too(client, chain):
    number = random_phone()
    phone = await register(client, phone=number)
    admin = await log_in(client, chain, "admin")
    done = await reset(admin, phone, phone_code=f"phone-{number}")

    assert (done.json()["state"], done.json()["acts"][0]["proof"]) == ("to_set", "phone")
    assert await check(phone.member_id, None) == "pin_reset_required"


async def test_a_locked_pin_is_unlocked_and_stays_as_it_was(client, chain):
    phone, _ = await with_pin(client)
    admin = await log_in(client, chain, "admin")
    (early, code) = await codes_of(phone, 2)
    not_locked = await admin.post(path(phone, "unlock"), {"code": early, "reason": "x"})
    for _ in range(5):
        assert await check(phone.member_id, "000000") == "pin_invalid"
    assert await check(phone.member_id, "135790") == "pin_locked"
    done = await admin.post(path(phone, "unlock"), {"code": code, "reason": "会员在场"})

    assert not_locked.json()["code"] == "pin_conflict"
    assert (done.status_code, done.json()["locked_until"]) == (200, None)
    assert await check(phone.member_id, "135790") == "passed"


async def test_a_member_types_a_new_pin_at_the_till_with_a_code_for_it(client, chain, settings):
    phone, _ = await with_pin(client)
    code = phone.code()
    done = await chain.till.post(client, "/v1/pos/pins", {"code": code, "pin": NEW, "cashier": "C1"})
    before = await fingerprint(settings)
    again = await chain.till.post(client, "/v1/pos/pins", {"code": code, "pin": "999999"})

    assert (done.status_code, again.json()["code"]) == (204, "code_used")
    assert await fingerprint(settings) == before
    assert (await check(phone.member_id, "135790"), await check(phone.member_id, NEW)) == ("pin_invalid", "passed")
    rows = await db.fetch("SELECT actor, act, proof FROM member_pin_act WHERE member_id = $1", phone.member_id)
    assert tuple(rows[0]) == (f"terminal/{chain.till.terminal_id}", "set_at_till", "code")


async def test_a_code_that_somebody_has_been_guessing_at_proves_nothing_until_the_phone_shows_a_new_one(
    client, chain, settings
):
    phone, _ = await with_pin(client)
    admin = await log_in(client, chain, "admin")
    async with db.transaction() as tx:
        await auth.mark_handle_suspect(tx, phone.device["handle"])
    code = phone.code()
    before = await fingerprint(settings)
    tried = [
        await reset(admin, phone, code=code),
        await chain.till.post(client, "/v1/pos/pins", {"code": code, "pin": NEW}),
    ]
    unchanged = await fingerprint(settings) == before
    tried.append(await admin.post("/v1/admin/contacts/lookup", {"code": code}))
    phone.device |= (await phone.call("POST", f"/v1/member/devices/{phone.device['device_id']}/rotate")).json()
    anew = await chain.till.post(client, "/v1/pos/pins", {"code": phone.code(), "pin": NEW})

    assert outcomes(tried) == {"code_expired": 3}
    assert unchanged
    assert anew.status_code == 204


async def test_so_many_a_day_and_the_last_one_once(client, chain, chain_rules, clock):
    phones = [await register(client) for _ in range(4)]
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S1")
    actor = f"staff/{(await admin.get('/v1/admin/me')).json()['staff']['id']}"
    done = await db.fetchval("SELECT count(*) FROM member_pin_act WHERE actor = $1", actor)
    chain_rules(pin_acts_per_day=done + 2)
    answers = await asyncio.gather(*(reset(admin, phone) for phone in phones))
    assert outcomes(answers) == {200: 2, "pin_acts_limit": 2}
    refused = next(phone for phone, answer in zip(phones, answers, strict=True) if answer.status_code == 409)
    by_another = await reset(manager, refused, code=(await codes_of(refused, 1))[0])
    clock.shift(timedelta(days=1))
    tomorrow = await reset(await log_in(client, chain, "admin"), phones[0])

    assert (by_another.status_code, tomorrow.status_code) == (200, 200)


async def test_what_was_initialised_a_day_ago_takes_a_phone_code(client, chain, clock):
    phone, number = await with_pin(client)
    await reset(await log_in(client, chain, "admin"), phone)
    clock.shift(timedelta(days=1))
    await phone_again(phone)
    late = await phone.call("PUT", "/v1/member/pin", {"pin": NEW})
    proven = await phone.call("PUT", "/v1/member/pin", {"pin": NEW, "phone_code": f"phone-{number}"})

    assert (late.json()["code"], proven.status_code) == ("pin_required", 204)
    assert await check(phone.member_id, NEW) == "passed"


async def phone_again(phone) -> None:
    tokens = (await phone.client.post("/v1/member/token", json={"refresh_token": phone.refresh_token})).json()
    phone.access_token = tokens["access_token"]


async def test_a_pin_that_is_ended_while_it_is_judged_confirms_nothing(client, chain, monkeypatch):
    """The hash takes its time; meanwhile staff end the PIN: what was right when it was typed is right no more."""
    phone, _ = await with_pin(client)
    admin = await log_in(client, chain, "admin")
    matches = auth.matches

    async def ended_meanwhile(stored: str, given: str) -> bool:
        right = await matches(stored, given)
        assert (await reset(admin, phone)).status_code == 200
        return right

    monkeypatch.setattr(auth, "matches", ended_meanwhile)
    with pytest.raises(PinResetRequired):
        await service.check_pin(phone.member_id, "135790")


async def test_nobody_is_told_the_pin_and_the_log_says_what_was_done(client, chain):
    phone, _ = await with_pin(client)
    admin = await log_in(client, chain, "admin")
    answer = await reset(admin, phone)
    log = (await admin.get("/v1/admin/audit?limit=20")).text

    assert "135790" not in answer.text + log
    assert "/pin/initialise" in log
