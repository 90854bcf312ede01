"""What staff and tills do about a payment PIN, with the member there; nobody of them ever sees or types one."""

from __future__ import annotations

from backend.auth import service as auth
from backend.auth.types import StaffCaller, TerminalCaller
from backend.kernel import clock, db, events, guessing, ids, limits, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound

from .. import locks, queries, service
from ..errors import MemberNotPresent, PinActsLimit, PinConflict, StatusConflict
from ..events import PinHandled
from ..schemas.pins import PinActIn, PinAtTill
from ..service import Present
from ..types import Actor, ActorKind, PinAct, PinState, Status

log = logging.get(__name__)

CODES_A_MINUTE = 20
"""Codes that one till may show for a PIN."""

_COUNT = "SELECT count(*) AS done FROM member_pin_act WHERE actor = $1 AND at >= $2"
# Two acts of the same person at the same moment would both see room for one.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('member_pin_act/' || $1, 0))"
_NOTE = (
    "INSERT INTO member_pin_act (id, member_id, at, act, actor, store_id, proof, reason)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


async def initialise(member_id: str, body: PinActIn, caller: StaffCaller) -> int:
    """End a member's PIN, who stands there: it is dead at once, and their phone sets another at its next use."""
    present = await _present(member_id, body, caller)
    no_hash = await auth.hash_secret(ids.new_token())
    async with db.transaction() as tx:
        await _begin(tx, present, caller.store_id)
        await service.initialise_pin(tx, present.member_id, no_hash)
        await _note(tx, present, PinAct.INITIALISED, _of_staff(caller), caller.store_id, body.reason)
        changes = {"pin": (None, PinState.TO_SET.value)}
        actor = Actor.staff(caller.staff_id)
        await service.changed(tx, present.member_id, by=actor, changes=changes, reason=body.reason)
    _tell(present.member_id, PinAct.INITIALISED)
    return present.member_id


async def unlock(member_id: str, body: PinActIn, caller: StaffCaller) -> int:
    """Forget a member's wrong tries, who stands there; the PIN is as it was. ``PinConflict`` for one not locked."""
    present = await _present(member_id, body, caller)
    async with db.transaction() as tx:
        await _begin(tx, present, caller.store_id)
        if (await queries.get_pin_standing(present.member_id)).locked_until is None:
            raise PinConflict("the PIN is not locked")
        await service.unlock_pin(tx, present.member_id)
        await _note(tx, present, PinAct.UNLOCKED, _of_staff(caller), caller.store_id, body.reason)
    _tell(present.member_id, PinAct.UNLOCKED)
    return present.member_id


async def set_at_till(body: PinAtTill, caller: TerminalCaller) -> None:
    """Set the PIN that a member typed at a till's PIN pad: their code is spent for this alone."""
    await limits.hit(f"pin-code:{caller.terminal_id}", CODES_A_MINUTE, 60)
    present = await service.find_present(body.code, None)
    await _check_active(present.member_id)
    pin_hash = await auth.hash_secret(service.peppered(present.member_id, body.pin))
    async with db.transaction() as tx:
        await _begin(tx, present, caller.store_id)
        await service.put_pin(tx, present.member_id, pin_hash, lowered=True)
        actor = f"terminal/{caller.terminal_id}"
        await _note(tx, present, PinAct.SET_AT_TILL, actor, caller.store_id, body.cashier or "")
        changes = {"pin": (None, PinState.SET.value)}
        await service.changed(tx, present.member_id, by=Actor(ActorKind.MEMBER, present.member_id), changes=changes)
    _tell(present.member_id, PinAct.SET_AT_TILL)


def _of_staff(caller: StaffCaller) -> str:
    return f"staff/{caller.staff_id}"


async def _present(member_id: str, body: PinActIn, caller: StaffCaller) -> Present:
    """The member of the address, who shows their code or whose number WeChat vouches for.

    Any store serves who stands there; of whom it may not see it learns nothing without that.
    """
    guessing.check(caller.staff_id)
    row_id = ids.read_bigint(member_id)
    member = await queries.find_member(row_id) if row_id is not None else None
    hidden = member is None or not caller.reaches(member.store_id)
    try:
        present = await service.find_present(body.code, body.phone_code)
    except DomainError:
        await guessing.miss(caller.staff_id, "code")
        if hidden:
            raise NotFound("there is no such member") from None
        raise
    if present.member_id != row_id:
        await guessing.miss(caller.staff_id, "code")
        raise NotFound("there is no such member") if hidden else MemberNotPresent
    await _check_active(present.member_id)
    return present


async def _check_active(member_id: int) -> None:
    member = await queries.get_member(member_id)
    if member.status is not Status.ACTIVE:
        raise StatusConflict(f"the member is {member.status.value}")


async def _begin(tx: Tx, present: Present, store_id: str | None) -> None:
    await locks.lock_member(tx, present.member_id)
    await service.spend_presence(tx, present, store_id=store_id, at=clock.now())


async def _note(tx: Tx, present: Present, act: PinAct, actor: str, store_id: str | None, reason: str) -> None:
    """Write down who did what, so many times a day at most, and let the member hear of it."""
    now, zone = clock.now(), settings().timezone
    begin = clock.midnight(clock.local_date(now, zone), zone)
    await db.raw(tx).execute(_ALONE, actor)
    (row,) = await db.fetch_in(tx, _COUNT, actor, begin)
    if row["done"] >= settings().pin_acts_per_day:
        raise PinActsLimit
    proof = "code" if present.shown is not None else "phone"
    act_id = ids.new_bigint()
    await db.raw(tx).execute(_NOTE, act_id, present.member_id, now, act.value, actor, store_id, proof, reason.strip())
    await events.publish(
        tx, PinHandled(member_id=present.member_id, act=act.value, act_id=act_id, at=now, store_id=store_id)
    )


def _tell(member_id: int, act: PinAct) -> None:
    live.push(member_id, "pin_changed", {"act": act.value})
    log.info("members.pin_handled", member_id=member_id, act=act.value)
