"""Forms of names, numbers and phones; bounds. No I/O, clock or randomness."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from backend.kernel import ids
from backend.kernel.errors import NotFound, invalid
from backend.kernel.paging import read_cursor

NAME_MAX = 40
EARLIEST_BIRTHDAY = date(1900, 1, 1)
ATTRIBUTES_MAX = 50

CONSENT_VERSIONS = {"terms": "1", "privacy": "1"}
"""What must be agreed to, and the version now in force; a new text gets a new version."""

MEMBER_NO_DIGITS = 12
_SEPARATORS = re.compile(r"[\s()\-]")

PLAIN_FIELDS = frozenset({"status", "store_id", "referrer_id", "valid_until", "card_type", "merged_into"})
"""Fields that say nothing of the person: whoever may see a history may see them."""

PIN_TRIES = 5
PIN_LOCK = timedelta(minutes=15)
PIN_TO_SET = timedelta(days=1)
"""How long a PIN that staff ended may be set again by the phone alone."""
PIN_TO_SET = timedelta(days=1)
"""How long a PIN that staff ended may be set again by the phone alone."""

BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(name: str, pointer: str = "/name") -> str:
    """The name without outer white space; refused when empty, longer than 40, or with characters that do not show."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= NAME_MAX:
        raise invalid(pointer, f"must have 1 to {NAME_MAX} characters")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in BIDI for char in name):
        raise invalid(pointer, "contains control characters")
    return name


def check_birthday(birthday: date | None, today: date) -> None:
    """Refuse a birthday in the future or before 1900."""
    if birthday is not None and not EARLIEST_BIRTHDAY <= birthday <= today:
        raise invalid("/birthday", "must lie between 1900-01-01 and today")


def check_consents(consents: Iterable[str]) -> None:
    """Refuse unless exactly what must be agreed to is agreed to."""
    given = set(consents)
    if given != CONSENT_VERSIONS.keys():
        raise invalid("/consents", f"must be {sorted(CONSENT_VERSIONS)}")


def is_phone(text: str) -> bool:
    """Whether this can be a phone number as WeChat tells it: 6–15 digits, after a ``+`` with a foreign country's."""
    digits = text.removeprefix("+")
    return digits.isascii() and digits.isdigit() and 6 <= len(digits) <= 15


def looks_like_phone(text: str) -> bool:
    """Whether this was written as a phone number, with spaces or dashes too; a member number has no ``+``."""
    digits = _SEPARATORS.sub("", text)
    return is_phone(digits) and not (len(digits) == MEMBER_NO_DIGITS and digits.isdigit())


def mask_phone(phone: str) -> str:
    """``138****5678``: three digits, four stars, four digits; less of a short number."""
    if len(phone) < 8:
        return f"{phone[:1]}****{phone[-2:]}"
    return f"{phone[:3]}****{phone[-4:]}"


def mask_name(name: str) -> str:
    """The first character and stars, at most two: a cashier greets with it, a bystander learns little."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), 2)


def shown_value(field: str, value: Any, *, open_: bool) -> tuple[Any, bool]:
    """A field's value as somebody sees it, and whether less of it than there is.

    Phone numbers and addresses of e-mail are masked for everybody; what is personal is hidden from who may not read
    members (``open_``), but for the first character of a name.
    """
    if value is None:
        return None, False
    if field == "phone":
        return mask_phone(str(value)), True
    if field == "email":
        return mask_email(str(value)), True
    if open_ or field in PLAIN_FIELDS:
        return value, False
    return (mask_name(str(value)) if field == "name" else None), True


def mask_email(address: str) -> str:
    """``w***@example.com``: the first character and where it is."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***{at}{domain}"


def luhn_digit(digits: str) -> str:
    """The check digit to append. Source: ISO/IEC 7812-1, annex B (Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def is_member_no(text: str) -> bool:
    """Whether this has the form of a member number: 12 digits, the last one a check digit."""
    return len(text) == 12 and text.isascii() and text.isdigit() and luhn_digit(text[:11]) == text[11]


def make_member_no(random: int) -> str:
    """A member number from a random number below 9 × 10^10: it does not begin with 0 and tells nothing."""
    digits = str(random + 10**10)
    return digits + luhn_digit(digits)


def row_id(text: str) -> int:
    """The id that an address names; ``NotFound`` for what is none."""
    found = ids.read_bigint(text)
    if found is None:
        raise NotFound
    return found


def read_change_place(cursor: str | None) -> int | None:
    """The id before which a list of changes goes on; None for its beginning."""
    if cursor is None:
        return None
    parts = read_cursor(cursor, 1)
    place = ids.read_bigint(parts[0]) if parts else None
    if place is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return place
