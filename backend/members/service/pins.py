"""The payment PIN.

A PIN is set on the phone, or at a till's PIN pad. Staff may end one (``initialised``): it is dead at once, and the
phone sets another. For some hours after that, and after a till, what is confirmed comes off an allowance.
"""

from __future__ import annotations

import math
from datetime import timedelta

from backend.auth import service as auth
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.kernel.vault import vault
from backend.wechat import service as wechat

from .. import queries, rules
from ..errors import PinAllowance, PinInvalid, PinLocked, PinRequired, PinResetRequired
from ..types import PinState

_TRY = """
UPDATE member_pin SET failures = CASE WHEN locked_until <= $2 THEN 1 ELSE failures + 1 END,
       locked_until = CASE WHEN locked_until IS NULL AND failures + 1 >= $3 THEN $4::timestamptz END
 WHERE member_id = $1 AND (failures < $3 OR locked_until <= $2) AND initialised_at IS NULL
RETURNING pin_hash, failures"""

_RIGHT = """
UPDATE member_pin SET failures = 0, locked_until = NULL,
       lower_left_fen = CASE WHEN lower_until > $3 THEN lower_left_fen - $4 END
 WHERE member_id = $1 AND pin_hash = $2 AND (lower_until IS NULL OR lower_until <= $3 OR lower_left_fen >= $4)
RETURNING 1"""


async def check_pin(member_id: int, pin: str | None, *, spends_fen: int = 0) -> None:
    """Refuse unless this is the member's PIN; passes where none is set. Call it outside of any transaction.

    A try is counted and committed before it is judged: a refused sale does not give it back, and tries at the same
    moment cannot share one. Five wrong ones lock the PIN for 15 minutes; a right one sets the count to zero, and takes
    ``spends_fen`` off the allowance, in the hours after staff or a till had a hand in it.

    Raises ``PinRequired`` for no PIN where one is set, ``PinInvalid``, ``PinLocked`` with the seconds to wait,
    ``PinResetRequired`` where staff ended it, or ``PinAllowance`` with what is left.
    """
    if pin is None:
        state = await queries.find_pin_state(member_id)
        if state is PinState.TO_SET:
            raise PinResetRequired
        if state is PinState.SET:
            raise PinRequired
        return
    now = clock.now()
    row = await db.fetchrow(_TRY, member_id, now, rules.PIN_TRIES, now + rules.PIN_LOCK)
    if row is None:
        await _refuse_unusable(member_id)
        return
    if not await auth.matches(row["pin_hash"], peppered(member_id, pin)):
        raise PinInvalid(rules.PIN_TRIES - row["failures"])
    if await db.fetchval(_RIGHT, member_id, row["pin_hash"], now, spends_fen) is None:
        await _refuse_changed(member_id, row["pin_hash"])


async def _refuse_unusable(member_id: int) -> None:
    """``PinResetRequired`` or ``PinLocked``, unless there is no PIN at all."""
    row = await db.fetchrow("SELECT locked_until, initialised_at FROM member_pin WHERE member_id = $1", member_id)
    if row is None:
        return
    if row["initialised_at"] is not None:
        raise PinResetRequired
    left_s = (row["locked_until"] - clock.now()).total_seconds() if row["locked_until"] else 0
    raise PinLocked(retry_after_s=max(1, math.ceil(left_s)))


async def _refuse_changed(member_id: int, pin_hash: str) -> None:
    """Why a right PIN was not enough: the allowance, or it was replaced or ended while it was being judged."""
    row = await db.fetchrow(
        "UPDATE member_pin SET failures = 0, locked_until = NULL WHERE member_id = $1 AND pin_hash = $2"
        " RETURNING lower_until, lower_left_fen",
        member_id,
        pin_hash,
    )
    if row is not None and row["lower_until"] is not None:
        raise PinAllowance(extra={"left_fen": row["lower_left_fen"], "until": row["lower_until"].isoformat()})
    await _refuse_unusable(member_id)


async def check_own_phone(member_id: int, phone_code: str) -> None:
    """Refuse a phone code that is not of this member's number. Asks WeChat: outside of any transaction."""
    phone = await wechat.phone_number(phone_code)
    if queries.phone_index(phone) != await queries.find_phone_index(member_id):
        raise invalid("/phone_code", "is not of this member's phone number")


def peppered(member_id: int, pin: str) -> str:
    """What is hashed for a PIN: under a key, because a million PINs are soon tried on a stolen table alone."""
    return vault().derive("member-pin", f"{member_id}:{pin}".encode()).hex()


async def put_pin(tx: Tx, member_id: int, pin_hash: str, *, lowered: bool = False) -> None:
    """Set or replace a member's PIN and unlock it; the hash is of ``peppered``.

    ``lowered``: what is confirmed with it comes off an allowance for some hours. One that runs goes on.
    """
    await db.raw(tx).execute(
        "INSERT INTO member_pin (member_id, pin_hash, failures, changed_at) VALUES ($1, $2, 0, $3)"
        " ON CONFLICT (member_id) DO UPDATE SET pin_hash = $2, failures = 0, locked_until = NULL, changed_at = $3,"
        " initialised_at = NULL",
        member_id,
        pin_hash,
        clock.now(),
    )
    if lowered:
        await _lower(tx, member_id)


async def initialise_pin(tx: Tx, member_id: int, no_hash: str) -> None:
    """End a member's PIN at once: none is good until the phone has set another. ``no_hash`` is of what nobody knows."""
    await put_pin(tx, member_id, no_hash)
    await db.raw(tx).execute("UPDATE member_pin SET initialised_at = changed_at WHERE member_id = $1", member_id)
    await _lower(tx, member_id)


async def unlock_pin(tx: Tx, member_id: int) -> None:
    """Forget the wrong tries; the PIN is as it was."""
    await db.raw(tx).execute("UPDATE member_pin SET failures = 0, locked_until = NULL WHERE member_id = $1", member_id)


# What is left of an allowance that runs is not made more by the next act: else a till could renew it all day long.
_LOWER = """
UPDATE member_pin SET lower_until = $2, lower_left_fen = CASE WHEN lower_until > $3 THEN least(lower_left_fen, $4)
       ELSE $4 END WHERE member_id = $1"""


async def _lower(tx: Tx, member_id: int) -> None:
    """Begin the hours in which an allowance holds, or begin them again with what is left of it."""
    chain, now = settings(), clock.now()
    if chain.pin_allowance_hours:
        until = now + timedelta(hours=chain.pin_allowance_hours)
        await db.raw(tx).execute(_LOWER, member_id, until, now, chain.pin_allowance_fen)
