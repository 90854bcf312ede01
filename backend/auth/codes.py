"""The dynamic codes of a phone: the member code, and the one by which somebody of the staff authorises at a till.

Source: DESIGN section 4; RFC 4226 section 5.3 (truncation); ISO/IEC 7812-1 annex B (Luhn).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from enum import Enum

LENGTH = 20
HANDLE_DIGITS = 9
OTP_DIGITS = 8
STEP_SECONDS = 15
OLDER_STEPS = 40
"""How many steps before the accepted ones are tried, to say ``expired`` instead of ``invalid``."""

_DUMMY_SECRET = bytes(32)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class Purpose(Enum):
    """What a code is shown for: its prefix, and what goes into its digits. A code of one is never one of another."""

    MEMBER = ("70", b"mc1")
    AUTHORISE = ("71", b"ac1")

    def __init__(self, prefix: str, label: bytes) -> None:
        self.prefix = prefix
        self.label = label


class Verdict(Enum):
    """What a code is worth before its single use is decided."""

    GOOD = "good"
    EXPIRED = "expired"
    INVALID = "invalid"


def luhn_digit(digits: str) -> int:
    """The check digit that follows ``digits``."""
    total = 0
    for position, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        total += value if position % 2 else _DOUBLED[value]
    return -total % 10


def step_at(unix_seconds: float) -> int:
    """The step of an instant."""
    return int(unix_seconds // STEP_SECONDS)


def otp(secret: bytes, handle: str, step: int, purpose: Purpose = Purpose.MEMBER) -> str:
    """The eight digits of a device for a step."""
    digest = hmac.digest(secret, purpose.label + handle.encode("ascii") + struct.pack(">Q", step), hashlib.sha256)
    offset = digest[-1] & 0xF
    value = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{value % 10**OTP_DIGITS:0{OTP_DIGITS}d}"


def make(secret: bytes, handle: str, step: int, purpose: Purpose = Purpose.MEMBER) -> str:
    """The whole code: 20 digits."""
    body = purpose.prefix + handle + otp(secret, handle, step, purpose)
    return body + str(luhn_digit(body))


def parse(code: str, purpose: Purpose = Purpose.MEMBER) -> tuple[str, str] | None:
    """Handle and OTP of a well-formed code, None for anything else (wrong length, prefix or check digit)."""
    if len(code) != LENGTH or not code.isascii() or not code.isdigit() or not code.startswith(purpose.prefix):
        return None
    if luhn_digit(code[:-1]) != int(code[-1]):
        return None
    return code[2 : 2 + HANDLE_DIGITS], code[2 + HANDLE_DIGITS : -1]


def judge(
    secret: bytes | None,
    handle: str,
    given: str,
    steps: range,
    *,
    older: int = OLDER_STEPS,
    purpose: Purpose = Purpose.MEMBER,
) -> tuple[Verdict, int]:
    """The verdict on an OTP and the step it belongs to (0 where it belongs to none).

    Takes the same time for an unknown handle (``secret`` None) as for a known one with a wrong OTP.

    Args:
        steps: accepted steps, ascending.
        older: how many steps before them to try for ``EXPIRED``.
    """
    key = secret if secret is not None else _DUMMY_SECRET
    found = 0
    for step in steps:
        if hmac.compare_digest(otp(key, handle, step, purpose), given):
            found = step
    if found and secret is not None:
        return Verdict.GOOD, found
    expired = 0
    for step in range(max(0, steps.start - older), steps.start):
        if hmac.compare_digest(otp(key, handle, step, purpose), given):
            expired = step
    if expired and secret is not None:
        return Verdict.EXPIRED, expired
    return Verdict.INVALID, 0


def accepted_steps(unix_seconds: float) -> range:
    """The current step and the one before: a code dies within 30 seconds. No future step."""
    step = step_at(unix_seconds)
    return range(step - 1, step + 1)


def offline_steps(unix_seconds: float, *, slack_s: int = 60) -> range:
    """The steps a till's clock may have meant when it took a code offline."""
    return range(step_at(unix_seconds - slack_s), step_at(unix_seconds + slack_s) + 1)
