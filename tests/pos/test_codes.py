"""The dynamic code: its form, its life of two steps, and what is not one."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.auth import codes
from backend.auth.codes import Verdict

SECRET = bytes(range(32))
HANDLE = "123456789"
secrets = st.binary(min_size=32, max_size=32)
handles = st.integers(0, 10**9 - 1).map(lambda number: f"{number:09d}")
steps = st.integers(1000, 2**40)


def test_code_follows_the_published_formula():
    step = 118_000_000
    digest = hmac.new(SECRET, b"mc1" + b"123456789" + step.to_bytes(8, "big"), hashlib.sha256).digest()
    offset = digest[31] & 15
    expected = (int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF) % 10**8

    code = codes.make(SECRET, HANDLE, step)

    assert code[:11] == "70123456789"
    assert code[11:19] == f"{expected:08d}"
    assert len(code) == 20


def test_luhn_digit_of_the_standard_example():
    assert codes.luhn_digit("7992739871") == 3


@given(secrets, handles, steps)
def test_a_code_is_good_in_its_step_and_the_next_and_then_expired(secret, handle, step):
    handle_read, otp = codes.parse(codes.make(secret, handle, step))

    now, after, later = (codes.judge(secret, handle, otp, codes.accepted_steps((step + n) * 15)) for n in (0, 1, 2))

    assert handle_read == handle
    assert now[0] is after[0] is Verdict.GOOD
    assert now[1] == step or codes.otp(secret, handle, step - 1) == otp
    assert later[0] is Verdict.EXPIRED or later[1] > step  # a newer step may have the same digits


@given(secrets, handles, steps)
def test_a_code_of_a_future_step_is_not_good(secret, handle, step):
    _, otp = codes.parse(codes.make(secret, handle, step))

    verdict, found = codes.judge(secret, handle, otp, codes.accepted_steps(step * 15 - 1))

    assert verdict is Verdict.INVALID or found < step


@given(handles, steps)
def test_an_unknown_handle_is_invalid_even_with_the_dummy_key(handle, step):
    otp = codes.otp(bytes(32), handle, step)

    assert codes.judge(None, handle, otp, range(step - 1, step + 1)) == (Verdict.INVALID, 0)


@pytest.mark.parametrize("secret", [SECRET, None], ids=["known handle", "unknown handle"])
@pytest.mark.parametrize("digits", range(8), ids=lambda right: f"{right} digits right")
def test_a_wrong_code_costs_the_same_work_whatever_is_wrong_with_it(monkeypatch, secret, digits):
    """How long a refusal takes must not tell which handles exist, or how much of a guess was right."""
    right = codes.otp(SECRET, HANDLE, 1_000)
    guess = right[:digits] + "".join(str((int(digit) + 5) % 10) for digit in right[digits:])
    done: Counter[str] = Counter()
    for name in ("digest", "compare_digest"):
        monkeypatch.setattr(hmac, name, counting(done, name))

    verdict, _ = codes.judge(secret, HANDLE, guess, range(999, 1_001))

    assert verdict is Verdict.INVALID
    assert done == {"digest": 2 + codes.OLDER_STEPS, "compare_digest": 2 + codes.OLDER_STEPS}


def counting(done: Counter[str], name: str) -> Callable[..., object]:
    """The function of ``hmac``, whose calls are counted."""
    function = getattr(hmac, name)

    def counted(*args: object) -> object:
        done[name] += 1
        return function(*args)

    return counted


@given(st.text(max_size=40))
def test_garbage_is_no_code(text):
    parsed = codes.parse(text)

    assert parsed is None or (len(text) == 20 and text.startswith("70") and text.isascii() and text.isdigit())


@given(secrets, handles, steps, st.integers(0, 19), st.integers(1, 9))
def test_one_changed_digit_is_caught_by_the_check_digit(secret, handle, step, position, by):
    code = codes.make(secret, handle, step)
    changed = code[:position] + str((int(code[position]) + by) % 10) + code[position + 1 :]

    assert codes.parse(changed) is None
