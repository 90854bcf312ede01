"""People with a login."""

from __future__ import annotations

import asyncpg

from backend.auth import rules
from backend.auth.errors import AlreadyExists
from backend.auth.types import Scope
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.vault import vault

TOTP_CONTEXT = "auth_staff.totp"
"""The vault's context of second-factor secrets."""


async def create_staff(
    tx: Tx,
    *,
    username: str,
    password_hash: str,
    role: str,
    store_id: str | None = None,
    totp_secret: str | None = None,
) -> int:
    """Add a login, its name in lower case; ``password_hash`` comes from ``hash_secret``, before the transaction."""
    staff_id = ids.new_bigint()
    await check_place(tx, role, store_id)
    try:
        await db.raw(tx).execute(
            "INSERT INTO auth_staff (id, username, password_hash, totp_sealed, totp_step, role, store_id, active,"
            " created_at) VALUES ($1, $2, $3, $4, 0, $5, $6, true, $7)",
            staff_id,
            username.lower(),
            password_hash,
            vault().seal(totp_secret.encode(), context=TOTP_CONTEXT) if totp_secret else None,
            role,
            store_id,
            clock.now(),
        )
    except asyncpg.UniqueViolationError:
        raise AlreadyExists("somebody has this name already") from None
    except asyncpg.ForeignKeyViolationError:
        raise invalid("/store_id", "there is no such store") from None
    return staff_id


async def check_place(tx: Tx, role: str, store_id: str | None) -> None:
    """Refuse a role that is none, or that is not held there; until the end it stays as it is."""
    rows = await db.fetch_in(tx, "SELECT scope FROM auth_role WHERE code = $1 FOR SHARE", role)
    if not rows:
        raise invalid("/role", "there is no such role")
    if not rules.fits(Scope(rows[0]["scope"]), store_id):
        raise invalid("/store_id", "this role is head office's" if store_id else "this role is held in a store")


async def link_member(tx: Tx, staff_id: int, member_id: int | None) -> None:
    """Say which member a person of the staff is; ``NotFound`` for no such person, ``AlreadyExists`` for two."""
    try:
        found = await db.fetch_in(
            tx, "UPDATE auth_staff SET member_id = $2 WHERE id = $1 RETURNING 1", staff_id, member_id
        )
    except asyncpg.UniqueViolationError:
        raise AlreadyExists("somebody else of the staff is this member") from None
    if not found:
        raise NotFound("there is no such person")
