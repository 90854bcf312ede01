"""The counter: cards given to members, looked up, lost, found, replaced, ended."""

from __future__ import annotations

from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import make_cursor, read_cursor
from backend.ledger.errors import MemberInactive
from backend.members.errors import MemberNotPresent, StatusConflict

from .. import errors, queries, schemas, views
from ..commands import counter, issuers, member_pages

router = Router(tag="member-cards")

_READ = staff(Permission.MEMBER_CARDS_READ)
_ISSUE = staff(Permission.MEMBER_CARDS_ISSUE)
_CARDS = "/v1/admin/member-cards"
_CARD = f"{_CARDS}/{{member_card_id}}"
_HANDS = (
    errors.CardInvalid,
    errors.CardTaken,
    errors.CardEnded,
    errors.CardHeld,
    errors.CardElsewhere,
    errors.CardTypeClosed,
    errors.CardIssuerClosed,
    errors.CardQuota,
)
_WHO = (CodeInvalid, CodeExpired, CodeUsed, RateLimited, MemberNotPresent, StatusConflict, MemberInactive)


@router.get(_CARDS, guard=_READ, summary="会员卡列表", errors=(NotFound, ValidationFailed))
async def list_cards(caller: StaffCaller, query: schemas.CardsQuery) -> schemas.CardsOut:
    """Cards of a batch, or of an issuer in one state; a store's staff see their store's."""
    if (query.batch_id is None) == (query.issuer_id is None):
        raise invalid("/query/batch_id", "say which batch, or which issuer")
    if query.issuer_id is not None:
        await issuers.reached(caller, query.issuer_id)
    elif not caller.office:
        raise NotFound("there is no such batch")
    after = _after(query.cursor)
    found = await queries.list_cards(
        batch_id=query.batch_id, issuer_id=query.issuer_id, state=query.state, after=after, limit=query.limit + 1
    )
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    following = make_cursor(str(last.serial if query.batch_id is not None else last.id)) if last else None
    return schemas.CardsOut([views.card(one) for one in page], following)


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    parts = read_cursor(cursor, 1)
    if parts is None or not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) <= 19):
        raise invalid("/query/cursor", "not a cursor of this list")
    return min(int(parts[0]), (1 << 63) - 1)


@router.post(f"{_CARDS}/search", guard=_READ, summary="按卡号查找会员卡", errors=(NotFound, RateLimited))
async def search_card(caller: StaffCaller, body: schemas.SearchIn) -> schemas.CardOut:
    """The card with this number; who misses too often finds nothing for a while."""
    return views.card(await counter.search_card(body.card_no, caller))


@router.post(f"{_CARDS}/issue", guard=_ISSUE, status=201, summary="发卡", errors=(*_WHO, *_HANDS, ValidationFailed))
async def issue_card(caller: StaffCaller, body: schemas.IssueIn) -> schemas.CardOut:
    """Give a card to the member who stands there: shown by their code, which is spent, or by their phone number."""
    return views.card(await counter.issue_card(body, caller))


@router.get(_CARD, guard=_READ, summary="会员卡详情与历史", errors=(NotFound,))
async def get_card(caller: StaffCaller, member_card_id: str) -> schemas.CardDetail:
    """One card, and everything that it was."""
    card = await counter.reached(caller, member_card_id)
    return schemas.CardDetail(views.card(card), [views.step(one) for one in await queries.list_steps(card.id)])


@router.post(f"{_CARD}/lost", guard=_ISSUE, summary="挂失", errors=(NotFound, errors.CardConflict))
async def report_lost(caller: StaffCaller, member_card_id: str, body: schemas.ReasonIn) -> schemas.CardOut:
    """Let it be good nowhere; repeated, it changes nothing."""
    return views.card(await counter.report_lost(member_card_id, body.reason, caller))


@router.post(f"{_CARD}/found", guard=_ISSUE, summary="解除挂失", errors=(NotFound, errors.CardConflict))
async def report_found(caller: StaffCaller, member_card_id: str, body: schemas.ReasonIn) -> schemas.CardOut:
    """Let it be good again, unless another took its place."""
    return views.card(await counter.report_found(member_card_id, body.reason, caller))


@router.post(
    f"{_CARD}/replace",
    guard=_ISSUE,
    status=201,
    summary="补卡",
    errors=(NotFound, ValidationFailed, errors.CardConflict, *_WHO, *_HANDS),
)
async def replace_card(caller: StaffCaller, member_card_id: str, body: schemas.ReplaceIn) -> schemas.CardOut:
    """Put another card in its place; what the member has stays theirs, and nothing moves."""
    return views.card(await counter.replace_card(member_card_id, body, caller))


@router.post(f"{_CARD}/void", guard=_ISSUE, summary="注销会员卡", errors=(NotFound, errors.CardConflict))
async def end_card(caller: StaffCaller, member_card_id: str, body: schemas.ReasonIn) -> schemas.CardOut:
    """Take it out of use for good."""
    return views.card(await counter.end_card(member_card_id, body.reason, caller))


@router.get("/v1/admin/members/{member_id}/cards", guard=_READ, summary="会员的会员卡", errors=(NotFound,))
async def list_of_member(caller: StaffCaller, member_id: str) -> schemas.MemberCardsOut:
    """Every card that a member has had, the last one first."""
    found = await member_pages.list_cards(member_id, caller)
    return schemas.MemberCardsOut([views.card(one) for one in found])
