"""Looking somebody up: found, judged who sees how much, read, and written down, all before it is answered."""

from __future__ import annotations

import asyncio
from datetime import datetime

from backend.auth import service as auth
from backend.auth.errors import CodeInvalid
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, guessing, ids, limits, logging
from backend.kernel.config import settings
from backend.kernel.errors import DomainError, NotFound, invalid
from backend.kernel.tasks import end
from backend.members import queries as members
from backend.members.types import Member

from .. import queries, rules, service
from ..schemas import ContactOut, Lookup
from ..types import Ask, By, Outcome, View
from . import card

LOOKS_A_MINUTE = 60

log = logging.get(__name__)


async def look_up(caller: StaffCaller, wanted: Lookup) -> ContactOut:
    """The card of whoever is found by that, as far as the caller sees it; nothing is spent, and the look is kept.

    Raises ``NotFound`` (also for somebody the caller may not know of), the code's refusals, and ``RateLimited``
    for one who looks too often, or has missed too often: then nobody is found until the time is over.
    """
    by, value = _what(wanted)
    await _check(caller.staff_id)
    try:
        member_id = (await auth.shown(value)).member_id if by is By.CODE else await queries.FIND[by](value)
    except DomainError as refused:
        await _note(caller, by, Outcome.REFUSED, None, None)
        if isinstance(refused, CodeInvalid):
            await guessing.miss(caller.staff_id, by)
        raise
    return await _show(caller, by, member_id)


async def open_card(caller: StaffCaller, member_id: str) -> ContactOut:
    """The card of a member who was found before; ``NotFound`` where the caller may not know of them.

    Ids are not guessed: what finds nobody here counts as no miss.
    """
    return await _show(caller, By.ID, ids.read_bigint(member_id))


def _what(wanted: Lookup) -> tuple[By, str]:
    """How it is looked up, and by what; exactly one thing is given."""
    given = {
        by: value
        for by, value in (
            (By.CODE, wanted.code),
            (By.PHONE, wanted.phone),
            (By.MEMBER_NO, wanted.member_no),
            (By.OPENID, wanted.openid),
        )
        if value is not None
    }
    if len(given) + (wanted.text is not None) != 1:
        raise invalid("/text", "give exactly one of text, code, phone, member_no and openid")
    if wanted.text is None:
        return next(iter(given.items()))
    found = rules.recognise(wanted.text)
    if found is None:
        raise invalid("/text", "is no code, phone number, member number or WeChat id")
    return found


async def _show(caller: StaffCaller, by: By, member_id: int | None) -> ContactOut:
    member = await members.find_member(member_id) if member_id is not None else None
    view = rules.view_of(caller, member, by) if member else None
    if member is None or view is None:
        await _note(caller, by, Outcome.MISSED, None, None)
        if by is not By.ID:
            await guessing.miss(caller.staff_id, by)
        raise NotFound("nobody whom you may see is found by this")
    now = clock.now()
    noting = asyncio.create_task(_note(caller, by, Outcome.FOUND, member.id, view))
    try:
        found = await card.read(_ask(caller, member, view, now), by)
        await noting  # no card without its look
    finally:
        await end(noting)
    log.info("contact.looked_up", staff_id=caller.staff_id, member_id=member.id, by=by, view=view)
    return found


def _ask(caller: StaffCaller, member: Member, view: View, now: datetime) -> Ask:
    return Ask(
        member=member,
        view=view,
        staff_id=caller.staff_id,
        store_id=caller.store_id,
        may=caller.permissions,
        on=clock.local_date(now, settings().timezone),
        now=now,
    )


async def _note(caller: StaffCaller, by: By, outcome: Outcome, member_id: int | None, view: View | None) -> None:
    async with db.transaction() as tx:
        await service.note(tx, caller.staff_id, by, outcome, member_id, view)


async def _check(staff_id: int) -> None:
    """Refuse who looks too often, or has been guessing."""
    guessing.check(staff_id)
    await limits.hit(f"contact:{staff_id}", LOOKS_A_MINUTE)
