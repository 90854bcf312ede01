"""The phone's service cards and discount cards."""

from __future__ import annotations

from datetime import date

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import clock, paging
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .. import queries, service, views
from ..schemas import PassDetail, PassesOut, PassesQuery

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
    before = paging.read_place(query.cursor)
    found = await queries.list_ended(caller.member_id, _today(), before=before, limit=query.limit + 1)
    page, last = found[: query.limit], None
    if len(found) > query.limit:
        last = paging.place_cursor(page[-1].issued_at, page[-1].id)
    return PassesOut([views.one(item) for item in page], last)


@router.get("/v1/member/passes/{pass_id}", guard=member, summary="次卡详情", errors=(NotFound,))
async def get_pass(caller: MemberCaller, pass_id: str) -> PassDetail:
    """One pass with its uses; another member's is not found."""
    held = await queries.find_pass(caller.member_id, pass_id, _today())
    if held is None:
        raise NotFound("there is no such pass")
    return await views.detail(held, await queries.list_uses(caller.member_id, pass_id, limit=MOST_USES))
