"""Use cases of cards."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth import service
from backend.auth.types import Staff, StaffCaller
from backend.kernel import db, ids, logging
from backend.kernel.errors import invalid
from backend.members import queries as members
from backend.members.types import Status

log = logging.get(__name__)


async def link_staff(staff_id: str, member_id: str | None, caller: StaffCaller) -> Staff:
    """Make a person of the staff a member, or none; raises ``AlreadyExists`` where somebody else is that member.

    ``NotFound``; ``BeyondOneself`` for somebody who may do what the caller may not.
    """
    linked = await _active_member(member_id) if member_id is not None else None
    async with db.transaction() as tx:
        person = await service.lock_person(tx, staff_id, caller)
        await service.link_member(tx, person.id, linked)
    auth.forget_managers()
    log.info("cards.staff_linked", staff_id=person.id, member_id=linked, by=caller.staff_id)
    return await auth.get_staff(person.id)


async def _active_member(text: str) -> int:
    id_ = ids.read_bigint(text)
    found = await members.find_member(id_) if id_ is not None else None
    if found is None or found.status is not Status.ACTIVE:
        raise invalid("/member_id", "is no active member's id")
    return found.id
