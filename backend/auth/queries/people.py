"""Reads of staff and their roles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from backend.auth import rules
from backend.auth.types import Permission, Role, RoleInfo, Scope, Staff, StaffCaller, Tie
from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.kept import Kept

from .control import control

_STAFF = (
    "SELECT id::text, username, role, store_id, totp_sealed IS NOT NULL AS totp, active, member_id::text"
    " FROM auth_staff"
)


def _staff(row: db.Record) -> Staff:
    return Staff(**dict(row))


async def list_staff() -> list[Staff]:
    """Everybody with a login, by name."""
    return [_staff(row) for row in await db.fetch(f"{_STAFF} ORDER BY username")]


async def staff_names(staff_ids: Iterable[int]) -> dict[int, str]:
    """The user names of these people, who may have gone; ids of nobody are left out."""
    rows = await db.fetch("SELECT id, username FROM auth_staff WHERE id = ANY($1)", list(staff_ids))
    return {row["id"]: row["username"] for row in rows}


async def get_staff(staff_id: int) -> Staff:
    """One person with a login; ``NotFound`` for none."""
    row = await db.fetchrow(f"{_STAFF} WHERE id = $1", staff_id)
    if row is None:
        raise NotFound
    return _staff(row)


async def phone_bound_at(staff_id: int) -> datetime | None:
    """Since when a phone speaks for somebody; None where none does."""
    at: datetime | None = await db.fetchval("SELECT proved_at FROM auth_staff_phone WHERE staff_id = $1", staff_id)
    return at


async def find_phone_owner(member_id: int) -> str | None:
    """The user name of whom this member's phone speaks for, None where it is nobody's of the staff; never a proof."""
    username: str | None = await db.fetchval(
        "SELECT f.username FROM auth_staff f JOIN auth_staff_phone p ON p.staff_id = f.id AND p.member_id = f.member_id"
        " WHERE f.member_id = $1 AND f.active",
        member_id,
    )
    return username


MANAGERS_KEPT_S = 5.0
"""How old what a process knows of linked managers may be: a card that is shown decides nothing."""


async def _list_managers() -> frozenset[int]:
    rows = await db.fetch(
        "SELECT member_id FROM auth_staff WHERE member_id IS NOT NULL AND active AND role = ANY($1)",
        [Role.ADMIN.value, Role.MANAGER.value],
    )
    return frozenset(row["member_id"] for row in rows)


_managers = Kept(_list_managers, keep_s=MANAGERS_KEPT_S)


async def is_manager(member_id: int) -> bool:
    """Whether a member is somebody of the staff who manages a store or the chain; at most five seconds old."""
    return member_id in await _managers.get()


def forget_managers() -> None:
    """Read the managers again at the next question: one was changed here."""
    _managers.forget()


async def find_staff_login(username: str) -> db.Record | None:
    """What a login is checked against: id, password_hash, totp_sealed, totp_step, active; None for no such name."""
    return await db.fetchrow(
        "SELECT id, password_hash, totp_sealed, totp_step, active, role, store_id FROM auth_staff WHERE username = $1",
        username,
    )


_ROLE = "SELECT code, title, scope, builtin, granted, withheld, second_factor, version FROM auth_role"


def role_of(row: db.Record) -> RoleInfo:
    """A row of a role, with what it holds."""
    return RoleInfo(
        code=row["code"],
        title=row["title"],
        scope=Scope(row["scope"]),
        builtin=row["builtin"],
        permissions=rules.permissions_of(row["code"], *changed(row)),
        second_factor=row["second_factor"],
        version=row["version"],
    )


def changed(row: db.Record) -> tuple[list[str], list[str]]:
    """What head office granted and withheld, of a row with these two columns."""
    return msgspec.json.decode(row["granted"]), msgspec.json.decode(row["withheld"])


async def list_roles() -> list[RoleInfo]:
    """Every role: the built-in ones as the release lists them, then those that were added, by code."""
    order = {role.value: number for number, role in enumerate(Role)}
    found = [role_of(row) for row in await db.fetch(f"{_ROLE} ORDER BY code")]
    return sorted(found, key=lambda role: order.get(role.code, len(order)))


async def list_who_may(permission: Permission) -> list[Staff]:
    """Everybody active whose role holds the permission where they work, by name: whom something can be given to."""
    holders = {role.code for role in await list_roles() if permission in role.permissions}
    return [
        one
        for one in await list_staff()
        if one.active and one.role in holders and (one.office or not permission.office)
    ]


async def get_role(code: str) -> RoleInfo:
    """One role; ``NotFound`` for none."""
    row = await db.fetchrow(f"{_ROLE} WHERE code = $1", code)
    if row is None:
        raise NotFound("there is no such role")
    return role_of(row)


_CALLER = (
    "SELECT f.role, f.store_id, r.granted, r.withheld, r.second_factor AND f.totp_sealed IS NULL AS bare"
    " FROM auth_staff f JOIN auth_role r ON r.code = f.role WHERE f.id = $1 AND f.active"
)


async def get_caller(staff_id: int) -> StaffCaller:
    """Somebody of the staff as a caller outside of any session; ``NotFound`` for nobody who may log in.

    Whoever lacks the second factor that their role asks for holds nothing, as in a session.
    """
    return _caller(staff_id, await db.fetchrow(_CALLER, staff_id))


async def get_caller_in(tx: Tx, staff_id: int) -> StaffCaller:
    """The same, as the transaction sees it."""
    rows = await db.fetch_in(tx, _CALLER, staff_id)
    return _caller(staff_id, rows[0] if rows else None)


def _caller(staff_id: int, row: db.Record | None) -> StaffCaller:
    if row is None:
        raise NotFound
    return StaffCaller(
        staff_id=staff_id,
        session_id=0,
        role=row["role"],
        store_id=row["store_id"],
        permissions=frozenset() if row["bare"] else rules.held(row["role"], row["store_id"], *changed(row)),
        rate_key="",
        rate_per_minute=0,
    )


async def find_staff_session(session_id: int) -> db.Record | None:
    """A living session of active staff (staff_id, role, store_id, granted, withheld), or None.

    ``bare``: the role asks for a second factor, and there is none.
    """
    return await db.fetchrow(
        "SELECT s.staff_id, f.role, f.store_id, r.granted, r.withheld,"
        " r.second_factor AND f.totp_sealed IS NULL AS bare FROM auth_staff_session s"
        " JOIN auth_staff f ON f.id = s.staff_id JOIN auth_role r ON r.code = f.role"
        " WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND f.active",
        session_id,
        clock.now(),
    )


async def find_account(staff_id: int) -> db.Record:
    """What somebody's own login is checked against: username, password_hash, totp_sealed, totp_pending."""
    row = await db.fetchrow(
        "SELECT username, password_hash, totp_sealed, totp_pending FROM auth_staff WHERE id = $1", staff_id
    )
    if row is None:
        raise NotFound
    return row


_TIES = """
SELECT id AS login, made_by AS holder, created_at AS at FROM auth_staff WHERE made_by IS NOT NULL AND created_at > $1
UNION ALL
SELECT staff_id, made_by, used_at FROM auth_staff_link WHERE kind = 'reset' AND used_at > $1"""


async def list_ties(since: datetime) -> list[Tie]:
    """Who made which login, or set its password by a link, since then."""
    return [Tie(**row) for row in await db.fetch(_TIES, since)]


async def list_ties_in(tx: Tx, since: datetime) -> list[Tie]:
    """The same, as the open transaction sees it."""
    return [Tie(**row) for row in await db.fetch_in(tx, _TIES, since)]


async def find_link(digest: str) -> db.Record | None:
    """A link that is good now (id, kind, username, staff_id where it is a reset's), or None."""
    return await db.fetchrow(
        "SELECT id, kind, username, role, store_id, staff_id FROM auth_staff_link WHERE digest = $1 AND used_at IS NULL"
        " AND revoked_at IS NULL AND expires_at > $2",
        digest,
        clock.now(),
    )


async def list_invitations() -> list[db.Record]:
    """The last two hundred invitations, newest first, with who made them and what became of them."""
    return await db.fetch(
        "SELECT l.id, l.username, l.role, l.store_id, l.made_by, s.username AS made_by_name, l.made_at, l.expires_at,"
        " l.used_at, l.revoked_at FROM auth_staff_link l JOIN auth_staff s ON s.id = l.made_by WHERE l.kind = 'invite'"
        " ORDER BY l.made_at DESC, l.id DESC LIMIT 200"
    )


async def list_staff_sessions(staff_id: int) -> list[db.Record]:
    """The living sessions of somebody, newest first; at most two hundred."""
    return await db.fetch(
        "SELECT id, created_at, seen_at, expires_at, address, agent FROM auth_staff_session"
        " WHERE staff_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY created_at DESC, id LIMIT 200",
        staff_id,
        clock.now(),
    )


async def list_locked(subjects: Iterable[str]) -> dict[str, datetime]:
    """Which of these names of log-ins are locked now, and until when."""
    asked = await control()
    lock = timedelta(minutes=asked.staff_lock_minutes)
    rows = await db.fetch(
        "SELECT subject, last_at FROM auth_login_failure WHERE subject = ANY($1) AND failures >= $2 AND last_at > $3",
        list(subjects),
        asked.staff_tries,
        clock.now() - lock,
    )
    return {row["subject"]: row["last_at"] + lock for row in rows}


async def count_recovery_codes(staff_id: int) -> int:
    """How many recovery codes somebody has left."""
    return int(
        await db.fetchval("SELECT count(*) FROM auth_recovery_code WHERE staff_id = $1 AND used_at IS NULL", staff_id)
    )
