"""Who was merged into whom: a chain is never longer than one step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.paging import Place

T = TypeVar("T")

_CURRENT = "SELECT coalesce(merged_into, id) FROM member WHERE id = $1"


async def current_id(member_id: int) -> int:
    """The member who is this one now: the one merged into, or itself (also where there is none)."""
    return await db.fetchval(_CURRENT, member_id) or member_id


async def current_id_in(tx: Tx, member_id: int) -> int:
    """The same, as the open transaction sees it."""
    rows = await db.fetch_in(tx, _CURRENT, member_id)
    return rows[0][0] if rows else member_id


async def current_ids(member_ids: Iterable[int]) -> dict[int, int]:
    """The same of many; who was not merged is left out."""
    rows = await db.fetch(
        "SELECT id, merged_into FROM member WHERE id = ANY($1) AND merged_into IS NOT NULL", list(member_ids)
    )
    return {row["id"]: row["merged_into"] for row in rows}


async def ids_of(member_id: int) -> tuple[int, ...]:
    """The ids under which a member has a history: the own one first, then of those merged into them, newest first."""
    rows = await db.fetch("SELECT id FROM member WHERE merged_into = $1 ORDER BY updated_at DESC, id", member_id)
    return (member_id, *(row["id"] for row in rows))


async def find_books(member_id: int, owner_id: int | None) -> int | None:
    """``owner_id`` where their books are this member's to see: their own, or of who was merged into them; else None."""
    if owner_id is None or owner_id == member_id or await current_id(owner_id) == member_id:
        return owner_id
    return None


async def merged_of(member_ids: Iterable[int]) -> dict[int, list[int]]:
    """The ids of those who were merged into each of these members; who took over nobody is left out."""
    found: dict[int, list[int]] = {}
    for row in await db.fetch("SELECT id, merged_into FROM member WHERE merged_into = ANY($1)", list(member_ids)):
        found.setdefault(row["merged_into"], []).append(row["id"])
    return found


async def newest_of_books(
    member_id: int, read: Callable[[int], Awaitable[list[T]]], place: Callable[[T], Place], limit: int
) -> list[T]:
    """A page of what stands on any of a member's books, newest first: ``read`` gives one book's, at most ``limit``."""
    books = await ids_of(member_id)
    if len(books) == 1:
        return await read(member_id)
    found = [one for book in books for one in await read(book)]
    return sorted(found, key=place, reverse=True)[:limit]
