"""The phone's service cards and discount cards."""

from __future__ import annotations

from datetime import date

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import clock, paging
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.members import queries as members
from backend.merging import queries as merging

from .. import queries, service, views
from ..schemas import PassDetail, PassesOut, PassesQuery
from ..types import Held

router = Router(tag="passes")

MOST_USES = 100


def _today() -> date:
    return service.today(clock.now())


@router.get("/v1/member/passes", guard=member, summary="我的次卡与折扣卡", errors=(ValidationFailed,))
async def list_passes(caller: MemberCaller, query: PassesQuery) -> PassesOut:
    """The member's passes: all that can be used, or a page of those that ended."""
    if query.state == "active":
        held = await queries.list_of_member(caller.member_id, _today())
        return PassesOut([views.one(item) for item in held], None)
    before, most = paging.read_place(query.cursor), query.limit + 1

    async def of_book(book: int) -> list[Held]:
        until = None if book == caller.member_id else await merging.find_moment(book)
        return await queries.list_ended(book, _today(), before=before, limit=most, until=until)

    found = await members.newest_of_books(caller.member_id, of_book, lambda one: (one.issued_at, one.id), most)
    page, last = found[: query.limit], None
    if len(found) > query.limit:
        last = paging.place_cursor(page[-1].issued_at, page[-1].id)
    return PassesOut([views.one(item) for item in page], last)


@router.get("/v1/member/passes/{pass_id}", guard=member, summary="次卡详情", errors=(NotFound,))
async def get_pass(caller: MemberCaller, pass_id: str) -> PassDetail:
    """One pass with its uses; another member's is not found."""
    book = await members.find_books(caller.member_id, queries.owner_of(pass_id))
    held = await queries.find_pass(book, pass_id, _today()) if book is not None else None
    if held is None:
        raise NotFound("there is no such pass")
    return await views.detail(held, await queries.list_uses(held.member_id, pass_id, limit=MOST_USES))
