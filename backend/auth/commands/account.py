"""What somebody of the staff does about their own login: password, second factor, sessions."""

from __future__ import annotations

import pyotp

from backend.auth import password_rules, passwords, queries, service
from backend.auth.errors import PasswordWrong
from backend.auth.service.staff import TOTP_CONTEXT
from backend.auth.types import StaffCaller
from backend.kernel import db
from backend.kernel.errors import Unauthenticated
from backend.kernel.vault import vault

from .logins import login_subject, spend_step, take_a_try, totp_step
from .people import end_one


async def change_password(caller: StaffCaller, current: str, password: str) -> None:
    """Take another password; every session ends, this one too."""
    row = await prove(caller, current)
    password_rules.check_password(password, row["username"])
    password_hash = await passwords.hash_secret(password)
    async with db.transaction() as tx:
        await service.set_password(tx, caller.staff_id, password_hash)
        await proved(tx, row)


_FORGET = "DELETE FROM auth_login_failure WHERE subject = $1"


async def begin_totp(caller: StaffCaller, current: str, code: str | None) -> str:
    """Make a new second factor, which holds once a code of it was shown; returns its secret (base32), once.

    Whoever has one shows a code of it too: a stolen session and the password are not enough to replace it.
    """
    row = await prove(caller, current)
    step = totp_step(row["totp_sealed"], code)
    if step is None:
        raise PasswordWrong
    secret = pyotp.random_base32()
    async with db.transaction() as tx:
        await _spend(tx, caller, step)
        await db.raw(tx).execute(
            "UPDATE auth_staff SET totp_pending = $2 WHERE id = $1",
            caller.staff_id,
            vault().seal(secret.encode(), context=TOTP_CONTEXT),
        )
        await proved(tx, row)
    return secret


async def finish_totp(caller: StaffCaller, code: str) -> list[str]:
    """Show a code of the new second factor: from now on it is asked for. Returns the recovery codes, once."""
    row = await queries.find_account(caller.staff_id)
    await take_a_try(login_subject(row["username"]))
    step = totp_step(row["totp_pending"], code) if row["totp_pending"] is not None else None
    if step is None:
        raise PasswordWrong
    async with db.transaction() as tx:
        moved = await db.fetch_in(
            tx,
            "UPDATE auth_staff SET totp_sealed = totp_pending, totp_pending = NULL, totp_step = $3"
            " WHERE id = $1 AND totp_pending = $2 RETURNING 1",
            caller.staff_id,
            row["totp_pending"],
            step,
        )
        if not moved:
            raise PasswordWrong
        codes = await service.new_recovery_codes(tx, caller.staff_id)
        await service.end_staff_sessions(tx, caller.staff_id, but=caller.session_id)
        await proved(tx, row)
    return codes


async def renew_codes(caller: StaffCaller, current: str, code: str) -> list[str]:
    """Make new recovery codes; those of before are void."""
    row = await prove(caller, current)
    step = totp_step(row["totp_sealed"], code) if row["totp_sealed"] is not None else None
    if step is None:
        raise PasswordWrong
    async with db.transaction() as tx:
        await _spend(tx, caller, step)
        await proved(tx, row)
        return await service.new_recovery_codes(tx, caller.staff_id)


async def end_own_session(caller: StaffCaller, session_id: str) -> None:
    """End one of one's own sessions."""
    async with db.transaction() as tx:
        await end_one(tx, caller.staff_id, session_id)


async def end_other_sessions(caller: StaffCaller) -> int:
    """End all of one's own sessions but this one; returns how many there were."""
    async with db.transaction() as tx:
        return await service.end_staff_sessions(tx, caller.staff_id, but=caller.session_id)


async def proved(tx: db.Tx, row: db.Record) -> None:
    """The password was right: its tries begin anew."""
    await db.raw(tx).execute(_FORGET, login_subject(row["username"]))


async def prove(caller: StaffCaller, current: str) -> db.Record:
    """Ask for the password again, with the tries of a login: whoever found an open till has a session, no password."""
    row = await queries.find_account(caller.staff_id)
    await take_a_try(login_subject(row["username"]))
    if not await passwords.matches(row["password_hash"], current):
        raise PasswordWrong
    return row


async def _spend(tx: db.Tx, caller: StaffCaller, step: int) -> None:
    try:
        await spend_step(tx, caller.staff_id, step)
    except Unauthenticated as error:
        raise PasswordWrong(error.detail) from None
