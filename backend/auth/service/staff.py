"""People with a login."""

from __future__ import annotations

import asyncpg

from backend.auth import rules
from backend.auth.errors import AlreadyExists, BeyondOneself, LastAdmin, OwnLogin
from backend.auth.queries import changed
from backend.auth.types import Person, Role, Scope, StaffCaller
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
    made_by: int | None = None,
) -> int:
    """Add a login, its name in lower case; ``password_hash`` comes from ``hash_secret``, before the transaction.

    ``made_by`` is who of the staff made it, or made the invitation.
    """
    staff_id = ids.new_bigint()
    await check_place(tx, role, store_id)
    try:
        await db.raw(tx).execute(
            "INSERT INTO auth_staff (id, username, password_hash, totp_sealed, totp_step, role, store_id, active,"
            " created_at, made_by) VALUES ($1, $2, $3, $4, 0, $5, $6, true, $7, $8)",
            staff_id,
            username.lower(),
            password_hash,
            vault().seal(totp_secret.encode(), context=TOTP_CONTEXT) if totp_secret else None,
            role,
            store_id,
            clock.now(),
            made_by,
        )
    except asyncpg.UniqueViolationError:
        raise AlreadyExists("somebody has this name already") from None
    return staff_id


async def check_place(tx: Tx, role: str, store_id: str | None) -> None:
    """Refuse a role that is none, or that is not held there; until the end it stays as it is."""
    rows = await db.fetch_in(tx, "SELECT scope FROM auth_role WHERE code = $1 FOR SHARE", role)
    if not rows:
        raise invalid("/role", "there is no such role")
    if not rules.fits(Scope(rows[0]["scope"]), store_id):
        raise invalid("/store_id", "this role is head office's" if store_id else "this role is held in a store")
    if store_id is not None and not await db.fetch_in(tx, "SELECT FROM auth_store WHERE id = $1", store_id):
        raise invalid("/store_id", "there is no such store")


async def void_links(tx: Tx, staff_id: int) -> None:
    """Let no link hold any more that somebody made, or that was made for them, and nobody has used."""
    await db.raw(tx).execute(
        "UPDATE auth_staff_link SET revoked_at = $2 WHERE (made_by = $1 OR staff_id = $1)"
        " AND used_at IS NULL AND revoked_at IS NULL",
        staff_id,
        clock.now(),
    )


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


async def lock_person(tx: Tx, staff_id: str, caller: StaffCaller) -> Person:
    """Somebody of the staff, to be changed by the caller.

    ``NotFound`` for nobody and for another store's; ``BeyondOneself`` for somebody who may do what the caller may not.
    """
    rows = await db.fetch_in(
        tx,
        "SELECT f.id, f.username, f.role, f.store_id, f.active, r.granted, r.withheld FROM auth_staff f"
        " JOIN auth_role r ON r.code = f.role WHERE f.id = $1 FOR UPDATE OF f",
        ids.read_bigint(staff_id),
    )
    if not rows or not caller.reaches(rows[0]["store_id"]):
        raise NotFound("there is no such person")
    row = rows[0]
    held = rules.held(row["role"], row["store_id"], *changed(row))
    if not held <= caller.permissions:
        raise BeyondOneself
    return Person(row["id"], row["username"], row["role"], row["store_id"], row["active"])


async def lock_other(tx: Tx, staff_id: str, caller: StaffCaller) -> Person:
    """The same, of somebody else; ``OwnLogin`` for the caller.

    Whoever has a session of theirs alone must not get past password, second factor and the bound of tries with it.
    """
    person = await lock_person(tx, staff_id, caller)
    if person.id == caller.staff_id:
        raise OwnLogin
    return person


async def stays_active(tx: Tx, staff_id: int) -> bool:
    """Whether somebody may log in; until the end of the transaction nobody closes them."""
    rows = await db.fetch_in(tx, "SELECT active FROM auth_staff WHERE id = $1 FOR KEY SHARE", staff_id)
    return bool(rows) and rows[0]["active"]


async def check_may_give(tx: Tx, role: str, store_id: str | None, caller: StaffCaller) -> None:
    """Refuse a role that is none, that is not held there, or that may do what the caller may not."""
    await check_place(tx, role, store_id)
    (row,) = await db.fetch_in(tx, "SELECT granted, withheld FROM auth_role WHERE code = $1", role)
    if not caller.reaches(store_id) or not rules.held(role, store_id, *changed(row)) <= caller.permissions:
        raise BeyondOneself


async def keep_an_admin(tx: Tx, but: int) -> None:
    """Refuse where nobody else may do everything; until the end no other admin goes."""
    rows = await db.fetch_in(
        tx, "SELECT id FROM auth_staff WHERE role = $1 AND active ORDER BY id FOR UPDATE", Role.ADMIN.value
    )
    if all(row["id"] == but for row in rows):
        raise LastAdmin


async def end_staff_sessions(tx: Tx, staff_id: int, *, but: int = 0) -> int:
    """End somebody's sessions at once, all but that one; returns how many there were."""
    rows = await db.fetch_in(
        tx,
        "UPDATE auth_staff_session SET ended_at = $2 WHERE staff_id = $1 AND ended_at IS NULL AND id <> $3 RETURNING 1",
        staff_id,
        clock.now(),
        but,
    )
    return len(rows)


async def set_password(tx: Tx, staff_id: int, password_hash: str) -> None:
    """Put another password in place and end every session."""
    await db.raw(tx).execute("UPDATE auth_staff SET password_hash = $2 WHERE id = $1", staff_id, password_hash)
    await end_staff_sessions(tx, staff_id)


def _code_digest(staff_id: int, code: str) -> str:
    return vault().blind_index(f"{staff_id}:{code.replace('-', '').upper()}", context="staff-recovery")


async def new_recovery_codes(tx: Tx, staff_id: int) -> list[str]:
    """Ten codes that stand for the second factor, once each; those of before are void. They exist nowhere else."""
    codes = [ids.new_short("", 10) for _ in range(rules.RECOVERY_CODES)]
    await db.raw(tx).execute("DELETE FROM auth_recovery_code WHERE staff_id = $1", staff_id)
    await db.raw(tx).executemany(
        "INSERT INTO auth_recovery_code (staff_id, digest) VALUES ($1, $2)",
        [(staff_id, _code_digest(staff_id, code)) for code in codes],
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


async def spend_recovery_code(tx: Tx, staff_id: int, code: str) -> bool:
    """Use a recovery code up; whether it was one that had not been used."""
    spent = await db.fetch_in(
        tx,
        "UPDATE auth_recovery_code SET used_at = $3 WHERE staff_id = $1 AND digest = $2 AND used_at IS NULL"
        " RETURNING 1",
        staff_id,
        _code_digest(staff_id, code),
        clock.now(),
    )
    return bool(spent)


async def remove_second_factor(tx: Tx, staff_id: int) -> None:
    """Forget the second factor and its recovery codes."""
    await db.raw(tx).execute(
        "UPDATE auth_staff SET totp_sealed = NULL, totp_pending = NULL, totp_step = 0 WHERE id = $1", staff_id
    )
    await db.raw(tx).execute("DELETE FROM auth_recovery_code WHERE staff_id = $1", staff_id)
