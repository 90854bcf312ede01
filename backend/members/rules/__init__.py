"""Forms of names, numbers and phones, bounds, and attributes. No I/O, clock or randomness."""

from . import attributes
from .profile import (
    ATTRIBUTES_MAX,
    CONSENT_VERSIONS,
    EARLIEST_BIRTHDAY,
    MEMBER_NO_DIGITS,
    NAME_MAX,
    PIN_LOCK,
    PIN_TO_SET,
    PIN_TRIES,
    PLAIN_FIELDS,
    check_birthday,
    check_consents,
    clean_name,
    is_member_no,
    is_phone,
    looks_like_phone,
    luhn_digit,
    make_member_no,
    mask_email,
    mask_name,
    mask_phone,
    read_change_place,
    row_id,
    shown_value,
)

__all__ = [
    "ATTRIBUTES_MAX", "CONSENT_VERSIONS", "EARLIEST_BIRTHDAY", "MEMBER_NO_DIGITS", "NAME_MAX", "PIN_LOCK", "PIN_TO_SET",
    "PIN_TRIES", "PLAIN_FIELDS", "attributes", "check_birthday", "check_consents", "clean_name",
    "is_member_no", "is_phone", "looks_like_phone", "luhn_digit", "make_member_no", "mask_email", "mask_name",
    "mask_phone", "read_change_place", "row_id", "shown_value",
]  # fmt: skip
