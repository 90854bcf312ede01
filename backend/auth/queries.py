"""Reads of identities, sessions, devices, shops and staff. Each is by primary key or an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from backend.kernel import clock, db
from backend.kernel.batching import Batcher
from backend.kernel.errors import NotFound, invalid
from backend.kernel.kept import Kept
from backend.kernel.vault import vault

from . import rules, tills
from .types import (
    HANDLE_AGE,
    Device,
    DeviceSecret,
    HandleDevice,
    Role,
    RoleInfo,
    Scope,
    Staff,
    StaffCaller,
    Standing,
    Store,
    Terminal,
)

DEVICE_CONTEXT = "auth_device.secret"
"""The vault's context of devices' secrets."""


async def get_store(store_id: str) -> Store:
    """A store, from this process's memory (at most a few seconds old); ``NotFound`` for none."""
    store = await tills.find_store(store_id)
    if store is None:
        raise NotFound("there is no such store")
    return store


async def find_store(store_id: str) -> Store | None:
    """A store or None, from this process's memory (at most a few seconds old)."""
    return await tills.find_store(store_id)


async def list_stores(*, only: str | None = None) -> list[Store]:
    """Every store by id, or the one named ``only``."""
    rows = await db.fetch(
        "SELECT id, name, timezone, address FROM auth_store WHERE $1::text IS NULL OR id = $1 ORDER BY id", only
    )
    return [Store(**dict(row)) for row in rows]


async def check_stores(store_ids: Sequence[str], pointer: str) -> None:
    """Refuse a store that is none where a body names it at ``{pointer}/{index}``: nothing would ever hold there."""
    known = {store.id for store in await list_stores()} if store_ids else set()
    for index, store_id in enumerate(store_ids):
        if store_id not in known:
            raise invalid(f"{pointer}/{index}", "there is no such store")


async def check_store(store_id: str | None, pointer: str) -> None:
    """Refuse a store that is none where a body names it at ``pointer``; None names none."""
    if store_id is not None and await find_store(store_id) is None:
        raise invalid(pointer, "there is no such store")


async def find_acting_member(session_id: int) -> int | None:
    """The active member for whom a session acts now; None where it ended or the member is not active."""
    row = await find_session(session_id)
    return row["member_id"] if row is not None and row["standing"] == Standing.ACTIVE else None


SESSIONS = f"""
SELECT s.id, s.identity_id, i.openid, i.member_id, i.standing
  FROM auth_session s JOIN auth_wechat_identity i ON i.id = s.identity_id
 WHERE s.id = ANY({db.given(1, "bigint")}) AND s.ended_at IS NULL AND s.expires_at > $2
"""  # noqa: S608 - put together of constants


async def _find_sessions(session_ids: list[int]) -> list[db.Record | BaseException | None]:
    rows = {row["id"]: row for row in await db.fetch(SESSIONS, session_ids, clock.now())}
    return [rows.get(session_id) for session_id in session_ids]


# Every open socket looks now and then, besides every request.
_session_batcher: Batcher[int, db.Record | None] = Batcher(_find_sessions, max_size=64, lanes=2, max_waiting=16_384)


async def find_session(session_id: int) -> db.Record | None:
    """A living session with its identity (identity_id, openid, member_id, standing), or None.

    Read from the database for each call, as it stands after the call began; concurrent calls share one query.
    """
    return await _session_batcher.submit(session_id)


async def find_member_of_session(session_id: int) -> int | None:
    """The member a session belongs to, also after it has ended; None for none."""
    member_id: int | None = await db.fetchval(
        "SELECT i.member_id FROM auth_session s JOIN auth_wechat_identity i ON i.id = s.identity_id WHERE s.id = $1",
        session_id,
    )
    return member_id


async def find_openid(member_id: int) -> str | None:
    """The openid that messages to a member go to: the identity bound last; None where there is none."""
    openid: str | None = await db.fetchval(
        "SELECT openid FROM auth_wechat_identity WHERE member_id = $1 ORDER BY bound_at DESC LIMIT 1", member_id
    )
    return openid


async def find_member_by_openid(openid: str) -> int | None:
    """The member a WeChat account is bound to, or None."""
    member_id: int | None = await db.fetchval("SELECT member_id FROM auth_wechat_identity WHERE openid = $1", openid)
    return member_id


_DEVICE = (
    "SELECT d.id, d.member_id, d.name, h.handle, d.session_id, d.created_at, h.created_at AS handle_at,"
    " h.suspect_at IS NOT NULL AS suspect"
    " FROM auth_device d"
    " JOIN auth_handle h ON h.member_id = d.member_id AND h.device_id = d.id AND h.retired_at IS NULL"
    " WHERE d.revoked_at IS NULL AND d.member_id = $1"
)


async def list_devices(member_id: int) -> list[Device]:
    """The living devices that a member enrolled, newest first; those the server keeps for sessions are left out."""
    rows = await db.fetch(f"{_DEVICE} AND d.session_id IS NULL ORDER BY d.created_at DESC, d.id", member_id)
    return [Device(**dict(row)) for row in rows]


SESSION_DEVICES = f"""
SELECT d.member_id, d.session_id, d.id, h.handle, d.secret_sealed
  FROM unnest({db.given(1, "bigint")}, {db.given(2, "bigint")}) AS wanted (member_id, session_id)
  JOIN auth_device d ON d.member_id = wanted.member_id AND d.session_id = wanted.session_id
  JOIN auth_handle h ON h.member_id = d.member_id AND h.device_id = d.id AND h.retired_at IS NULL
 WHERE d.revoked_at IS NULL AND h.created_at > $3 AND h.suspect_at IS NULL
"""  # noqa: S608 - put together of constants


async def _find_session_devices(wanted: list[tuple[int, int]]) -> list[db.Record | BaseException | None]:
    rows = await db.fetch(SESSION_DEVICES, [m for m, _ in wanted], [s for _, s in wanted], clock.now() - HANDLE_AGE)
    found = {(row["member_id"], row["session_id"]): row for row in rows}
    return [found.get(item) for item in wanted]


_session_device_batcher: Batcher[tuple[int, int], db.Record | None] = Batcher(
    _find_session_devices, max_size=64, lanes=2
)


async def find_session_device(member_id: int, session_id: int) -> DeviceSecret | None:
    """The server-side device of a session, ready to make codes; None where it is to be made or its handle rotated.

    Concurrent calls share one query.
    """
    row = await _session_device_batcher.submit((member_id, session_id))
    return device_secret(row, member_id) if row else None


def device_secret(row: db.Record, member_id: int) -> DeviceSecret:
    """A row of (id, handle, secret_sealed) with its secret opened."""
    secret = vault().open(row["secret_sealed"], context=DEVICE_CONTEXT)
    return DeviceSecret(id=row["id"], member_id=member_id, handle=row["handle"], secret=secret)


async def list_terminals(*, store_id: str | None) -> list[Terminal]:
    """Terminals by id, of one store or of all; revoked ones too."""
    rows = await db.fetch(
        "SELECT id, store_id, name, created_at, previous_until, revoked_at FROM auth_terminal"
        " WHERE $1::text IS NULL OR store_id = $1 ORDER BY id",
        store_id,
    )
    return [Terminal(**dict(row)) for row in rows]


async def get_terminal(terminal_id: str) -> Terminal:
    """One till, as it stands in the database; ``NotFound`` for none."""
    row = await db.fetchrow(
        "SELECT id, store_id, name, created_at, previous_until, revoked_at FROM auth_terminal WHERE id = $1",
        terminal_id,
    )
    if row is None:
        raise NotFound
    return Terminal(**dict(row))


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
        "SELECT id, password_hash, totp_sealed, totp_step, active FROM auth_staff WHERE username = $1", username
    )


_ROLE = "SELECT code, title, scope, builtin, granted, withheld, version FROM auth_role"


def role_of(row: db.Record) -> RoleInfo:
    """A row of a role, with what it holds."""
    return RoleInfo(
        code=row["code"],
        title=row["title"],
        scope=Scope(row["scope"]),
        builtin=row["builtin"],
        permissions=rules.permissions_of(row["code"], *changed(row)),
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


async def get_role(code: str) -> RoleInfo:
    """One role; ``NotFound`` for none."""
    row = await db.fetchrow(f"{_ROLE} WHERE code = $1", code)
    if row is None:
        raise NotFound("there is no such role")
    return role_of(row)


async def get_caller(staff_id: int) -> StaffCaller:
    """Somebody of the staff as a caller outside of any session; ``NotFound`` for nobody who may log in."""
    row = await db.fetchrow(
        "SELECT f.role, f.store_id, r.granted, r.withheld FROM auth_staff f JOIN auth_role r ON r.code = f.role"
        " WHERE f.id = $1 AND f.active",
        staff_id,
    )
    if row is None:
        raise NotFound
    return StaffCaller(
        staff_id=staff_id,
        session_id=0,
        role=row["role"],
        store_id=row["store_id"],
        permissions=rules.held(row["role"], row["store_id"], *changed(row)),
        rate_key="",
        rate_per_minute=0,
    )


async def find_staff_session(session_id: int) -> db.Record | None:
    """A living session of active staff (staff_id, role, store_id, granted, withheld), or None."""
    return await db.fetchrow(
        "SELECT s.staff_id, f.role, f.store_id, r.granted, r.withheld FROM auth_staff_session s"
        " JOIN auth_staff f ON f.id = s.staff_id JOIN auth_role r ON r.code = f.role"
        " WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND f.active",
        session_id,
        clock.now(),
    )


HANDLES = f"""
SELECT h.handle, h.member_id, h.device_id, d.secret_sealed, h.created_at, h.good_until, d.revoked_at, h.suspect_at
  FROM auth_handle h JOIN auth_device d ON d.id = h.device_id
 WHERE h.handle = ANY({db.given(1, "text")})"""  # noqa: S608 - put together of constants
"""The devices behind the handles ``$1``, for a query of what belongs to them; ``handle_device`` reads a row of it."""


async def _find_handles(handles: list[str]) -> list[HandleDevice | BaseException | None]:
    rows = {row["handle"]: row for row in await db.fetch(HANDLES, handles)}
    return [handle_device(rows[handle]) if handle in rows else None for handle in handles]


def handle_device(row: db.Record) -> HandleDevice:
    """A row of ``HANDLES``, with its secret opened."""
    return HandleDevice(
        handle=row["handle"],
        member_id=row["member_id"],
        device_id=row["device_id"],
        secret=vault().open(row["secret_sealed"], context=DEVICE_CONTEXT),
        created_at=row["created_at"],
        good_until=row["good_until"],
        revoked_at=row["revoked_at"],
        suspect=row["suspect_at"] is not None,
    )


_handle_batcher: Batcher[str, HandleDevice | None] = Batcher(_find_handles, max_size=64, lanes=2)


async def find_handle(handle: str) -> HandleDevice | None:
    """The device behind a handle, retired ones too, or None; concurrent calls share one query."""
    return await _handle_batcher.submit(handle)
