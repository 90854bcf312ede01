"""The members' calls about boxes, their signed suggestions, and tickets."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import queries, tickets, views
from ..commands import tickets as giving
from ..commands import writing
from ..errors import BoxClosed, SuggestionConflict, TicketKeyOver, TicketsUsedUp, WaitForAnswer
from ..schemas import (
    NamedIn,
    OpenBoxesOut,
    PageQuery,
    RatingIn,
    SuggestionDetail,
    SuggestionsOut,
    TicketsIn,
    TicketsOut,
)

router = Router(tag="suggestion boxes")

_SUGGESTION = "/v1/member/suggestions/{suggestion_id}"


@router.get("/v1/member/suggestion-boxes", guard=member, summary="意见箱")
async def list_boxes(caller: MemberCaller) -> OpenBoxesOut:
    """The boxes that take suggestions now, the chain's own first."""
    return OpenBoxesOut([await views.open_box(box) for box in await queries.list_open_boxes()])


@router.post(
    "/v1/member/suggestion-boxes/{box_id}/suggestions",
    guard=member,
    status=201,
    idempotent=True,
    summary="署名提交意见",
    errors=(NotFound, ValidationFailed, BoxClosed, RateLimited, IdempotencyConflict),
)
async def write(caller: MemberCaller, box_id: str, body: NamedIn, idem: Idempotency) -> Answer[SuggestionDetail]:
    """Put a suggestion into a box under one's name; pictures are those uploaded before. Up to 20 in 24 hours."""
    suggestion_id, again = await writing.write_named(box_id, body, caller.member_id, idem)
    return Answer(await _own(caller, suggestion_id), replayed=again)


@router.get("/v1/member/suggestions", guard=member, summary="我的意见", errors=(ValidationFailed,))
async def list_own(caller: MemberCaller, query: PageQuery) -> SuggestionsOut:
    """A page of the suggestions that this member signed, newest first; others nobody can list."""
    found = await queries.list_of_member(caller.member_id, before=read_place(query.cursor), limit=query.limit + 1)
    titles = {box.id: box.title for box in await queries.list_boxes()}
    page = found[: query.limit]
    last = page[-1][0] if len(found) > query.limit else None
    return SuggestionsOut(
        [views.suggestion(one, text, titles) for one, text in page],
        place_cursor(last.at, last.id) if last and last.at else None,
    )


@router.get(_SUGGESTION, guard=member, summary="意见详情", errors=(NotFound,))
async def read(caller: MemberCaller, suggestion_id: str) -> SuggestionDetail:
    """One's own suggestion with every answer."""
    return await _own(caller, suggestion_id)


@router.post(
    f"{_SUGGESTION}/messages",
    guard=member,
    status=201,
    idempotent=True,
    summary="补充意见",
    errors=(NotFound, ValidationFailed, WaitForAnswer, IdempotencyConflict),
)
async def add(caller: MemberCaller, suggestion_id: str, body: NamedIn, idem: Idempotency) -> Answer[SuggestionDetail]:
    """Add to it; at most five messages before somebody answers."""
    again = await writing.add_named(suggestion_id, body, caller.member_id, idem)
    return Answer(await _own(caller, suggestion_id), replayed=again)


@router.put(
    f"{_SUGGESTION}/rating",
    guard=member,
    summary="评价答复",
    errors=(NotFound, ValidationFailed, SuggestionConflict),
)
async def rate(caller: MemberCaller, suggestion_id: str, body: RatingIn) -> SuggestionDetail:
    """Say how good the answer was."""
    await writing.rate_named(suggestion_id, body, caller.member_id)
    return await _own(caller, suggestion_id)


async def _own(caller: MemberCaller, suggestion_id: str) -> SuggestionDetail:
    found = await queries.find_suggestion(suggestion_id)
    if found is None or found.member_id != caller.member_id:
        raise NotFound("there is no such suggestion")
    return await views.detail(found)


@router.post(
    "/v1/member/suggestion-tickets",
    guard=member,
    summary="领取匿名凭证",
    errors=(ValidationFailed, TicketKeyOver, TicketsUsedUp),
)
async def get_tickets(caller: MemberCaller, body: TicketsIn) -> TicketsOut:
    """Sign blinded messages, ten a week; what they become the server cannot tell (RFC 9474)."""
    signatures, left = await giving.issue(body, caller.member_id)
    return TicketsOut([tickets.to_base64url(one) for one in signatures], left)
