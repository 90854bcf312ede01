"""Recharges and their refunds: the phone's record and wishes, and what staff do with them."""

from __future__ import annotations

from backend.auth.guards import member, staff
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel import ids
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict
from backend.ledger.types import Document
from backend.members import queries as members

from .. import errors, plans, queries
from .. import refund_queries as rows
from ..commands import recharges, refund_books, refunds
from ..refund_schemas import (
    ApproveRefundIn,
    MemberRefundOut,
    NoteIn,
    RechargeRecord,
    RechargesOut,
    RechargesQuery,
    RefundIn,
    RefundOut,
    RefundsOut,
    RefundsQuery,
    TermsOut,
    member_refund,
    staff_refund,
)
from ..types import RechargeRefund

router = Router(tag="wallet")

_READERS = staff(Permission.STORED_READ)
_ASKERS = staff(Permission.STORED_REFUND)
_DECIDERS = staff(Permission.STORED_DECIDE)
_REFUSALS = (
    NotFound,
    ValidationFailed,
    errors.RechargeNotRefundable,
    errors.RefundExceedsPrincipal,
    errors.RefundUnderWay,
    IdempotencyConflict,
)
_MOVES = (NotFound, ValidationFailed, errors.RefundNotMovable)
_MINE = "/v1/member/recharges/{recharge_id}"
_RECHARGE = "/v1/admin/recharges/{recharge_id}"
_REFUND = "/v1/admin/recharge-refunds/{recharge_refund_id}"


# -- the phone


@router.get("/v1/member/recharges", guard=member, summary="充值记录", errors=(ValidationFailed,))
async def list_own(caller: MemberCaller, query: RechargesQuery) -> RechargesOut:
    """A page of the member's recharges, newest first."""
    return await _page(caller.member_id, query)


@router.get(
    f"{_MINE}/refund-terms", guard=member, summary="充值可退金额", errors=(NotFound, errors.RechargeNotRefundable)
)
async def own_terms(caller: MemberCaller, recharge_id: str) -> TermsOut:
    """What giving back all that can be given back of a recharge would come to now."""
    return await _terms(recharge_id, caller)


@router.post(
    f"{_MINE}/refunds",
    guard=member,
    status=201,
    idempotent=True,
    summary="申请充值退款",
    errors=(*_REFUSALS, errors.RefundNotOffered),
)
async def ask(caller: MemberCaller, recharge_id: str, body: RefundIn, idem: Idempotency) -> Answer[MemberRefundOut]:
    """Ask for a part or all of a recharge's principal; its bonus is given up. Staff decide."""
    made, replayed = await refunds.ask_as_member(recharge_id, body.amount_fen, body.reason, caller, idem)
    return Answer(member_refund(made), replayed=replayed)


@router.post(
    "/v1/member/recharge-refunds/{recharge_refund_id}/withdraw",
    guard=member,
    summary="撤销充值退款",
    errors=(NotFound, errors.RefundNotMovable),
)
async def withdraw(caller: MemberCaller, recharge_refund_id: str) -> MemberRefundOut:
    """Take back a wish nobody has approved yet. Again it answers the same."""
    return member_refund(await refunds.withdraw(recharge_refund_id, caller))


# -- staff


@router.get("/v1/admin/members/{member_id}/recharges", guard=_READERS, summary="会员充值记录", errors=(NotFound,))
async def list_recharges(caller: StaffCaller, member_id: str, query: RechargesQuery) -> RechargesOut:
    """A page of a member's recharges, newest first."""
    wanted = ids.read_bigint(member_id)
    found = await members.find_member(wanted) if wanted else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return await _page(found.id, query)


@router.get(
    f"{_RECHARGE}/refund-terms", guard=_READERS, summary="充值可退金额", errors=(NotFound, errors.RechargeNotRefundable)
)
async def terms(caller: StaffCaller, recharge_id: str) -> TermsOut:
    """What giving back all that can be given back of a recharge would come to now."""
    return await _terms(recharge_id, caller)


@router.post(
    f"{_RECHARGE}/refunds", guard=_ASKERS, status=201, idempotent=True, summary="发起充值退款", errors=_REFUSALS
)
async def ask_for(caller: StaffCaller, recharge_id: str, body: RefundIn, idem: Idempotency) -> Answer[RefundOut]:
    """Give back a part or all of a recharge's principal: frozen at once, or above the limit when somebody approves."""
    made, replayed = await refunds.ask_as_staff(recharge_id, body.amount_fen, body.reason, caller, idem)
    return Answer(staff_refund(made), replayed=replayed)


@router.get("/v1/admin/recharge-refunds", guard=_READERS, summary="充值退款", errors=(NotFound, ValidationFailed))
async def list_refunds(caller: StaffCaller, query: RefundsQuery) -> RefundsOut:
    """A page of refunds, newest first; a manager's are those of the own store's members."""
    store_id = query.store_id or caller.store_id
    if store_id is not None and not caller.reaches(store_id):
        raise NotFound("there is no such store")
    member_id = None
    if query.member_id is not None and (member_id := ids.read_bigint(query.member_id)) is None:
        raise invalid("/query/member_id", "not a member")
    found = await rows.list_refunds(
        state=query.status,
        store_id=store_id,
        member_id=member_id,
        before=read_place(query.cursor),
        limit=query.limit + 1,
    )
    page = found[: query.limit]
    cursor = place_cursor(page[-1].asked_at, page[-1].id) if len(found) > len(page) else None
    return RefundsOut([staff_refund(one) for one in page], cursor)


@router.get(_REFUND, guard=_READERS, summary="充值退款详情", errors=(NotFound,))
async def get_refund(caller: StaffCaller, recharge_refund_id: str) -> RefundOut:
    """One refund with its steps."""
    return staff_refund(await refunds.get_staffs(recharge_refund_id, caller))


@router.post(
    f"{_REFUND}/approve",
    guard=_DECIDERS,
    summary="同意充值退款",
    errors=(*_MOVES, errors.RefundExceedsPrincipal, errors.RechargeNotRefundable),
)
async def approve(caller: StaffCaller, recharge_refund_id: str, body: ApproveRefundIn) -> RefundOut:
    """Freeze what was asked for, or less of it; above the limit a second person is asked to. Again it does nothing."""
    return staff_refund(await refunds.approve(recharge_refund_id, body.amount_fen, body.note, caller))


@router.post(f"{_REFUND}/reject", guard=_DECIDERS, summary="拒绝充值退款", errors=_MOVES)
async def reject(caller: StaffCaller, recharge_refund_id: str, body: NoteIn) -> RefundOut:
    """Refuse what was asked for. Again it answers the same."""
    return staff_refund(await refunds.reject(recharge_refund_id, body.note, caller))


@router.post(f"{_REFUND}/cancel", guard=_DECIDERS, summary="中止充值退款", errors=_MOVES)
async def cancel(caller: StaffCaller, recharge_refund_id: str, body: NoteIn) -> RefundOut:
    """Stop a refund that is under way: the value is thawed as soon as it is certain that WeChat pays nothing."""
    return staff_refund(await refunds.cancel(recharge_refund_id, body.note, caller))


@router.post(f"{_REFUND}/again", guard=_DECIDERS, summary="重试充值退款", errors=(NotFound, errors.RefundNotMovable))
async def again(caller: StaffCaller, recharge_refund_id: str) -> RefundOut:
    """Have WeChat asked once more: what kept it from paying was looked after."""
    return staff_refund(await refunds.again(recharge_refund_id, caller))


# -- both


async def _terms(recharge_id: str, caller: MemberCaller | StaffCaller) -> TermsOut:
    document = await refunds.find_recharge(recharge_id, caller)
    found = await refund_books.terms_of(document)
    all_fen = plans.progress_of(document).refunded_fen + found.amount_fen
    needs = isinstance(caller, MemberCaller) or all_fen > settings().recharge_refund_approval_fen
    return TermsOut(found.amount_fen, found.bonus_fen, found.withheld_fen, needs)


async def _page(member_id: int, query: RechargesQuery) -> RechargesOut:
    found = await queries.list_recharges(member_id, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = await rows.last_of_recharges(member_id, [one.id for one in page])
    cursor = place_cursor(page[-1].at, page[-1].id) if len(found) > len(page) else None
    return RechargesOut([_record(one, last.get(one.id)) for one in page], cursor)


def _record(document: Document, refund: RechargeRefund | None) -> RechargeRecord:
    shown = recharges.show(document)
    return RechargeRecord(
        id=shown.id,
        at=document.at,
        status=shown.status,
        pay_fen=shown.pay_fen,
        bonus_fen=shown.bonus_fen,
        points=shown.points,
        refunded_fen=shown.refunded_fen,
        refund=None if refund is None else member_refund(refund),
    )
