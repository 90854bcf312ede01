"""The members' calls about their feedback."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import moving, opening
from ..errors import CaseConflict, CaseFull
from ..schemas import CaseDetail, CaseIn, CasesOut, ClaimedOut, PageQuery, RatingIn, ReopenIn, SayIn, VersionIn

router = Router(tag="feedback")

_CASES = "/v1/member/cases"
_CASE = f"{_CASES}/{{case_id}}"


@router.get(_CASES, guard=member, summary="我的反馈", errors=(ValidationFailed,))
async def list_own(caller: MemberCaller, query: PageQuery) -> CasesOut:
    """A page of the member's cases, newest first."""
    found = await queries.list_of_member(caller.member_id, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    return CasesOut([await views.case(one) for one in page], place_cursor(last.created_at, last.id) if last else None)


@router.post(
    _CASES,
    guard=member,
    status=201,
    idempotent=True,
    summary="提交反馈",
    errors=(NotFound, ValidationFailed, RateLimited, IdempotencyConflict),
)
async def open_case(caller: MemberCaller, body: CaseIn, idem: Idempotency) -> Answer[CaseDetail]:
    """Complain, suggest, praise or ask; pictures are those uploaded before. Up to 20 in 24 hours."""
    case_id, again = await opening.open_by_member(body, caller.member_id, idem)
    return Answer(await _own(caller, case_id), replayed=again)


@router.post(f"{_CASES}/claim", guard=member, summary="认领反馈")
async def claim(caller: MemberCaller) -> ClaimedOut:
    """Make what one left as a walk-in customer, under one's own number, part of one's list."""
    return ClaimedOut([await views.case(one) for one in await opening.claim(caller.member_id)])


@router.get(_CASE, guard=member, summary="反馈详情", errors=(NotFound,))
async def read(caller: MemberCaller, case_id: str) -> CaseDetail:
    """One's own case with what happened to it."""
    return await _own(caller, case_id)


@router.post(
    f"{_CASE}/messages",
    guard=member,
    status=201,
    idempotent=True,
    summary="补充反馈",
    errors=(NotFound, ValidationFailed, CaseConflict, CaseFull, IdempotencyConflict),
)
async def say(caller: MemberCaller, case_id: str, body: SayIn, idem: Idempotency) -> Answer[CaseDetail]:
    """Add to it; a closed one is reopened instead."""
    again = await moving.say(case_id, body, caller.member_id, idem)
    return Answer(await _own(caller, case_id), replayed=again)


@router.post(f"{_CASE}/confirm", guard=member, summary="确认已解决", errors=(NotFound, CaseConflict, CaseFull))
async def confirm(caller: MemberCaller, case_id: str, body: VersionIn) -> CaseDetail:
    """Say that it is done."""
    await moving.confirm(case_id, body.version, caller.member_id)
    return await _own(caller, case_id)


@router.post(
    f"{_CASE}/reopen",
    guard=member,
    summary="重新打开",
    errors=(NotFound, ValidationFailed, CaseConflict, CaseFull),
)
async def reopen(caller: MemberCaller, case_id: str, body: ReopenIn) -> CaseDetail:
    """Say that it is not done, and why."""
    await moving.reopen(case_id, body, caller.member_id)
    return await _own(caller, case_id)


@router.put(
    f"{_CASE}/rating",
    guard=member,
    summary="评价处理结果",
    errors=(NotFound, ValidationFailed, CaseConflict, CaseFull),
)
async def rate(caller: MemberCaller, case_id: str, body: RatingIn) -> CaseDetail:
    """Say how good it was, from one to five stars."""
    await moving.rate(case_id, body, caller.member_id)
    return await _own(caller, case_id)


async def _own(caller: MemberCaller, case_id: str) -> CaseDetail:
    return await views.detail(await moving.reached(case_id, caller.member_id))
