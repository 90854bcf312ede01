"""The payment PIN."""

from __future__ import annotations

import math

from backend.auth import service as auth
from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.kernel.vault import vault
from backend.wechat import service as wechat

from .. import queries, rules
from ..errors import PinInvalid, PinLocked, PinRequired


async def check_pin(member_id: int, pin: str | None) -> None:
    """Refuse unless this is the member's PIN; passes where none is set. Call it outside of any transaction.

    A try is counted and committed before it is judged: a refused sale does not give it back, and tries at the same
    moment cannot share one. Five wrong ones lock the PIN for 15 minutes; a right one sets the count to zero.

    Raises ``PinRequired`` for no PIN where one is set, ``PinInvalid``, or ``PinLocked`` with the seconds to wait.
    """
    if pin is None:
        if await queries.has_pin(member_id):
            raise PinRequired
        return
    now = clock.now()
    row = await db.fetchrow(
        "UPDATE member_pin SET failures = CASE WHEN locked_until <= $2 THEN 1 ELSE failures + 1 END,"
        " locked_until = CASE WHEN locked_until IS NULL AND failures + 1 >= $3 THEN $4::timestamptz END"
        " WHERE member_id = $1 AND (failures < $3 OR locked_until <= $2) RETURNING pin_hash, failures",
        member_id,
        now,
        rules.PIN_TRIES,
        now + rules.PIN_LOCK,
    )
    if row is None:
        await _refuse_locked(member_id)
        return
    if not await auth.matches(row["pin_hash"], peppered(member_id, pin)):
        raise PinInvalid(rules.PIN_TRIES - row["failures"])
    await db.fetchval(
        "UPDATE member_pin SET failures = 0, locked_until = NULL WHERE member_id = $1 AND pin_hash = $2",
        member_id,
        row["pin_hash"],
    )


async def _refuse_locked(member_id: int) -> None:
    """``PinLocked``, unless there is no PIN at all."""
    row = await db.fetchrow("SELECT locked_until FROM member_pin WHERE member_id = $1", member_id)
    if row is not None:
        left_s = (row["locked_until"] - clock.now()).total_seconds() if row["locked_until"] else 0
        raise PinLocked(retry_after_s=max(1, math.ceil(left_s)))


async def check_own_phone(member_id: int, phone_code: str) -> None:
    """Refuse a phone code that is not of this member's number. Asks WeChat: outside of any transaction."""
    phone = await wechat.phone_number(phone_code)
    if queries.phone_index(phone) != await queries.find_phone_index(member_id):
        raise invalid("/phone_code", "is not of this member's phone number")


def peppered(member_id: int, pin: str) -> str:
    """What is hashed for a PIN: under a key, because a million PINs are soon tried on a stolen table alone."""
    return vault().derive("member-pin", f"{member_id}:{pin}".encode()).hex()


async def put_pin(tx: Tx, member_id: int, pin_hash: str) -> None:
    """Set or replace a member's PIN and unlock it; the hash is of ``peppered``."""
    await db.raw(tx).execute(
        "INSERT INTO member_pin (member_id, pin_hash, failures, changed_at) VALUES ($1, $2, 0, $3)"
        " ON CONFLICT (member_id) DO UPDATE SET pin_hash = $2, failures = 0, locked_until = NULL, changed_at = $3",
        member_id,
        pin_hash,
        clock.now(),
    )
