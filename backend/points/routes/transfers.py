"""Points between members: the phone's calls, and what staff see of them."""

from __future__ import annotations

from backend.auth.guards import member, staff
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel import clock, ids
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict, MemberInactive, Stale
from backend.members import queries as members
from backend.members.errors import PinAllowance, PinInvalid, PinLocked, PinRequired, PinResetRequired

from .. import service, views
from ..commands import transfers
from ..errors import (
    PointsNotTransferable,
    PointsRecipientChanged,
    PointsTransferClosed,
    PointsTransferLimit,
    PointsTransferOwn,
)
from ..schemas import (
    EarningOut,
    RecipientIn,
    RecipientOut,
    StaffTransfersOut,
    StaffTransfersQuery,
    TransferIn,
    TransferLimits,
    TransferOut,
    TransfersOut,
    TransfersQuery,
)

router = Router(tag="points")

_POINTS = "/v1/member/points"


@router.get(f"{_POINTS}/earning", guard=member, summary="怎样得积分")
async def get_earning(caller: MemberCaller) -> EarningOut:
    """How this member earns points now: by the standard rule, and by the rules that live."""
    standard_bp, rules = await service.told(await members.get_card(caller.member_id), clock.now())
    return views.earning(standard_bp, rules)


@router.get(f"{_POINTS}/transfer-limits", guard=member, summary="可转赠积分")
async def get_limits(caller: MemberCaller) -> TransferLimits:
    """How many points this member may give away now."""
    return await transfers.show_limits(caller.member_id)


@router.post(
    f"{_POINTS}/recipient", guard=member, summary="查找转赠对象", errors=(NotFound, PointsTransferOwn, RateLimited)
)
async def find_recipient(caller: MemberCaller, body: RecipientIn) -> RecipientOut:
    """Whose number that is, to be confirmed before points go there; thirty an hour."""
    return await transfers.find_recipient(body.member_no, caller)


@router.post(
    f"{_POINTS}/transfers",
    guard=member,
    status=201,
    idempotent=True,
    summary="转赠积分",
    errors=(
        NotFound,
        ValidationFailed,
        IdempotencyConflict,
        MemberInactive,
        Stale,
        PinRequired,
        PinInvalid,
        PinLocked,
        PinResetRequired,
        PinAllowance,
        PointsTransferClosed,
        PointsTransferOwn,
        PointsRecipientChanged,
        PointsTransferLimit,
        PointsNotTransferable,
    ),
)
async def give(caller: MemberCaller, body: TransferIn, idem: Idempotency) -> Answer[TransferOut]:
    """Give points to another member, once per key; they keep their last days."""
    done = await transfers.transfer(body, caller, idem)
    names = await members.list_masked([done.value.receiver_id])
    return Answer(views.transfer(done.value, [done.value.giver_id], names), replayed=done.replayed)


@router.get(f"{_POINTS}/transfers", guard=member, summary="转赠记录", errors=(ValidationFailed,))
async def list_transfers(caller: MemberCaller, query: TransfersQuery) -> TransfersOut:
    """What the member gave and was given, newest first, with what who was merged into them gave."""
    before = read_place(query.cursor)
    own = await members.ids_of(caller.member_id)
    found = await transfers.newest(caller.member_id, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    names = await members.list_masked({who for one in page for who in (one.giver_id, one.receiver_id)})
    return TransfersOut(
        [views.transfer(one, own, names) for one in page],
        place_cursor(page[-1].at, page[-1].id) if len(found) > len(page) else None,
    )


@router.get(
    "/v1/admin/points-transfers",
    guard=staff(Permission.POINTS_ADJUST),
    summary="会员的转赠记录",
    errors=(NotFound, ValidationFailed),
)
async def list_of_member(caller: StaffCaller, query: StaffTransfersQuery) -> StaffTransfersOut:
    """What a member gave and was given; a manager sees those of the own store's members."""
    id_ = ids.read_bigint(query.member_id)
    named = await members.find_member(id_) if id_ is not None else None
    if named is None or not caller.reaches(named.store_id):
        raise NotFound("there is no such member")
    before = read_place(query.cursor)
    found = await transfers.newest(named.id, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    names = await members.list_masked({who for one in page for who in (one.giver_id, one.receiver_id)})
    return StaffTransfersOut(
        [views.staff_transfer(one, names) for one in page],
        place_cursor(page[-1].at, page[-1].id) if len(found) > len(page) else None,
    )
