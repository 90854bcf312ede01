"""Opaque ids. They order nothing (accounts number their own entries) and tell an outsider nothing.

A document's id carries its member, so that any call by id knows where to look: the shard key travels with it. Its first
letter says what it is: S sale, F refund, A accrual, R recharge, B a till's recharge taken back, D order, Q its payment,
C coupon, G its gift, P pass…
"""

from __future__ import annotations

import hashlib
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U to misread
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_MEMBER_CHARS = 13
_RANDOM_CHARS = 13
DOCUMENT_ID_LENGTH = 1 + _MEMBER_CHARS + _RANDOM_CHARS


def new_bigint() -> int:
    """A random positive 62-bit id for a table row; a collision is refused by the primary key."""
    return secrets.randbits(62) | 1 << 61


def read_bigint(text: str) -> int | None:
    """The row id that a client sent, or None for what cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    value = int(text)
    return value if 0 < value < 1 << 63 else None


def new_token(n_bytes: int = 32) -> str:
    """A secret of ``n_bytes`` random bytes, base64url."""
    return secrets.token_urlsafe(n_bytes)


def _base32(value: int, width: int) -> str:
    chars = []
    for _ in range(width):
        chars.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(chars))


def new_short(prefix: str, width: int = 12) -> str:
    """A short readable id like ``T4Z8Q...``: the prefix and ``width`` random base32 characters."""
    return prefix + _base32(secrets.randbits(width * 5), width)


def short_of(prefix: str, *parts: object, width: int = 12) -> str:
    """The short id that the same parts always give: who creates something twice under one key finds the first."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return prefix + _base32(int.from_bytes(digest) & ((1 << width * 5) - 1), width)


def new_document_id(prefix: str, member_id: int) -> str:
    """An id for a document of that member: one prefix letter, the member, 65 random bits; 27 of ``[0-9A-Z]``."""
    return document_id(prefix, member_id, secrets.randbits(65))


def document_id(prefix: str, member_id: int, random: int) -> str:
    """The id for a document of that member from 65 random bits (a seed's, for data made offline)."""
    return prefix + _base32(member_id, _MEMBER_CHARS) + _base32(random, _RANDOM_CHARS)


def member_of(document_id: str, prefix: str) -> int | None:
    """The member a document id belongs to, or None where it is not an id of that kind."""
    if len(document_id) != DOCUMENT_ID_LENGTH or not document_id.startswith(prefix):
        return None
    value = 0
    for char in document_id[1:]:
        digit = _VALUES.get(char)
        if digit is None:
            return None
        value = value << 5 | digit
    member_id = value >> (5 * _RANDOM_CHARS)
    return member_id if 0 < member_id < 1 << 63 else None
