"""Devices that staff log in from: a browser keeps a token, the database its digest."""

from __future__ import annotations

import hashlib
import hmac

from backend.auth.types import Sender
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx

MOST_KNOWN = 20
MOST_WAITING = 5
"""Of one person; the one longest unused goes."""


async def look_up_device(tx: Tx, staff_id: int, token: str | None, of: Sender) -> tuple[int, str] | None:
    """The device that a token stands for, of that person, with its state; seen now. None for no such device."""
    device_id, _, secret = (token or "").partition(".")
    row_id = ids.read_bigint(device_id)
    if row_id is None:
        return None
    rows = await db.fetch_in(
        tx,
        "SELECT id, digest, state FROM auth_staff_device WHERE id = $1 AND staff_id = $2 AND state <> 'revoked'",
        row_id,
        staff_id,
    )
    if not rows or not hmac.compare_digest(bytes(rows[0]["digest"]), _digest(secret)):
        return None
    await db.raw(tx).execute(
        "UPDATE auth_staff_device SET seen_at = $2, agent = $3, address = $4 WHERE id = $1",
        row_id,
        clock.now(),
        of.agent,
        of.address,
    )
    return row_id, rows[0]["state"]


async def note_device(tx: Tx, staff_id: int, of: Sender, *, known: bool) -> tuple[int, str]:
    """Write down a new device of that person, known or waiting for somebody's word; its id and token."""
    device_id, secret, now = ids.new_bigint(), ids.new_token(24), clock.now()
    state = "known" if known else "waiting"
    await db.raw(tx).execute(
        "INSERT INTO auth_staff_device (id, staff_id, digest, agent, address, state, created_at, seen_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        device_id,
        staff_id,
        _digest(secret),
        of.agent,
        of.address,
        state,
        now,
    )
    await db.raw(tx).execute(
        "UPDATE auth_staff_device SET state = 'revoked', decided_at = $4 WHERE id IN ("
        " SELECT id FROM auth_staff_device WHERE staff_id = $1 AND state = $2 ORDER BY seen_at DESC, id OFFSET $3)",
        staff_id,
        state,
        MOST_KNOWN if known else MOST_WAITING,
        now,
    )
    return device_id, f"{device_id}.{secret}"


async def know_device(tx: Tx, device_id: int) -> None:
    """Let a device be known: its owner has shown the second factor on it."""
    await db.raw(tx).execute(
        "UPDATE auth_staff_device SET state = 'known', decided_at = $2 WHERE id = $1 AND state = 'waiting'",
        device_id,
        clock.now(),
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
