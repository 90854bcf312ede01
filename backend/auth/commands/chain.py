"""Shops and tills."""

from __future__ import annotations

from backend.auth import service, tills
from backend.auth.types import StaffCaller, Store
from backend.kernel import db
from backend.kernel.errors import NotFound


async def create_store(store: Store) -> None:
    """Add a shop."""
    async with db.transaction() as tx:
        await service.create_store(tx, store)
    tills.forget()


async def create_terminal(caller: StaffCaller, store_id: str, name: str, terminal_id: str | None) -> tuple[str, str]:
    """Add a till to a shop the caller may see; returns its id and secret, once."""
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    async with db.transaction() as tx:
        made = await service.create_terminal(tx, store_id, name, terminal_id=terminal_id)
    tills.forget()
    return made


async def rotate_terminal(caller: StaffCaller, terminal_id: str, *, overlap_s: int) -> str:
    """Give a till a new secret, returned once; the one before holds for ``overlap_s`` more."""
    async with db.transaction() as tx:
        await _check_reach(tx, caller, terminal_id)
        secret = await service.rotate_terminal(tx, terminal_id, overlap_s=overlap_s)
    tills.forget()
    return secret


async def revoke_terminal(caller: StaffCaller, terminal_id: str) -> None:
    """Let a till in no more: at once here, within seconds in the other processes."""
    async with db.transaction() as tx:
        await _check_reach(tx, caller, terminal_id)
        await service.revoke_terminal(tx, terminal_id)
    tills.forget()


async def _check_reach(tx: db.Tx, caller: StaffCaller, terminal_id: str) -> None:
    """``NotFound`` for no such till and for another store's."""
    rows = await db.fetch_in(tx, "SELECT store_id FROM auth_terminal WHERE id = $1 FOR UPDATE", terminal_id)
    if not rows or not caller.reaches(rows[0]["store_id"]):
        raise NotFound
