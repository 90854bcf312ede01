"""Reads of single members, by id, number and phone."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.errors import NotFound
from backend.kernel.vault import vault

from .. import rules
from ..types import Gender, Listed, Member, Named, Status, Validity
from .levels import get_level

PHONE_CONTEXT = "member.phone"
"""The vault's context of phone numbers and of their index."""


def phone_index(phone: str) -> str:
    """What a phone number is found by."""
    return vault().blind_index(phone, context=PHONE_CONTEXT)


MEMBER = (
    "SELECT id, member_no, name, phone_sealed, birthday, gender, store_id, level_id, status, growth_fen, attributes,"
    " created_at, version, valid_from, valid_until,"
    " EXISTS (SELECT FROM member_pin p WHERE p.member_id = member.id AND p.initialised_at IS NULL)"
    " AS pin_set FROM member"
)


async def member_of(row: db.Record) -> Member:
    """A member from a row of ``MEMBER``."""
    return Member(
        id=row["id"],
        member_no=row["member_no"],
        name=row["name"],
        phone_masked=rules.mask_phone(open_phone(row["phone_sealed"])),
        birthday=row["birthday"],
        gender=Gender(row["gender"]),
        store_id=row["store_id"],
        level=await get_level(row["level_id"]),
        status=Status(row["status"]),
        growth_fen=row["growth_fen"],
        attributes=msgspec.json.decode(row["attributes"]),
        created_at=row["created_at"],
        pin_set=row["pin_set"],
        version=row["version"],
        validity=Validity(row["valid_from"], row["valid_until"]),
    )


def open_phone(sealed: str) -> str:
    """The phone number in a member's row; empty where the member was erased."""
    if not sealed:
        return ""
    return vault().open(sealed, context=PHONE_CONTEXT).decode()


async def find_member(member_id: int) -> Member | None:
    """A member, or None."""
    row = await db.fetchrow(f"{MEMBER} WHERE id = $1", member_id)
    return await member_of(row) if row else None


async def list_people(member_ids: Iterable[int]) -> dict[int, Member]:
    """These members, by id; who is none is absent."""
    rows = await db.fetch(f"{MEMBER} WHERE id = ANY($1)", list(member_ids))
    return {row["id"]: await member_of(row) for row in rows}


async def get_member(member_id: int) -> Member:
    """A member; ``NotFound`` for none."""
    member = await find_member(member_id)
    if member is None:
        raise NotFound("there is no such member")
    return member


async def find_id_by_number(member_no: str) -> int | None:
    """The member who has that number, or whom its member was merged into; None for nobody."""
    if not rules.is_member_no(member_no):
        return None
    member_id: int | None = await db.fetchval(
        "SELECT coalesce(merged_into, id) FROM member WHERE member_no = $1", member_no
    )
    return member_id


async def list_numbers(member_ids: Sequence[int]) -> dict[int, str]:
    """The numbers of these members, by id; who is none is absent."""
    rows = await db.fetch("SELECT id, member_no FROM member WHERE id = ANY($1)", list(member_ids))
    return {row["id"]: row["member_no"] for row in rows}


async def list_by_numbers(member_nos: Sequence[str]) -> dict[str, tuple[int, str | None]]:
    """The members who have these numbers, with their stores, by number; what is nobody's is absent.

    The number of who was merged into another is the other's.
    """
    rows = await db.fetch(
        "SELECT m.member_no, now.id, now.store_id FROM member m"
        " JOIN member now ON now.id = coalesce(m.merged_into, m.id) WHERE m.member_no = ANY($1)",
        list(member_nos),
    )
    return {row["member_no"]: (row["id"], row["store_id"]) for row in rows}


async def list_by_phone_index(indexes: Sequence[str]) -> dict[str, int]:
    """The members who have the phones with these indexes; what is nobody's is absent."""
    rows = await db.fetch("SELECT phone_index, id FROM member WHERE phone_index = ANY($1)", list(indexes))
    return {row["phone_index"]: row["id"] for row in rows}


async def find_phone_index(member_id: int) -> str | None:
    """The index of a member's phone, to compare with ``phone_index``."""
    index: str | None = await db.fetchval("SELECT phone_index FROM member WHERE id = $1", member_id)
    return index


async def find_id_by_phone(phone: str) -> int | None:
    """The member whose phone number this is, or whom its member was merged into; None for nobody."""
    member_id: int | None = await db.fetchval(
        "SELECT coalesce(merged_into, id) FROM member WHERE phone_index = $1", phone_index(phone)
    )
    return member_id


async def list_named(member_ids: Sequence[int]) -> dict[int, Named]:
    """Names, numbers and levels of these members, by id; a number that is no member's is left out."""
    rows = await db.fetch(
        "SELECT m.id, m.member_no, m.name, l.name AS level, m.status, m.store_id"
        " FROM member m JOIN member_level l ON l.code = m.level_id WHERE m.id = ANY($1)",
        list(member_ids),
    )
    return {row["id"]: Named(**dict(row) | {"status": Status(row["status"])}) for row in rows}


async def find_phone(member_id: int) -> str | None:
    """A member's phone number, for a message to it, or None for no member; never for a log."""
    sealed: str | None = await db.fetchval("SELECT phone_sealed FROM member WHERE id = $1", member_id)
    return open_phone(sealed) if sealed else None


async def has_phone_ending(member_id: int, digits: str) -> bool:
    """Whether a member's phone number ends in these digits; compared in constant time."""
    sealed: str | None = await db.fetchval("SELECT phone_sealed FROM member WHERE id = $1", member_id)
    return sealed is not None and hmac.compare_digest(open_phone(sealed)[-len(digits) :].encode(), digits.encode())


async def list_masked(member_ids: Iterable[int]) -> dict[int, Listed]:
    """Members for a list that staff are shown, by id; those that are not there are absent."""
    rows = await db.fetch(
        "SELECT id, member_no, name, store_id, level_id, birthday, status FROM member WHERE id = ANY($1)",
        list(member_ids),
    )
    return {
        row["id"]: Listed(
            id=row["id"],
            member_no=row["member_no"],
            name_masked=rules.mask_name(row["name"]),
            store_id=row["store_id"],
            level=row["level_id"],
            birthday=row["birthday"],
            status=Status(row["status"]),
        )
        for row in rows
    }


async def list_consents(member_id: int) -> list[tuple[str, str, datetime]]:
    """What a member agreed to: kind, version, when."""
    rows = await db.fetch(
        "SELECT kind, version, agreed_at FROM member_consent WHERE member_id = $1 ORDER BY agreed_at, kind", member_id
    )
    return [(row["kind"], row["version"], row["agreed_at"]) for row in rows]
