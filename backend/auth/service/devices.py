"""Devices and their handles. What a device may still spend is decided by the ledger's guard, told in the same tx."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from backend.auth import rules
from backend.auth.errors import TooManyDevices
from backend.auth.queries import DEVICE_CONTEXT, device_secret
from backend.auth.types import HANDLE_AGE, DeviceSecret
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, Unauthenticated
from backend.kernel.vault import vault
from backend.ledger import service as ledger

_SERVER_SIDE = "session"


async def create_device(
    tx: Tx, member_id: int, name: str, *, session_id: int | None = None, most: int = rules.MAX_DEVICES
) -> DeviceSecret:
    """Enrol a phone: a new secret and a first handle. The caller holds the member's lock: it makes the bound exact.

    ``Unauthenticated`` where the session it is enrolled in has ended meanwhile: a logout everywhere misses no device.
    """
    if session_id is not None:
        await _hold_session(tx, session_id)
    (count,) = await db.fetch_in(
        tx,
        "SELECT count(*) FROM auth_device WHERE member_id = $1 AND session_id IS NULL AND revoked_at IS NULL",
        member_id,
    )
    if count[0] >= most:
        raise TooManyDevices
    device = await _insert(tx, member_id, name, None)
    assert device is not None
    return device


async def ensure_session_device(tx: Tx, session_id: int, member_id: int) -> DeviceSecret:
    """The device that the server keeps for a session, made at the first call; rotated daily and when guessed at.

    Raises ``Unauthenticated`` where the session has ended meanwhile. Two calls at once get the same device.
    """
    await _hold_session(tx, session_id)
    found = await _find_of_session(tx, session_id, member_id)
    if found is None:
        made = await _insert(tx, member_id, _SERVER_SIDE, session_id)
        if made is not None:
            return made
        found = await _find_of_session(tx, session_id, member_id)  # another call was quicker
        assert found is not None
    if found["suspect_at"] is not None or found["handle_at"] <= clock.now() - HANDLE_AGE:
        return await rotate_device(tx, member_id, found["id"])
    return device_secret(found, member_id)


async def rotate_device(tx: Tx, member_id: int, device_id: int) -> DeviceSecret:
    """Give a device a new handle, with the same secret and last step; the old one makes codes for 60 s more."""
    rows = await db.fetch_in(
        tx,
        "SELECT secret_sealed FROM auth_device WHERE member_id = $1 AND id = $2 AND revoked_at IS NULL FOR UPDATE",
        member_id,
        device_id,
    )
    if not rows:
        raise NotFound
    now = clock.now()
    await _retire(tx, member_id, [device_id], good_until=now + rules.HANDLE_GRACE)
    handle = await _new_handle(tx, member_id, device_id)
    secret = vault().open(rows[0]["secret_sealed"], context=DEVICE_CONTEXT)
    return DeviceSecret(id=device_id, member_id=member_id, handle=handle, secret=secret)


async def mark_handle_suspect(tx: Tx, handle: str) -> None:
    """Somebody guesses at this handle: its sales wait for the phone until it is rotated, at the next contact."""
    await db.raw(tx).execute(
        "UPDATE auth_handle SET suspect_at = $2 WHERE handle = $1 AND suspect_at IS NULL", handle, clock.now()
    )


async def revoke_device(tx: Tx, member_id: int, device_id: int) -> None:
    """End an enrolled device: none of its codes is good any more, in the ledger too; ``NotFound`` for no such one."""
    if not await _revoke(tx, member_id, "id = $3 AND session_id IS NULL", device_id):
        raise NotFound


async def revoke_all_devices(tx: Tx, member_id: int) -> None:
    """End every device of a member, enrolled ones and the sessions'."""
    await _revoke(tx, member_id, "$3::bigint IS NULL", None)


async def revoke_devices_of_sessions(tx: Tx, session_ids: Sequence[int]) -> None:
    """End the devices that the server keeps for these sessions."""
    rows = await db.fetch_in(
        tx,
        "SELECT member_id, id FROM auth_device WHERE session_id = ANY($1) AND revoked_at IS NULL"
        " ORDER BY member_id, id",
        list(session_ids),
    )
    for row in rows:
        await _revoke(tx, row["member_id"], "id = $3", row["id"])


async def _revoke(tx: Tx, member_id: int, which: str, argument: object) -> int:
    now = clock.now()
    rows = await db.fetch_in(
        tx,
        f"UPDATE auth_device SET revoked_at = $2 WHERE member_id = $1 AND revoked_at IS NULL AND {which} RETURNING id",  # noqa: S608
        member_id,
        now,
        argument,
    )
    device_ids = sorted(row["id"] for row in rows)
    await _retire(tx, member_id, device_ids, good_until=now)
    for device_id in device_ids:
        await ledger.revoke_device(tx, member_id, device_id)
    return len(device_ids)


async def _hold_session(tx: Tx, session_id: int) -> None:
    """Keep the session from ending until this transaction has; refused where it has ended."""
    if not await db.fetch_in(tx, "SELECT 1 FROM auth_session WHERE id = $1 AND ended_at IS NULL FOR SHARE", session_id):
        raise Unauthenticated


async def _insert(tx: Tx, member_id: int, name: str, session_id: int | None) -> DeviceSecret | None:
    """A new device, or None where the session has one already."""
    device_id, secret = ids.new_bigint(), secrets.token_bytes(32)
    made = await db.fetch_in(
        tx,
        "INSERT INTO auth_device (id, member_id, name, secret_sealed, session_id, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (member_id, session_id)"
        " WHERE session_id IS NOT NULL AND revoked_at IS NULL DO NOTHING RETURNING id",
        device_id,
        member_id,
        name,
        vault().seal(secret, context=DEVICE_CONTEXT),
        session_id,
        clock.now(),
    )
    if not made:
        return None
    handle = await _new_handle(tx, member_id, device_id)
    await ledger.seed_device(tx, member_id, device_id)
    return DeviceSecret(id=device_id, member_id=member_id, handle=handle, secret=secret)


async def _find_of_session(tx: Tx, session_id: int, member_id: int) -> db.Record | None:
    rows = await db.fetch_in(
        tx,
        "SELECT d.id, h.handle, d.secret_sealed, h.created_at AS handle_at, h.suspect_at FROM auth_device d"
        " JOIN auth_handle h ON h.member_id = d.member_id AND h.device_id = d.id AND h.retired_at IS NULL"
        " WHERE d.member_id = $1 AND d.session_id = $2 AND d.revoked_at IS NULL",
        member_id,
        session_id,
    )
    return rows[0] if rows else None


async def _new_handle(tx: Tx, member_id: int, device_id: int) -> str:
    """A random pseudonym that no device has or had in the last 30 days."""
    while True:
        handle = f"{secrets.randbelow(10**rules.HANDLE_DIGITS):0{rules.HANDLE_DIGITS}d}"
        made = await db.fetch_in(
            tx,
            "INSERT INTO auth_handle (handle, device_id, member_id, created_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (handle) DO NOTHING RETURNING handle",
            handle,
            device_id,
            member_id,
            clock.now(),
        )
        if made:
            return handle


async def _retire(tx: Tx, member_id: int, device_ids: Sequence[int], *, good_until: object) -> None:
    """Retire the current handles; where a device is being revoked, those still in their grace end as well."""
    await db.raw(tx).execute(
        "UPDATE auth_handle SET retired_at = coalesce(retired_at, $3), good_until = least(good_until, $4)"
        " WHERE member_id = $1 AND device_id = ANY($2) AND (retired_at IS NULL OR good_until > $4)",
        member_id,
        list(device_ids),
        clock.now(),
        good_until,
    )
