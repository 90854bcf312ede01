"""A till's request is done once per key: its answer is kept with what it did, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from backend.auth.types import TerminalCaller
from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.kernel.http import Answer, Idempotency
from backend.ledger.errors import IdempotencyConflict


async def once(terminal: TerminalCaller, idem: Idempotency, work: Callable[[Tx], Awaitable[Any]]) -> Answer[Any]:
    """Do ``work`` with the terminal held, or give its first answer again.

    Raises ``IdempotencyConflict`` for the key of another request. What is refused is not kept.
    """
    async with db.transaction() as tx:
        await hold(tx, terminal.terminal_id, terminal.store_id)
        known = await db.fetch_in(
            tx,
            "SELECT hash, answer FROM shift_request WHERE terminal_id = $1 AND key = $2",
            terminal.terminal_id,
            idem.key,
        )
        if known:
            if bytes(known[0]["hash"]) != idem.request_hash:
                raise IdempotencyConflict
            return Answer(msgspec.Raw(known[0]["answer"].encode()), replayed=True)
        value = await work(tx)
        await db.raw(tx).execute(
            "INSERT INTO shift_request (terminal_id, key, hash, answer, at) VALUES ($1, $2, $3, $4, $5)",
            terminal.terminal_id,
            idem.key,
            idem.request_hash,
            msgspec.json.encode(value).decode(),
            clock.now(),
        )
    return Answer(value)


async def hold(tx: Tx, terminal_id: str, store_id: str) -> None:
    """Hold a terminal's shifts until the transaction ends; from the first time on its sales are noted."""
    await db.raw(tx).execute(
        "INSERT INTO shift_terminal (terminal_id, store_id, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        terminal_id,
        store_id,
        clock.now(),
    )
    await db.raw(tx).execute("SELECT FROM shift_terminal WHERE terminal_id = $1 FOR UPDATE", terminal_id)
