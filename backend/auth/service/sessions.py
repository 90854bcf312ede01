"""Identities and their sessions."""

from __future__ import annotations

from collections.abc import Sequence

from backend.auth import rules, tokens
from backend.auth.types import Identity, Login, Standing
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx

from .devices import revoke_all_devices, revoke_devices_of_sessions

_IDENTITY = "SELECT id, openid, member_id, standing FROM auth_wechat_identity"


OPEN = """
INSERT INTO auth_session (id, identity_id, refresh_hash, created_at, refreshed_at, expires_at, agent)
VALUES ($1, $2, $3, $4, $4, $5, $7)
RETURNING ARRAY(SELECT id FROM auth_session
                 WHERE identity_id = $2 AND ended_at IS NULL AND expires_at <= $4)
       || ARRAY(SELECT id FROM auth_session
                 WHERE identity_id = $2 AND ended_at IS NULL AND expires_at > $4
                 ORDER BY refreshed_at DESC, id OFFSET $6) AS over
"""
"""A new session; answers with those before it that have run out, and those longest unused beyond the bound."""


async def open_session(tx: Tx, openid: str, *, agent: str | None = None, most: int = rules.MAX_SESSIONS) -> Login:
    """Begin a session of a WeChat account, seen before or not; beyond ``most`` those longest unused end."""
    now = clock.now()
    identity = await _lock_by_openid(tx, openid)
    session_id = ids.new_bigint()
    refresh_token, digest = tokens.make_refresh_token(session_id, tokens.MEMBER)
    (row,) = await db.fetch_in(tx, OPEN, session_id, identity.id, digest, now, now + rules.REFRESH_TTL, most - 1, agent)
    if row["over"]:
        await end_sessions(tx, row["over"], why="evicted")
    return Login(
        session_id=session_id,
        identity_id=identity.id,
        member_id=identity.member_id,
        standing=identity.standing,
        access_token=tokens.make_access_token(session_id, tokens.MEMBER),
        refresh_token=refresh_token,
        expires_in=int(rules.ACCESS_TTL.total_seconds()),
    )


async def _lock_by_openid(tx: Tx, openid: str) -> Identity:
    """The identity of a WeChat account, made at its first login; locked, so that the bound on sessions is exact."""
    lock = f"{_IDENTITY} WHERE openid = $1 FOR UPDATE"
    rows = await db.fetch_in(tx, lock, openid)
    if not rows:
        await db.raw(tx).execute(
            "INSERT INTO auth_wechat_identity (id, openid, standing, created_at) VALUES ($1, $2, 'none', $3)"
            " ON CONFLICT (openid) DO NOTHING",
            ids.new_bigint(),
            openid,
            clock.now(),
        )
        rows = await db.fetch_in(tx, lock, openid)
    return _identity(rows[0])


async def end_sessions(tx: Tx, session_ids: Sequence[int], *, why: str) -> None:
    """End these sessions and revoke the devices that the server keeps for them; ended ones stay as they are."""
    now = clock.now()
    ended = await db.fetch_in(
        tx,
        "UPDATE auth_session SET ended_at = $2, ended_why = $3 WHERE id IN (SELECT id FROM auth_session"
        " WHERE id = ANY($1) AND ended_at IS NULL ORDER BY id FOR UPDATE) RETURNING id",
        list(session_ids),
        now,
        why,
    )
    if ended:
        await revoke_devices_of_sessions(tx, [row["id"] for row in ended])


async def sessions_of(tx: Tx, identity_id: int) -> list[int]:
    """The sessions that stand for whom this identity acts: the member's, by any identity, or else its own."""
    rows = await db.fetch_in(
        tx,
        "SELECT s.id FROM auth_session s JOIN auth_wechat_identity i ON i.id = s.identity_id"
        " JOIN auth_wechat_identity mine ON mine.id = $1"
        " WHERE s.ended_at IS NULL AND (i.id = mine.id OR i.member_id = mine.member_id) ORDER BY s.id",
        identity_id,
    )
    return [row["id"] for row in rows]


async def lock_identity(tx: Tx, identity_id: int) -> Identity:
    """The identity, locked until the transaction ends."""
    (row,) = await db.fetch_in(tx, f"{_IDENTITY} WHERE id = $1 FOR UPDATE", identity_id)
    return _identity(row)


async def is_bound(tx: Tx, member_id: int) -> bool:
    """Whether any WeChat account acts for this member. The caller holds the member's lock."""
    return bool(await db.fetch_in(tx, "SELECT 1 FROM auth_wechat_identity WHERE member_id = $1 LIMIT 1", member_id))


async def bind_identity(tx: Tx, identity_id: int, member_id: int, standing: Standing) -> None:
    """Let every session of this identity, also those begun before, act for the member."""
    await db.raw(tx).execute(
        "UPDATE auth_wechat_identity SET member_id = $2, standing = $3, bound_at = $4 WHERE id = $1",
        identity_id,
        member_id,
        standing.value,
        clock.now(),
    )


async def set_standing(tx: Tx, member_id: int, standing: Standing) -> None:
    """Put a member's status where the guards see it; holds from the next call on."""
    await db.raw(tx).execute(
        "UPDATE auth_wechat_identity SET standing = $2 WHERE member_id = $1", member_id, standing.value
    )


async def set_standings(tx: Tx, member_ids: Sequence[int], standing: Standing) -> None:
    """The same of many members at once."""
    await db.raw(tx).execute(
        "UPDATE auth_wechat_identity SET standing = $2 WHERE member_id = ANY($1::bigint[])",
        list(member_ids),
        standing.value,
    )


async def unbind_identities(tx: Tx, member_id: int) -> None:
    """Make this member's identities unregistered again."""
    await db.raw(tx).execute(
        "UPDATE auth_wechat_identity SET member_id = NULL, standing = 'none', bound_at = NULL WHERE member_id = $1",
        member_id,
    )


async def join_identities(tx: Tx, member_id: int, target_id: int, standing: Standing) -> None:
    """Let the WeChat accounts of one member act for another from now on. Their sessions end, their codes are dead.

    The first messages still go to the account that was the target's own. Staff whose own membership it was keep it.
    """
    rows = await db.fetch_in(
        tx,
        "SELECT s.id FROM auth_session s JOIN auth_wechat_identity i ON i.id = s.identity_id"
        " WHERE i.member_id = $1 AND s.ended_at IS NULL ORDER BY s.id",
        member_id,
    )
    await end_sessions(tx, [row["id"] for row in rows], why="merged")
    await revoke_all_devices(tx, member_id)
    await db.raw(tx).execute(
        "UPDATE auth_wechat_identity SET member_id = $2, standing = $3, bound_at = least(bound_at,"
        " (SELECT min(bound_at) FROM auth_wechat_identity WHERE member_id = $2)) WHERE member_id = $1",
        member_id,
        target_id,
        standing.value,
    )
    await db.raw(tx).execute(
        "UPDATE auth_staff SET member_id = CASE WHEN EXISTS (SELECT FROM auth_staff WHERE member_id = $2) THEN NULL"
        " ELSE $2 END WHERE member_id = $1",
        member_id,
        target_id,
    )


def _identity(row: db.Record) -> Identity:
    fields = dict(row)
    return Identity(**fields | {"standing": Standing(fields["standing"])})
