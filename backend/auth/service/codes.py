"""Whose dynamic code this is: asked without spending it, or to be spent in the caller's own plan."""

from __future__ import annotations

import msgspec

from backend.auth import codes, queries
from backend.auth.codes import Verdict
from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.kernel import clock, db, limits, logging, metrics
from backend.kernel.errors import RateLimited
from backend.ledger import queries as ledger
from backend.ledger.plans import Guard
from backend.ledger.service import device_mark

from .devices import mark_handle_suspect

HANDLE_MISSES = 5
HANDLE_WINDOW_S = 600

log = logging.get(__name__)


class Shown(msgspec.Struct, frozen=True):
    """A good code: whose it is, and the device and step it belongs to. It is spent by whoever posts ``guard``."""

    member_id: int
    device_id: int
    step: int

    def guard(self) -> Guard:
        """A device's codes are good once, and only forwards: the refusal is ``code_used``."""
        return Guard(device_mark(self.device_id), "above", self.step, CodeUsed.code)


async def count_handle_miss(handle: str, *, known: bool) -> None:
    """Count a wrong code; a handle that is guessed at too often becomes suspect, and its sales wait for the phone."""
    metrics.CODE_FAILURES.labels("wrong" if known else "unknown").inc()
    if not known:
        return
    try:
        await limits.hit(f"code-miss:handle:{handle}", HANDLE_MISSES - 1, HANDLE_WINDOW_S)
    except RateLimited:
        log.warning("auth.handle_suspect")
        async with db.transaction() as tx:
            await mark_handle_suspect(tx, handle)


async def shown(code: str) -> Shown:
    """Whose phone shows this code now. Nothing is spent: the same code still pays, once.

    Raises ``CodeInvalid``, ``CodeExpired`` (also where somebody has been guessing at it: it proves nothing), or
    ``CodeUsed`` for one that was spent, or is older than one that was. A wrong one counts at its handle; whoever lets
    people try bounds how often.
    """
    now = clock.now()
    parsed = codes.parse(code)
    if parsed is None:
        raise CodeInvalid
    handle, given = parsed
    device = await queries.find_handle(handle)
    usable = device is not None and device.usable(now)
    secret = device.secret if usable and device is not None else None
    verdict, step = codes.judge(secret, handle, given, codes.accepted_steps(now.timestamp()))
    if verdict is Verdict.EXPIRED:
        raise CodeExpired
    if verdict is Verdict.INVALID or device is None:
        await count_handle_miss(handle, known=usable)
        raise CodeInvalid
    if device.suspect:
        raise CodeExpired("somebody has been guessing at this code; open the app, and show the new one")
    mark = device_mark(device.device_id)
    if (await ledger.guard_values(device.member_id, [mark])).get(mark, -1) >= step:
        raise CodeUsed
    return Shown(device.member_id, device.device_id, step)
