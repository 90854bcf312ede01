"""The phone's gift cards: binding one, showing one to pay an order with, and what the member has."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed, invalid
from backend.kernel.http import Router

from .. import errors, queries, views
from ..commands import bindings, checks
from ..schemas import BindIn, CheckOut, EntriesOut, EntriesQuery, GiftCardOut, GiftCardsOut

router = Router(tag="gift-cards")

_CARDS = "/v1/member/gift-cards"


@router.post(
    _CARDS,
    guard=member,
    status=201,
    summary="绑定礼品卡",
    errors=(
        errors.GiftCardInvalid,
        errors.GiftCardLocked,
        RateLimited,
        errors.GiftCardOwned,
        errors.GiftCardNotBindable,
        errors.GiftCardLimit,
        errors.GiftCardNotActive,
        errors.GiftCardFrozen,
        errors.GiftCardClosed,
        errors.GiftCardExpired,
    ),
)
async def bind(caller: MemberCaller, body: BindIn) -> GiftCardOut:
    """Make a card the member's own by its number and PIN; afterwards their code pays with it. Repeated: the same."""
    return views.gift_card(await bindings.bind(body.card_no, body.pin, caller))


@router.post(
    f"{_CARDS}/check",
    guard=member,
    summary="查验礼品卡（用于下单）",
    errors=(
        errors.GiftCardInvalid,
        errors.GiftCardLocked,
        RateLimited,
        errors.GiftCardNamed,
        errors.GiftCardUnbound,
        errors.GiftCardNotActive,
        errors.GiftCardFrozen,
        errors.GiftCardClosed,
        errors.GiftCardExpired,
    ),
)
async def check(caller: MemberCaller, body: BindIn) -> CheckOut:
    """What is on a card that nobody has bound, and a token that it pays this member's orders with."""
    return await checks.check_by_member(body.card_no, body.pin, caller)


@router.get(_CARDS, guard=member, summary="我的礼品卡")
async def list_gift_cards(caller: MemberCaller) -> GiftCardsOut:
    """The member's cards with what is on them."""
    return GiftCardsOut([views.gift_card(card) for card in await queries.list_of_member(caller.member_id)])


@router.get(f"{_CARDS}/{{card_id}}", guard=member, summary="礼品卡详情", errors=(NotFound,))
async def get_gift_card(caller: MemberCaller, card_id: str) -> GiftCardOut:
    """One card; another member's is not found."""
    return views.gift_card(await queries.get_own(card_id, caller.member_id))


@router.get(f"{_CARDS}/{{card_id}}/entries", guard=member, summary="礼品卡明细", errors=(NotFound, ValidationFailed))
async def list_gift_card_entries(caller: MemberCaller, card_id: str, query: EntriesQuery) -> EntriesOut:
    """A page of what was done to a card, newest first."""
    card = await queries.get_own(card_id, caller.member_id)
    before = views.read_cursor(query.cursor) if query.cursor is not None else None
    if query.cursor is not None and before is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return views.entries(await queries.list_entries(card.id, before=before, limit=query.limit + 1), query.limit)
