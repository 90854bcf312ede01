"""Log-ins of staff: password and second factor, tokens, and the end of a session."""

from __future__ import annotations

import asyncio
import hmac
from datetime import timedelta

import pyotp

from backend.auth import passwords, queries, rules, service, tokens, trails
from backend.auth.control import Control, may_log_in
from backend.auth.errors import DeviceUnknown, LoginHours, LoginLocked
from backend.auth.service.staff import TOTP_CONTEXT
from backend.auth.types import Sender, Tokens
from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import Unauthenticated
from backend.kernel.vault import vault

log = logging.get(__name__)

_ACCESS_S = int(rules.ACCESS_TTL.total_seconds())


async def login_staff(
    username: str, password: str, totp: str | None, recovery: str | None, sender: Sender, device: str | None = None
) -> tuple[Tokens, str | None]:
    """Begin a staff session; eight wrong tries of a name lock it for 15 minutes, unless head office set otherwise.

    A try is counted before it is judged, so that many at once are no way round; names that do not exist are counted,
    locked and answered like those that do. A recovery code stands for the second factor, once.

    ``device`` is the token that this browser keeps, empty where it has none yet: a new one is answered then, or None.
    Whoever is who they say may still come at the wrong time (``LoginHours``) or from a device that nobody knows
    (``DeviceUnknown``, with a token that counts once somebody has let it in).
    """
    subject = login_subject(username)
    await take_a_try(subject)
    row = await queries.find_staff_login(username.lower())
    if row is None:
        await passwords.waste_time()
        raise Unauthenticated("name, password or code is wrong")
    right = await passwords.matches(row["password_hash"], password)
    spare = row["totp_sealed"] is not None and totp is None and recovery is not None
    step = 0 if spare else totp_step(row["totp_sealed"], totp)
    if not right or step is None or not row["active"]:
        _tell_of_failure(row, sender)
        raise Unauthenticated("name, password or code is wrong")
    control = await queries.control()
    await _check_hours(row, control, sender)
    shown = row["totp_sealed"] is not None
    known, new_token = await _known_device(row, device, sender, proven=shown, asked=control.known_devices)
    tokens_ = await _open_staff_session(row, subject, step, recovery if spare else None, sender, known)
    return tokens_, new_token


async def _check_hours(row: db.Record, control: Control, sender: Sender) -> None:
    store = await queries.find_store(row["store_id"]) if row["store_id"] else None
    local = clock.now().astimezone(clock.zone(store.timezone if store else settings().timezone))
    if not may_log_in(control.hours, row["role"], row["store_id"], local):
        async with db.transaction() as tx:
            await trails.note_login(tx, row, sender, status=403, code=LoginHours.code, detail={})
        raise LoginHours


async def _known_device(
    row: db.Record, token: str | None, sender: Sender, *, proven: bool, asked: bool
) -> tuple[int | None, str | None]:
    """The device of this log-in, and its token where it is new; ``DeviceUnknown`` where known ones are asked for.

    Who has shown a second factor (``proven``) makes a device known; without that, somebody else does.
    """
    if token is None and not asked:
        return None, None
    fresh: str | None = None
    async with db.transaction() as tx:
        found = await service.look_up_device(tx, row["id"], token, sender)
        if found is None:
            device_id, fresh = await service.note_device(tx, row["id"], sender, known=proven or not asked)
            state = "known" if proven or not asked else "waiting"
        else:
            device_id, state = found
            if state == "waiting" and (proven or not asked):
                await service.know_device(tx, device_id)
                state = "known"
        if state == "waiting":
            await trails.note_login(tx, row, sender, status=403, code=DeviceUnknown.code, detail={})
    if state == "waiting":
        raise DeviceUnknown(extra={"device": fresh or token})
    return device_id, fresh


def login_subject(username: str) -> str:
    """What tries of a name are counted under."""
    return vault().blind_index(username.lower(), context="staff-login")


async def take_a_try(subject: str) -> None:
    """Count one try, before it is judged; ``LoginLocked`` after too many."""
    now, control = clock.now(), await queries.control()
    lock = timedelta(minutes=control.staff_lock_minutes)
    taken = await db.fetchval(
        "INSERT INTO auth_login_failure AS f (subject, failures, last_at) VALUES ($1, 1, $2) ON CONFLICT (subject)"
        " DO UPDATE SET failures = CASE WHEN f.last_at <= $3 THEN 1 ELSE f.failures + 1 END, last_at = $2"
        " WHERE f.failures < $4 OR f.last_at <= $3 RETURNING failures",
        subject,
        now,
        now - lock,
        control.staff_tries,
    )
    if taken is None:
        raise LoginLocked(retry_after_s=int(lock.total_seconds()))


def totp_step(sealed: str | None, code: str | None) -> int | None:
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


async def spend_step(tx: Tx, staff_id: int, step: int) -> None:
    """Spend a code's step: each is good once, also after a log-in by recovery code (step 0)."""
    spent = await db.fetch_in(
        tx,
        "UPDATE auth_staff SET totp_step = greatest(totp_step, $2) WHERE id = $1 AND ($2 = 0 OR totp_step < $2)"
        " RETURNING id",
        staff_id,
        step,
    )
    if not spent:
        raise Unauthenticated("this code was used already; wait for the next one")


async def _open_staff_session(
    row: db.Record, subject: str, step: int, recovery: str | None, sender: Sender, device_id: int | None
) -> Tokens:
    """Spend the code's step or the recovery code, and begin the session."""
    staff_id: int = row["id"]
    session_id, now = ids.new_bigint(), clock.now()
    refresh_token, digest = tokens.make_refresh_token(session_id, tokens.STAFF)
    async with db.transaction() as tx:
        await _check_as_before(tx, row)
        await spend_step(tx, staff_id, step)
        if recovery is not None and not await service.spend_recovery_code(tx, staff_id, recovery):
            raise Unauthenticated("name, password or code is wrong")
        await db.raw(tx).execute(
            "INSERT INTO auth_staff_session"
            " (id, staff_id, refresh_hash, created_at, expires_at, address, agent, seen_at, device_id)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $4, $8)",
            session_id,
            staff_id,
            digest,
            now,
            now + rules.STAFF_TTL,
            sender.address,
            sender.agent,
            device_id,
        )
        await db.raw(tx).execute("DELETE FROM auth_login_failure WHERE subject = $1", subject)
        detail = {"actions": ["recovery_code"]} if recovery is not None else {}
        await trails.note_login(tx, row, sender, status=200, code="", detail=detail)
    access_token = tokens.make_access_token(session_id, tokens.STAFF)
    return Tokens(access_token=access_token, refresh_token=refresh_token, expires_in=_ACCESS_S)


async def _check_as_before(tx: Tx, row: db.Record) -> None:
    """Refuse whoever was closed or got another password while theirs was being checked: their sessions have ended."""
    same = await db.fetch_in(
        tx,
        "SELECT FROM auth_staff WHERE id = $1 AND active AND password_hash = $2 FOR UPDATE",
        row["id"],
        row["password_hash"],
    )
    if not same:
        raise Unauthenticated("name, password or code is wrong")


_telling: set[asyncio.Task[None]] = set()


def _tell_of_failure(row: db.Record, sender: Sender) -> None:
    """Have it in the audit log, beside the answer: a name that exists must not take longer than one that does not."""
    task = asyncio.create_task(_tell(row, sender))
    _telling.add(task)
    task.add_done_callback(_telling.discard)


async def _tell(row: db.Record, sender: Sender) -> None:
    try:
        async with db.transaction() as tx:
            await trails.note_login(tx, row, sender, status=401, code="unauthenticated", detail={})
    except Exception as error:
        log.error("auth.audit_row_missing", code="unauthenticated", status=401, error=type(error).__name__)


async def refresh_staff(refresh_token: str, sender: Sender) -> Tokens:
    """Exchange a staff refresh token for a new pair, within 12 hours of the login; a dead one ends the session.

    Outside of the hours of whom it belongs to nothing is exchanged, and the session stays for when they begin.
    """
    given = tokens.read_refresh_token(refresh_token, tokens.STAFF)
    if given is None:
        raise Unauthenticated("this refresh token does not hold")
    await _check_hours_of(given.session_id, sender)
    next_token, digest = tokens.make_refresh_token(given.session_id, tokens.STAFF)
    exchanged = await db.fetchval(
        "UPDATE auth_staff_session SET refresh_hash = $3, seen_at = $4, address = $5, agent = $6"
        " WHERE id = $1 AND refresh_hash = $2 AND ended_at IS NULL AND expires_at > $4 RETURNING true",
        given.session_id,
        given.digest,
        digest,
        clock.now(),
        sender.address,
        sender.agent,
    )
    if not exchanged:
        await logout_staff(given.session_id)
        raise Unauthenticated("this refresh token does not hold")
    access_token = tokens.make_access_token(given.session_id, tokens.STAFF)
    return Tokens(access_token=access_token, refresh_token=next_token, expires_in=_ACCESS_S)


async def _check_hours_of(session_id: int, sender: Sender) -> None:
    control = await queries.control()
    if not control.hours:
        return
    row = await db.fetchrow(
        "SELECT s.id, s.role, s.store_id FROM auth_staff_session w JOIN auth_staff s ON s.id = w.staff_id"
        " WHERE w.id = $1",
        session_id,
    )
    if row is not None:
        await _check_hours(row, control, sender)


async def logout_staff(session_id: int) -> None:
    """End a staff session."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE auth_staff_session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL", session_id, clock.now()
        )
