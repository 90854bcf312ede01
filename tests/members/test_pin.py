"""The payment PIN: setting it, counting wrong ones, locking, unlocking."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backend.kernel import db
from backend.kernel.errors import DomainError
from backend.members import service
from backend.members.errors import PinLocked
from tests.support.members import random_phone, register


async def with_pin(client, pin: str = "135790"):
    number = random_phone()
    phone = await register(client, phone=number)
    answer = await phone.call("PUT", "/v1/member/pin", {"pin": pin})
    assert answer.status_code == 204, answer.text
    return phone, number


async def check(member_id: int, pin: str | None) -> str:
    try:
        await service.check_pin(member_id, pin)
    except DomainError as refusal:
        return refusal.code
    return "passed"


async def test_without_a_pin_nothing_is_asked(client, chain):
    phone = await register(client)

    assert await check(phone.member_id, None) == "passed"
    assert await check(phone.member_id, "000000") == "passed"


async def test_a_pin_once_set_is_asked_for(client, chain):
    phone, _ = await with_pin(client)

    assert await check(phone.member_id, None) == "pin_required"
    assert await check(phone.member_id, "000000") == "pin_invalid"
    assert await check(phone.member_id, "135790") == "passed"


async def test_five_wrong_ones_lock_it_for_a_quarter_of_an_hour(client, chain, clock):
    phone, _ = await with_pin(client)
    for _ in range(5):
        assert await check(phone.member_id, "000000") == "pin_invalid"

    assert await check(phone.member_id, "135790") == "pin_locked"
    with pytest.raises(PinLocked) as locked:
        await service.check_pin(phone.member_id, "135790")
    assert locked.value.retry_after_s is not None
    assert 0 < locked.value.retry_after_s <= 900
    clock.shift(timedelta(minutes=15, seconds=1))
    assert await check(phone.member_id, "000000") == "pin_invalid"
    assert await check(phone.member_id, "135790") == "passed"


async def test_a_right_one_forgets_the_wrong_ones(client, chain):
    phone, _ = await with_pin(client)

    for _ in range(3):
        for _ in range(4):
            assert await check(phone.member_id, "000000") == "pin_invalid"
        assert await check(phone.member_id, "135790") == "passed"


async def test_tries_at_the_same_moment_cannot_share_one(client, chain):
    phone, _ = await with_pin(client)

    verdicts = await asyncio.gather(*(check(phone.member_id, f"{n:06d}") for n in range(12)))

    assert sorted(verdicts) == ["pin_invalid"] * 5 + ["pin_locked"] * 7


async def test_changing_it_needs_the_current_one(client, chain):
    phone, _ = await with_pin(client)

    without = await phone.call("PUT", "/v1/member/pin", {"pin": "111222"})
    wrong = await phone.call("PUT", "/v1/member/pin", {"pin": "111222", "current_pin": "000000"})
    right = await phone.call("PUT", "/v1/member/pin", {"pin": "111222", "current_pin": "135790"})

    assert (without.status_code, without.json()["code"]) == (409, "pin_required")
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["tries_left"]) == (422, "pin_invalid", 4)
    assert right.status_code == 204
    assert await check(phone.member_id, "111222") == "passed"


async def test_the_own_phone_number_replaces_and_unlocks_it(client, chain):
    phone, number = await with_pin(client)
    for _ in range(5):
        await check(phone.member_id, "000000")

    other = await phone.call("PUT", "/v1/member/pin", {"pin": "111222", "phone_code": f"phone-{random_phone()}"})
    own = await phone.call("PUT", "/v1/member/pin", {"pin": "111222", "phone_code": f"phone-{number}"})

    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/phone_code")
    assert own.status_code == 204
    assert await check(phone.member_id, "111222") == "passed"


@pytest.mark.parametrize("pin", ["12345", "1234567", "12345a", "１２３４５６", "", 123456, None])
async def test_a_pin_has_six_digits(client, chain, pin):
    phone = await register(client)

    answer = await phone.call("PUT", "/v1/member/pin", {"pin": pin})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/pin"


async def test_a_locked_pin_answers_429_over_http(client, chain):
    phone, _ = await with_pin(client)
    for _ in range(5):
        await phone.call("PUT", "/v1/member/pin", {"pin": "111222", "current_pin": "000000"})

    answer = await phone.call("PUT", "/v1/member/pin", {"pin": "111222", "current_pin": "135790"})

    assert (answer.status_code, answer.json()["code"]) == (429, "pin_locked")
    assert int(answer.headers["retry-after"]) > 0


async def test_the_hash_is_peppered(client, database, chain):
    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError

    phone, _ = await with_pin(client)
    stored = await db.fetchval("SELECT pin_hash FROM member_pin WHERE member_id = $1", phone.member_id)

    assert stored.startswith("$argon2id$")
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(stored, "135790")
