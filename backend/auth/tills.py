"""Terminals and stores as the hot path reads them: kept in the process, dropped whenever their epoch moves.

Every change of a terminal or a store moves the epoch in its own transaction. A process looks at it when its last look
is older than ``LOOK_S``, one request on behalf of all; what was last confirmed more than ``STALE_S`` ago serves nobody.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from time import monotonic

import msgspec

from backend.kernel import db
from backend.kernel.vault import vault

from .types import Store

LOOK_S = 1.0
STALE_S = 3.0
MAX_KEPT = 200_000

TERMINAL_CONTEXT = "auth_terminal.secret"


class TillKeys(msgspec.Struct, frozen=True):
    """What it takes to check a terminal's signature."""

    terminal_id: str
    store_id: str
    secret: bytes
    previous: bytes | None
    previous_until: datetime | None


class _Kept:
    """What this process remembers of which database, and when it last knew that it is right."""

    def __init__(self) -> None:
        self.pool: object = None
        self.epoch = -1
        self.confirmed_at = -STALE_S
        self.looking = asyncio.Lock()
        self.terminals: dict[str, TillKeys] = {}
        self.stores: dict[str, Store] = {}

    def become(self, epoch: int) -> None:
        """Belong to that epoch of the database now open; what was remembered under another one goes."""
        if epoch != self.epoch or self.pool is not db.pool():
            self.terminals.clear()
            self.stores.clear()
        self.epoch, self.pool = epoch, db.pool()


_kept = _Kept()


def forget() -> None:
    """Look again before anybody else is let in: something was changed here."""
    _kept.become(-1)
    _kept.confirmed_at = -STALE_S


async def find_keys(terminal_id: str) -> TillKeys | None:
    """A living terminal's keys, or None; unknown ones are asked for every time, so that new ones work at once."""
    await _confirm()
    known = _kept.terminals.get(terminal_id)
    if known is not None:
        return known
    epoch = _kept.epoch
    row = await db.fetchrow(
        "SELECT store_id, secret_sealed, previous_sealed, previous_until FROM auth_terminal"
        " WHERE id = $1 AND revoked_at IS NULL",
        terminal_id,
    )
    if row is None:
        return None
    box, previous = vault(), row["previous_sealed"]
    keys = TillKeys(
        terminal_id,
        row["store_id"],
        box.open(row["secret_sealed"], context=TERMINAL_CONTEXT),
        box.open(previous, context=TERMINAL_CONTEXT) if previous else None,
        row["previous_until"],
    )
    if epoch == _kept.epoch and len(_kept.terminals) < MAX_KEPT:
        _kept.terminals[terminal_id] = keys
    return keys


async def find_store(store_id: str) -> Store | None:
    """A store, or None."""
    await _confirm()
    known = _kept.stores.get(store_id)
    if known is not None:
        return known
    epoch = _kept.epoch
    row = await db.fetchrow("SELECT id, name, timezone, address FROM auth_store WHERE id = $1", store_id)
    if row is None:
        return None
    store = Store(**dict(row))
    if epoch == _kept.epoch and len(_kept.stores) < MAX_KEPT:
        _kept.stores[store_id] = store
    return store


async def _confirm() -> None:
    """Make sure that what is remembered was right a moment ago."""
    age = monotonic() - _kept.confirmed_at if _kept.pool is db.pool() else STALE_S
    if age < LOOK_S or (_kept.looking.locked() and age < STALE_S):
        return
    async with _kept.looking:
        started_at = monotonic()
        if _kept.pool is db.pool() and started_at - _kept.confirmed_at < LOOK_S:
            return
        _kept.become(await db.fetchval("SELECT value FROM auth_epoch WHERE name = 'tills'"))
        _kept.confirmed_at = started_at
