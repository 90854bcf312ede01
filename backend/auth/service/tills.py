"""Shops and terminals. Every change moves the epoch, so that all processes look again."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from backend.auth.errors import AlreadyExists
from backend.auth.tills import TERMINAL_CONTEXT
from backend.auth.types import Store
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.vault import vault


async def create_store(tx: Tx, store: Store) -> None:
    """Add a shop; ``AlreadyExists`` for an id that is taken."""
    try:
        await db.raw(tx).execute(
            "INSERT INTO auth_store (id, name, timezone, address, created_at) VALUES ($1, $2, $3, $4, $5)",
            store.id,
            store.name,
            store.timezone,
            store.address,
            clock.now(),
        )
    except asyncpg.UniqueViolationError:
        raise AlreadyExists("a store has this id already") from None
    await _move_epoch(tx)


async def create_terminal(
    tx: Tx, store_id: str, name: str, *, terminal_id: str | None = None, secret: str | None = None
) -> tuple[str, str]:
    """Add a till to a shop; returns its id and its secret, which cannot be read again."""
    terminal_id = terminal_id or ids.new_short("T", 10)
    secret = secret or ids.new_token(32)
    try:
        await db.raw(tx).execute(
            "INSERT INTO auth_terminal (id, store_id, name, secret_sealed, created_at) VALUES ($1, $2, $3, $4, $5)",
            terminal_id,
            store_id,
            name,
            vault().seal(secret.encode(), context=TERMINAL_CONTEXT),
            clock.now(),
        )
    except asyncpg.UniqueViolationError:
        raise AlreadyExists("a terminal has this id already") from None
    except asyncpg.ForeignKeyViolationError:
        raise invalid("/store_id", "there is no such store") from None
    await _move_epoch(tx)
    return terminal_id, secret


async def rotate_terminal(tx: Tx, terminal_id: str, *, overlap_s: int) -> str:
    """Give a till a new secret; the one it has now holds for ``overlap_s`` more seconds, an older one ends at once."""
    secret = ids.new_token(32)
    rows = await db.fetch_in(
        tx,
        "UPDATE auth_terminal SET previous_sealed = CASE WHEN $3::timestamptz IS NOT NULL THEN secret_sealed END,"
        " previous_until = $3, secret_sealed = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id",
        terminal_id,
        vault().seal(secret.encode(), context=TERMINAL_CONTEXT),
        clock.now() + timedelta(seconds=overlap_s) if overlap_s else None,
    )
    if not rows:
        raise NotFound
    await _move_epoch(tx)
    return secret


async def revoke_terminal(tx: Tx, terminal_id: str) -> None:
    """Let a till in no more; a revoked one stays as it is."""
    rows = await db.fetch_in(
        tx,
        "UPDATE auth_terminal SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING id",
        terminal_id,
        clock.now(),
    )
    if not rows:
        raise NotFound
    await _move_epoch(tx)


async def _move_epoch(tx: Tx) -> None:
    await db.raw(tx).execute("UPDATE auth_epoch SET value = value + 1 WHERE name = 'tills'")
