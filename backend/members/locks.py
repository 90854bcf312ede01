"""Row locks. Members come first in the lock order; ids ascending. Definitions of attributes come after members."""

from __future__ import annotations

from collections.abc import Iterable

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from . import queries
from .types import Attribute

_COLUMNS = (
    "SELECT id, name, birthday, gender, store_id, referrer_id, level_id, status, growth_fen, attributes, version,"
    " phone_sealed, phone_index, created_at FROM member"
)


async def lock_member(tx: Tx, member_id: int) -> db.Record:
    """A member's row, locked until the transaction ends; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{_COLUMNS} WHERE id = $1 FOR UPDATE", member_id)
    if not rows:
        raise NotFound("there is no such member")
    return rows[0]


async def lock_members(tx: Tx, member_ids: Iterable[int]) -> list[db.Record]:
    """These members' rows, locked in order of id; who is none is absent."""
    wanted = sorted(set(member_ids))
    return await db.fetch_in(tx, f"{_COLUMNS} WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE", wanted)


_BY_PHONE = "id = (SELECT coalesce(merged_into, id) FROM member WHERE phone_index = $1)"


async def lock_by_phone(tx: Tx, phone_index: str) -> db.Record | None:
    """The row of the member with that phone, or of whom they were merged into, locked; None where there is none."""
    rows = await db.fetch_in(tx, f"{_COLUMNS} WHERE {_BY_PHONE} FOR UPDATE", phone_index)
    return rows[0] if rows else None


async def hold_attributes(tx: Tx, codes: Iterable[str]) -> dict[str, Attribute]:
    """These definitions as they stand, and they stay so until the transaction ends: values are written by them."""
    rows = await db.fetch_in(
        tx, f"{queries.DEFINITIONS} WHERE code = ANY($1::text[]) ORDER BY code FOR SHARE", sorted(set(codes))
    )
    return {row["code"]: queries.attribute_of(row) for row in rows}


async def lock_attribute(tx: Tx, code: str) -> Attribute:
    """A definition, locked; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{queries.DEFINITIONS} WHERE code = $1 FOR UPDATE", code)
    if not rows:
        raise NotFound("there is no such attribute")
    return queries.attribute_of(rows[0])
