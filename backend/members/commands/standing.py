"""What staff decide about members."""

from __future__ import annotations

from backend.auth.types import SESSION_CHECK, StaffCaller
from backend.kernel import clock, db, events, live, logging
from backend.kernel.config import settings
from backend.kernel.errors import NotFound

from .. import joins, locks, queries, rules, service
from ..errors import StatusConflict
from ..events import MemberRegistered
from ..types import Actor, Member, Status

log = logging.get(__name__)

_MOVES: dict[str, tuple[frozenset[Status], Status]] = {
    "approve": (frozenset({Status.PENDING}), Status.ACTIVE),
    "reject": (frozenset({Status.PENDING}), Status.NONE),
    "freeze": (frozenset({Status.ACTIVE, Status.EXPIRED}), Status.FROZEN),
    "unfreeze": (frozenset({Status.FROZEN}), Status.ACTIVE),
}


async def move_member(caller: StaffCaller, member_id: str, move: str, reason: str | None = None) -> Member:
    """Approve, reject, freeze or unfreeze a member of a store the caller may see; repeated, it changes nothing.

    Who is let in outside of the membership's days is expired then.
    """
    sources, target = _MOVES[move]
    row_id, zone = rules.row_id(member_id), settings().timezone
    async with db.transaction() as tx:
        row = await locks.lock_member(tx, row_id)
        if not caller.reaches(row["store_id"]):
            raise NotFound("there is no such member")
        (held,) = await service.lock_held(tx, [row_id])
        status, target = held.status, held.validity.status_of(target, clock.local_date(clock.now(), zone))
        if status in sources:
            await service.set_status(tx, row_id, target, by=Actor.staff(caller.staff_id), reason=reason)
            if status is Status.PENDING:
                await joins.judging().decided(tx, row_id, target, caller.staff_id, reason)
            if move == "approve":
                await events.publish(tx, MemberRegistered(member_id=row_id))
        elif status is not target:
            raise StatusConflict(f"the member is {status.value}")
    live.push(row_id, SESSION_CHECK, {})
    log.info("members.moved", member_id=row_id, staff_id=caller.staff_id, move=move)
    return await queries.get_member(row_id)


async def get_for_staff(caller: StaffCaller, member_id: str) -> Member:
    """A member of a store the caller may see; another store's is ``NotFound``."""
    member = await queries.get_member(rules.row_id(member_id))
    if not caller.reaches(member.store_id):
        raise NotFound("there is no such member")
    return member
