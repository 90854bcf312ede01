"""Use cases of sessions, tills and staff; each opens the one transaction it needs."""

from __future__ import annotations

import hmac

import pyotp

from backend.kernel import clock, db, ids, live
from backend.kernel.errors import NotFound, Unauthenticated
from backend.kernel.vault import vault

from . import passwords, queries, rules, service, tills, tokens
from .errors import LoginLocked
from .service.staff import TOTP_CONTEXT
from .types import SESSION_CHECK, Staff, StaffCaller, Store, Tokens

_ACCESS_S = int(rules.ACCESS_TTL.total_seconds())


EXCHANGE = """
UPDATE auth_session SET refresh_hash = $3, refreshed_at = $4, expires_at = $5
 WHERE id = $1 AND refresh_hash = $2 AND ended_at IS NULL AND expires_at > $4 RETURNING true
"""


async def refresh_member(refresh_token: str) -> Tokens:
    """Exchange a member's refresh token for a new pair; a dead one ends its session.

    There is no grace for a token used twice, not even within seconds: a thief who is quick would have it too. Whoever
    lost the answer logs in again, which in a mini-program asks nothing of its user.
    """
    given = tokens.read_refresh_token(refresh_token, tokens.MEMBER)
    if given is None:
        raise Unauthenticated("this refresh token does not hold")
    next_token, digest = tokens.make_refresh_token(given.session_id, tokens.MEMBER)
    now = clock.now()
    exchanged = await db.fetchval(
        EXCHANGE, given.session_id, given.digest, digest, now, now + rules.REFRESH_TTL
    )  # one statement is a transaction of its own
    if not exchanged:
        async with db.transaction() as tx:
            await service.end_sessions(tx, [given.session_id], why="reuse")
        _look_again(await queries.find_member_of_session(given.session_id))
        raise Unauthenticated("this refresh token does not hold")
    access_token = tokens.make_access_token(given.session_id, tokens.MEMBER)
    return Tokens(access_token=access_token, refresh_token=next_token, expires_in=_ACCESS_S)


async def logout(session_id: int, identity_id: int, member_id: int | None, *, everywhere: bool) -> None:
    """End this session, or every session and every device of the member: what was lost must not pay any more."""
    async with db.transaction() as tx:
        over = await service.sessions_of(tx, identity_id) if everywhere else [session_id]
        await service.end_sessions(tx, over, why="logout")
        if everywhere and member_id is not None:
            await service.revoke_all_devices(tx, member_id)
    _look_again(member_id)


def _look_again(member_id: int | None) -> None:
    """Have the member's open sockets look at once whether their sessions stand."""
    if member_id is not None:
        live.push(member_id, SESSION_CHECK, {})


async def login_staff(username: str, password: str, totp: str | None) -> Tokens:
    """Begin a staff session; eight wrong tries of a name lock it for 15 minutes.

    A try is counted before it is judged, so that many at once are no way round; names that do not exist are counted,
    locked and answered like those that do.
    """
    subject = vault().blind_index(username.lower(), context="staff-login")
    await _take_a_try(subject)
    row = await queries.find_staff_login(username.lower())
    if row is None:
        await passwords.waste_time()
        raise Unauthenticated("name, password or code is wrong")
    right = await passwords.matches(row["password_hash"], password)
    step = _totp_step(row["totp_sealed"], totp)
    if not right or step is None or not row["active"]:
        raise Unauthenticated("name, password or code is wrong")
    return await _open_staff_session(row["id"], subject, step)


async def _take_a_try(subject: str) -> None:
    now = clock.now()
    taken = await db.fetchval(
        "INSERT INTO auth_login_failure AS f (subject, failures, last_at) VALUES ($1, 1, $2) ON CONFLICT (subject)"
        " DO UPDATE SET failures = CASE WHEN f.last_at <= $3 THEN 1 ELSE f.failures + 1 END, last_at = $2"
        " WHERE f.failures < $4 OR f.last_at <= $3 RETURNING failures",
        subject,
        now,
        now - rules.LOGIN_LOCK,
        rules.LOGIN_FAILURES,
    )
    if taken is None:
        raise LoginLocked(retry_after_s=int(rules.LOGIN_LOCK.total_seconds()))


def _totp_step(sealed: str | None, code: str | None) -> int | None:
    """The step whose code this is (now or a neighbour), 0 where no second factor is set up, None for a wrong code."""
    if sealed is None:
        return 0
    totp = pyotp.TOTP(vault().open(sealed, context=TOTP_CONTEXT).decode(), interval=rules.TOTP_STEP_S)
    current = clock.unix() // rules.TOTP_STEP_S
    found = None
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), (code or "").encode()):
            found = step
    return found


async def _open_staff_session(staff_id: int, subject: str, step: int) -> Tokens:
    """Spend the code's step (each is good once) and begin the session."""
    session_id, now = ids.new_bigint(), clock.now()
    refresh_token, digest = tokens.make_refresh_token(session_id, tokens.STAFF)
    async with db.transaction() as tx:
        spent = await db.fetch_in(
            tx,
            "UPDATE auth_staff SET totp_step = $2 WHERE id = $1 AND ($2 = 0 OR totp_step < $2) RETURNING id",
            staff_id,
            step,
        )
        if not spent:
            raise Unauthenticated("this code was used already; wait for the next one")
        await db.raw(tx).execute(
            "INSERT INTO auth_staff_session (id, staff_id, refresh_hash, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            session_id,
            staff_id,
            digest,
            now,
            now + rules.STAFF_TTL,
        )
        await db.raw(tx).execute("DELETE FROM auth_login_failure WHERE subject = $1", subject)
    access_token = tokens.make_access_token(session_id, tokens.STAFF)
    return Tokens(access_token=access_token, refresh_token=refresh_token, expires_in=_ACCESS_S)


async def refresh_staff(refresh_token: str) -> Tokens:
    """Exchange a staff refresh token for a new pair, within 12 hours of the login; a dead one ends the session."""
    given = tokens.read_refresh_token(refresh_token, tokens.STAFF)
    if given is None:
        raise Unauthenticated("this refresh token does not hold")
    next_token, digest = tokens.make_refresh_token(given.session_id, tokens.STAFF)
    exchanged = await db.fetchval(
        "UPDATE auth_staff_session SET refresh_hash = $3"
        " WHERE id = $1 AND refresh_hash = $2 AND ended_at IS NULL AND expires_at > $4 RETURNING true",
        given.session_id,
        given.digest,
        digest,
        clock.now(),
    )
    if not exchanged:
        await logout_staff(given.session_id)
        raise Unauthenticated("this refresh token does not hold")
    access_token = tokens.make_access_token(given.session_id, tokens.STAFF)
    return Tokens(access_token=access_token, refresh_token=next_token, expires_in=_ACCESS_S)


async def logout_staff(session_id: int) -> None:
    """End a staff session."""
    await db.fetchval(
        "UPDATE auth_staff_session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL", session_id, clock.now()
    )


async def create_staff(username: str, password: str, role: str, store_id: str | None, totp_secret: str | None) -> Staff:
    """Add a login."""
    password_hash = await passwords.hash_secret(password)
    async with db.transaction() as tx:
        staff_id = await service.create_staff(
            tx,
            username=username,
            password_hash=password_hash,
            role=role,
            store_id=store_id,
            totp_secret=totp_secret,
        )
    return await queries.get_staff(staff_id)


async def close_staff(staff_id: str) -> None:
    """Take a login away and end its sessions at once."""
    row_id = ids.read_bigint(staff_id)
    async with db.transaction() as tx:
        closed = await db.fetch_in(tx, "UPDATE auth_staff SET active = false WHERE id = $1 RETURNING id", row_id)
        if not closed:
            raise NotFound
        await db.raw(tx).execute(
            "UPDATE auth_staff_session SET ended_at = $2 WHERE staff_id = $1 AND ended_at IS NULL",
            row_id,
            clock.now(),
        )
    queries.forget_managers()


async def create_store(store: Store) -> None:
    """Add a shop."""
    async with db.transaction() as tx:
        await service.create_store(tx, store)
    tills.forget()


async def create_terminal(caller: StaffCaller, store_id: str, name: str, terminal_id: str | None) -> tuple[str, str]:
    """Add a till to a shop the caller may see; returns its id and secret, once."""
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    async with db.transaction() as tx:
        made = await service.create_terminal(tx, store_id, name, terminal_id=terminal_id)
    tills.forget()
    return made


async def rotate_terminal(caller: StaffCaller, terminal_id: str, *, overlap_s: int) -> str:
    """Give a till a new secret, returned once; the one before holds for ``overlap_s`` more."""
    async with db.transaction() as tx:
        await _check_reach(tx, caller, terminal_id)
        secret = await service.rotate_terminal(tx, terminal_id, overlap_s=overlap_s)
    tills.forget()
    return secret


async def revoke_terminal(caller: StaffCaller, terminal_id: str) -> None:
    """Let a till in no more: at once here, within seconds in the other processes."""
    async with db.transaction() as tx:
        await _check_reach(tx, caller, terminal_id)
        await service.revoke_terminal(tx, terminal_id)
    tills.forget()


async def _check_reach(tx: db.Tx, caller: StaffCaller, terminal_id: str) -> None:
    """``NotFound`` for no such till and for another store's."""
    rows = await db.fetch_in(tx, "SELECT store_id FROM auth_terminal WHERE id = $1 FOR UPDATE", terminal_id)
    if not rows or not caller.reaches(rows[0]["store_id"]):
        raise NotFound
