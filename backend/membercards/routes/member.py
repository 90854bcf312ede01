"""A member's own card, on the phone."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound, RateLimited
from backend.kernel.http import Router

from .. import errors, queries, schemas, views
from ..commands import own

router = Router(tag="member-cards")

_CARD = "/v1/member/card"


@router.get(_CARD, guard=member, summary="我的会员卡")
async def get_card(caller: MemberCaller) -> schemas.OwnCardOut:
    """The caller's card, and how to come by one."""
    held = await queries.find_held(caller.member_id)
    types = await queries.types()
    return schemas.OwnCardOut(
        views.own(held) if held else None,
        may_get_virtual=held is None and any(one.automatic for one in types),
        may_bind=(held is None or held.virtual) and any(one.active and one.self_service for one in types),
    )


@router.post(
    _CARD,
    guard=member,
    status=201,
    summary="绑定会员卡",
    errors=(
        RateLimited,
        errors.CardInvalid,
        errors.CardTaken,
        errors.CardEnded,
        errors.CardHeld,
        errors.CardElsewhere,
        errors.CardTypeClosed,
        errors.CardIssuerClosed,
    ),
)
async def bind(caller: MemberCaller, body: schemas.BindIn) -> schemas.OwnCard:
    """Make a card in hand the caller's own, where its type allows it."""
    return views.own(await own.bind(caller.member_id, body.card_no))


@router.post(
    f"{_CARD}/virtual",
    guard=member,
    status=201,
    summary="领取电子卡号",
    errors=(RateLimited, errors.CardHeld, errors.CardVirtualOff),
)
async def get_virtual(caller: MemberCaller) -> schemas.OwnCard:
    """A number without a card."""
    return views.own(await own.get_virtual(caller.member_id))


@router.post(f"{_CARD}/lost", guard=member, summary="挂失会员卡", errors=(NotFound, errors.CardConflict))
async def report_lost(caller: MemberCaller) -> schemas.OwnCard:
    """Let the caller's card be good nowhere, at once; repeated, it changes nothing."""
    return views.own(await own.report_lost(caller.member_id))


@router.post(
    f"{_CARD}/found",
    guard=member,
    summary="解除会员卡挂失",
    errors=(RateLimited, NotFound, errors.CardConflict),
)
async def report_found(caller: MemberCaller) -> schemas.OwnCard:
    """Let the caller's lost card be good again."""
    return views.own(await own.report_found(caller.member_id))
