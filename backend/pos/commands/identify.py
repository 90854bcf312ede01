"""Whose code or scan token this is, and which conditions the door must check when it is spent."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, date, datetime
from typing import TypeVar

import msgspec

from backend.auth import codes
from backend.auth import queries as auth
from backend.auth import service as auth_service
from backend.auth.codes import Purpose, Verdict
from backend.auth.errors import CodeExpired, CodeInvalid
from backend.auth.types import HandleDevice
from backend.kernel import clock, guessing, limits, logging, metrics
from backend.kernel.errors import NotFound, RateLimited
from backend.kernel.vault import vault
from backend.ledger.plans import Guard
from backend.ledger.service import device_mark
from backend.members import queries as members
from backend.members.types import Cardholder

from ..plans import CODE_USED
from ..rules.tokens import ScanToken, unseal

TERMINAL_MISSES = 20
TERMINAL_WINDOW_S = 60

log = logging.get(__name__)
T = TypeVar("T")
_blocked_until: dict[str, float] = {}

number_misses = guessing.Misses(
    "number-miss", TERMINAL_MISSES, TERMINAL_WINDOW_S, "too many wrong numbers at this terminal"
)
"""Numbers of members and of member cards that a till was told of that they are nobody's, or somebody else's."""


class Customer(msgspec.Struct, frozen=True):
    """The member behind a code, and how spending it is decided.

    ``suspect``: somebody has been guessing at this handle, so its sales wait for the phone. ``holder`` is what was read
    with the code; a scan token comes without. ``earn_only``: what would be spent waits for the phone.
    """

    member_id: int
    device_id: int
    step: int
    guards: tuple[Guard, ...]
    suspect: bool = False
    earn_only: bool = False
    holder: Cardholder | None = None


def scan_key() -> bytes:
    """The key that signs scan tokens."""
    return vault().derive("scan-token")


class WrongCode(CodeInvalid):
    """This is not a member code of ours; ask the member to show it again.

    It may be a guess: whoever asked counts it (``count_miss``) unless it is a retry of what was answered before.
    """

    def __init__(self, terminal_id: str, handle: str, *, known: bool) -> None:
        self.terminal_id = terminal_id
        self.handle = handle
        self.known = known
        super().__init__("this is not a member code of ours; ask the member to show it again")


async def counted(found: Awaitable[T]) -> T:
    """What was found by a code; a wrong one counts as a guess at once, where no key could make it a retry."""
    try:
        return await found
    except WrongCode as wrong:
        await count_miss(wrong)
        raise


async def by_code(
    code: str, *, terminal_id: str, now: datetime, on: date, purpose: Purpose = Purpose.MEMBER
) -> Customer:
    """The member whose phone shows this code now, and what they hold on that local day.

    Raises ``CodeInvalid``, ``CodeExpired``, or ``RateLimited`` for a terminal that has missed too often.
    """
    _check_blocked(terminal_id)
    parsed = codes.parse(code, purpose)
    if parsed is None:
        raise CodeInvalid
    handle, given = parsed
    device, holder = await members.find_cardholder(handle, on) or (None, None)
    usable = device is not None and device.usable(now)
    secret = device.secret if usable and device is not None else None
    verdict, step = codes.judge(secret, handle, given, codes.accepted_steps(now.timestamp()), purpose=purpose)
    if verdict is Verdict.EXPIRED:
        raise CodeExpired
    if verdict is Verdict.INVALID or device is None:
        raise WrongCode(terminal_id, handle, known=usable)
    return _customer(device, step, holder)


async def by_offline_code(code: str, *, terminal_id: str, occurred_at: datetime) -> tuple[HandleDevice, int]:
    """The device and step of a code that a till took offline at ``occurred_at``, within a minute of it."""
    _check_blocked(terminal_id)
    parsed = codes.parse(code)
    if parsed is None:
        raise CodeInvalid
    handle, given = parsed
    device = await auth.find_handle(handle)
    usable = device is not None and device.usable(occurred_at)
    secret = device.secret if usable and device is not None else None
    verdict, step = codes.judge(secret, handle, given, codes.offline_steps(occurred_at.timestamp()))
    if verdict is Verdict.EXPIRED:
        raise CodeExpired
    if verdict is Verdict.INVALID or device is None:
        raise WrongCode(terminal_id, handle, known=usable)
    return device, step


async def find_by_late_code(code: str, *, late_s: int, now: datetime) -> Customer | None:
    """The member whose phone showed this code when it was at most ``late_s`` too old now, or None.

    Only for asking what it was used for: it can be spent no more.
    """
    parsed = codes.parse(code)
    device = await auth.find_handle(parsed[0]) if parsed else None
    if parsed is None or device is None or not device.usable(now):
        return None
    earlier = codes.accepted_steps(now.timestamp() - late_s)
    late = range(earlier.start, codes.accepted_steps(now.timestamp()).start)
    verdict, step = codes.judge(device.secret, *parsed, late, older=0)
    return _customer(device, step) if verdict is Verdict.GOOD else None


def by_scan_token(text: str, *, terminal_id: str, store_id: str, now: datetime) -> Customer:
    """The member whose spent code this token stands for; bound to the store and terminal that read it."""
    token = unseal(text, scan_key())
    if token is None or token.terminal_id != terminal_id or token.store_id != store_id:
        raise CodeInvalid("this scan token is not one of this terminal")
    if now.timestamp() >= token.expires_at:
        raise CodeExpired("this scan token is older than five minutes; scan again")
    guards = (one_sale_guard(token),)
    return Customer(token.member_id, token.device_id, token.step, guards, token.suspect, token.earn_only)


def one_sale_guard(token: ScanToken) -> Guard:
    """A scan token buys at most one sale."""
    expires_at = datetime.fromtimestamp(token.expires_at + 600, tz=UTC)
    return Guard(f"scan:{token.device_id}:{token.step}", "once", token.step, CODE_USED, expires_at=expires_at)


def step_guard(device_id: int, step: int) -> Guard:
    """A device's codes are good once, and only forwards."""
    return Guard(device_mark(device_id), "above", step, CODE_USED)


def _customer(device: HandleDevice, step: int, holder: Cardholder | None = None) -> Customer:
    guards = (step_guard(device.device_id, step),)
    return Customer(device.member_id, device.device_id, step, guards, device.suspect, holder=holder)


def _check_blocked(terminal_id: str) -> None:
    until = _blocked_until.get(terminal_id)
    if until is None:
        return
    left = until - clock.now().timestamp()
    if 0 < left <= 2 * TERMINAL_WINDOW_S:  # by a clock that was set back meanwhile it would be for longer
        metrics.CODE_FAILURES.labels("throttled").inc()
        raise RateLimited("too many wrong codes at this terminal", retry_after_s=int(left) + 1)
    _blocked_until.pop(terminal_id, None)


async def by_number(member_no: str, *, terminal_id: str) -> int:
    """Whose member number it is; ``NotFound`` for nobody's. A till that tries numbers is told of none for a while."""
    number_misses.check(terminal_id)
    member_id = await members.find_id_by_number(member_no)
    if member_id is None:
        await count_number(terminal_id)
        raise NotFound("there is no member with this number")
    return member_id


async def count_number(terminal_id: str) -> None:
    """Count a number that is nobody's; ``RateLimited`` for one too many, and then the till is told of none."""
    try:
        await number_misses.count(terminal_id)
    except RateLimited:
        log.warning("pos.terminal_guessing", terminal_id=terminal_id)
        raise


async def count_miss(wrong: WrongCode) -> None:
    """Count a guess at the terminal and at the handle; too many block the one and make the other suspect.

    Raises ``RateLimited`` where this one was too many.
    """
    terminal_id = wrong.terminal_id
    await auth_service.count_handle_miss(wrong.handle, known=wrong.known)
    try:
        await limits.hit(f"code-miss:terminal:{terminal_id}", TERMINAL_MISSES, TERMINAL_WINDOW_S)
    except RateLimited as error:
        log.warning("pos.terminal_guessing", terminal_id=terminal_id)
        _blocked_until[terminal_id] = clock.now().timestamp() + (error.retry_after_s or TERMINAL_WINDOW_S)
        raise
