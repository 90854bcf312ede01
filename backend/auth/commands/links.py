"""Links that are good once, for a while: an invitation, or another password for somebody who lost theirs."""

from __future__ import annotations

import hashlib
from typing import Any

import asyncpg

from backend.auth import password_rules, passwords, queries, rules, service, trails
from backend.auth.errors import AlreadyExists, BeyondOneself, LinkGone, TooManyInvitations
from backend.auth.types import Permission, Sender, StaffCaller
from backend.kernel import clock, db, ids, trail
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .logins import login_subject


def digest_of(token: str) -> str:
    """What a link is found by: 256 random bits need no key."""
    return hashlib.sha256(token.encode()).hexdigest()


async def invite(username: str, role: str, store_id: str | None, caller: StaffCaller) -> tuple[str, str]:
    """Invite somebody to a login of that name, role and place; returns the invitation's id and its token, once."""
    async with db.transaction() as tx:
        await service.check_may_give(tx, role, store_id, caller)
        await _check_free(tx, username.lower())
        return await _make(tx, "invite", username.lower(), caller, role=role, store_id=store_id)


async def reset_password(staff_id: str, caller: StaffCaller) -> tuple[str, str]:
    """Make a link with which somebody sets another password; one of before is void. Returns its id and token, once."""
    async with db.transaction() as tx:
        person = await service.lock_other(tx, staff_id, caller)
        await db.raw(tx).execute(
            "UPDATE auth_staff_link SET revoked_at = $2 WHERE staff_id = $1 AND used_at IS NULL AND revoked_at IS NULL",
            person.id,
            clock.now(),
        )
        return await _make(tx, "reset", person.username, caller, staff_id=person.id)


async def _check_free(tx: Tx, username: str) -> None:
    now = clock.now()
    taken = await db.fetch_in(
        tx,
        "SELECT FROM auth_staff WHERE username = $1 UNION ALL SELECT FROM auth_staff_link WHERE kind = 'invite'"
        " AND username = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
        username,
        now,
    )
    if taken:
        raise AlreadyExists("somebody has this name, or is invited under it")
    waiting = await db.fetch_in(
        tx,
        "SELECT count(*) FROM auth_staff_link WHERE kind = 'invite' AND used_at IS NULL AND revoked_at IS NULL"
        " AND expires_at > $1",
        now,
    )
    if waiting[0][0] >= rules.MOST_INVITATIONS:
        raise TooManyInvitations


async def _make(tx: Tx, kind: str, username: str, caller: StaffCaller, **more: Any) -> tuple[str, str]:
    token, link_id, now = ids.new_token(), ids.new_short("N"), clock.now()
    await db.raw(tx).execute(
        "INSERT INTO auth_staff_link"
        " (id, kind, digest, username, role, store_id, staff_id, made_by, made_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        link_id,
        kind,
        digest_of(token),
        username,
        more.get("role"),
        more.get("store_id"),
        more.get("staff_id"),
        caller.staff_id,
        now,
        now + (rules.INVITED if kind == "invite" else rules.RESET_WITHIN),
    )
    trail.named(link_id)
    trail.said(**more)
    return link_id, token


async def revoke(link_id: str, caller: StaffCaller) -> None:
    """Take a link back that nobody used; ``NotFound`` for none that is good."""
    async with db.transaction() as tx:
        gone = await db.fetch_in(
            tx,
            "UPDATE auth_staff_link SET revoked_at = $2 WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL"
            " RETURNING store_id",
            link_id,
            clock.now(),
        )
        if not gone:
            raise NotFound("there is no such link")


async def use(token: str, password: str, sender: Sender) -> str:
    """Set the password of a link, once: makes the login that it invites to, or gives its person another.

    Returns the user name. What a role may do, whether it is still there, and whether who made the link may still make
    it, is looked at now: else somebody who was sent away would leave themselves a way back. The audit log has it.
    """
    link = await queries.find_link(digest_of(token))
    if link is None:
        raise LinkGone
    password_rules.check_password(password, link["username"])
    password_hash = await passwords.hash_secret(password)
    async with db.transaction() as tx:
        # A person before their links: so do those who reset a password, or close somebody.
        await db.fetch_in(tx, "SELECT FROM auth_staff WHERE id = $1 FOR UPDATE", link["staff_id"])
        rows = await db.fetch_in(tx, "SELECT * FROM auth_staff_link WHERE id = $1 FOR UPDATE", link["id"])
        now = clock.now()
        if rows[0]["used_at"] is not None or rows[0]["revoked_at"] is not None or now >= rows[0]["expires_at"]:
            raise LinkGone
        await _check_maker(tx, rows[0])
        staff_id = await _fulfil(tx, rows[0], password_hash)
        await db.raw(tx).execute(
            "UPDATE auth_staff_link SET used_at = $2, staff_id = $3 WHERE id = $1", link["id"], now, staff_id
        )
        await trails.note_link_used(tx, await queries.get_caller_in(tx, staff_id), sender, link["id"], link["kind"])
    queries.forget_managers()
    username: str = link["username"]
    return username


async def _check_maker(tx: Tx, link: db.Record) -> None:
    """``LinkGone`` where who made a link was closed since, or may no longer do what it does."""
    try:
        maker = await queries.get_caller_in(tx, link["made_by"])
        if not maker.may(Permission.STAFF_MANAGE):
            raise LinkGone
        if link["kind"] == "invite":
            await service.check_may_give(tx, link["role"], link["store_id"], maker)
        else:
            await service.lock_person(tx, str(link["staff_id"]), maker)
    except (NotFound, BeyondOneself):
        raise LinkGone from None


async def _fulfil(tx: Tx, link: db.Record, password_hash: str) -> int:
    if link["kind"] == "invite":
        try:
            return await service.create_staff(
                tx,
                username=link["username"],
                password_hash=password_hash,
                role=link["role"],
                store_id=link["store_id"],
                made_by=link["made_by"],
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyExists("somebody has this name already") from None
    staff_id: int = link["staff_id"]
    rows = await db.fetch_in(tx, "SELECT active FROM auth_staff WHERE id = $1 FOR UPDATE", staff_id)
    if not rows[0]["active"]:
        raise LinkGone
    await service.set_password(tx, staff_id, password_hash)
    await db.raw(tx).execute("DELETE FROM auth_login_failure WHERE subject = $1", login_subject(link["username"]))
    return staff_id
