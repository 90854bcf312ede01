"""Reads of identities, sessions, devices, shops and staff. Each is by primary key or an index."""

from __future__ import annotations

from collections.abc import Sequence

from backend.auth import tills
from backend.auth.types import (
    HANDLE_AGE,
    Device,
    DeviceSecret,
    HandleDevice,
    StaffCaller,
    Standing,
    Store,
    Terminal,
)
from backend.kernel import clock, db
from backend.kernel.batching import Batcher
from backend.kernel.errors import NotFound, invalid
from backend.kernel.vault import vault

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


async def reached_store(caller: StaffCaller, store_id: str | None) -> str | None:
    """The store that somebody asks about: the one they name, else their own; None is all of head office's.

    ``NotFound`` for none, and for one that they do not see.
    """
    wanted = store_id or caller.store_id
    if not caller.reaches(wanted):
        raise NotFound("there is no such store")
    if wanted is not None:
        await get_store(wanted)
    return wanted


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
