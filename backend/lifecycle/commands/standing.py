"""A member's level for staff: looked up, given and taken away."""

from __future__ import annotations

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, invalid
from backend.kernel.paging import place_cursor, read_place
from backend.members import queries as members
from backend.members.types import Member

from .. import queries, service, views
from ..schemas import EndGrantIn, GrantIn, HistoryOut, PageQuery
from ..types import Entry, Grant, Source

log = logging.get(__name__)


async def reached_member(caller: StaffCaller, member_id: str) -> Member:
    """A member of a store that the caller may see; ``NotFound`` for any other."""
    row_id = ids.read_bigint(member_id)
    found = await members.find_member(row_id) if row_id is not None else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return found


async def read_history(member_id: int, query: PageQuery, *, for_staff: bool) -> HistoryOut:
    """A page of the history of a member's level, with that of whoever was merged into them."""
    before, most = read_place(query.cursor), query.limit + 1

    async def of_book(book: int) -> list[Entry]:
        return await queries.list_history(book, before=before, limit=most)

    found = await members.newest_of_books(member_id, of_book, lambda one: (one.at, one.place), most)
    page, levels = found[: query.limit], await members.levels()
    following = place_cursor(page[-1].at, page[-1].place) if len(found) > query.limit else None
    return HistoryOut([views.entry(one, levels, for_staff=for_staff) for one in page], following)


async def give(caller: StaffCaller, member_id: str, body: GrantIn, key: str) -> Grant:
    """Give a member a level by hand, once for each key."""
    found = await reached_member(caller, member_id)
    today = clock.local_date(clock.now(), settings().timezone)
    if body.until is not None and body.until < today:
        raise invalid("/until", "is over already")
    if body.level not in await members.levels():
        raise invalid("/level", "there is no such level")
    async with db.transaction() as tx:
        grant_id = await service.grant(
            tx,
            found.id,
            body.level,
            source=Source.HAND,
            reason=body.reason,
            until=body.until,
            key=f"staff/{caller.staff_id}/{key}",
            staff_id=caller.staff_id,
        )
    log.info("levels.granted", member_id=found.id, staff_id=caller.staff_id, level=body.level)
    return await _get(found.id, grant_id)


async def take(caller: StaffCaller, member_id: str, grant_id: str, body: EndGrantIn) -> Grant:
    """Take a given level away; what was reached stays."""
    found = await reached_member(caller, member_id)
    async with db.transaction() as tx:
        await service.end_grant(tx, found.id, grant_id, staff_id=caller.staff_id, reason=body.reason)
    log.info("levels.grant_ended", member_id=found.id, staff_id=caller.staff_id)
    return await _get(found.id, grant_id)


async def _get(member_id: int, grant_id: str) -> Grant:
    found = await queries.find_grant(member_id, grant_id)
    assert found is not None
    return found
