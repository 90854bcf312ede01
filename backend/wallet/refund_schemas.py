"""Shapes of the calls about recharges and their refunds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import Fen

from .types import RechargeRefund, RefundState

Reason = Annotated[str, Meta(min_length=1, max_length=200)]
Note = Annotated[str, Meta(max_length=200)]
Cursor = Annotated[str, Meta(min_length=1, max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]


class RefundIn(Body):
    """Give back so much of a recharge's principal; without an amount all that can be."""

    reason: Reason
    amount_fen: Fen | None = None


class ApproveRefundIn(Body):
    """Approve what was asked for, or less."""

    amount_fen: Fen | None = None
    note: Note = ""


class NoteIn(Body):
    """Why; the member reads it in their letter."""

    note: Reason


class TermsOut(msgspec.Struct):
    """What giving back all that can be given back would come to now."""

    refundable_fen: int
    bonus_forfeited_fen: int
    withheld_fen: int
    needs_approval: bool


class MemberRefundOut(msgspec.Struct):
    """A refund as its member sees it."""

    id: str
    recharge_id: str
    status: str
    amount_fen: int
    bonus_forfeited_fen: int
    withheld_fen: int
    points_clawed_back: int
    reason: str
    note: str
    asked_at: datetime
    updated_at: datetime


class RefundStepOut(msgspec.Struct):
    """What happened to a refund; ``staff_id`` is null where the member or the clock did it."""

    step: str
    at: datetime
    staff_id: str | None
    note: str


class RefundOut(msgspec.Struct):
    """A refund as staff see it; ``failure`` says in one word what keeps it from its end, or ended it.

    ``approval_id``: what a second person was asked to decide (``/v1/admin/approvals``).
    """

    id: str
    recharge_id: str
    member_id: str
    store_id: str | None
    status: str
    amount_fen: int
    recharge_fen: int
    bonus_forfeited_fen: int
    withheld_fen: int
    points_clawed_back: int
    reason: str
    transaction_id: str
    psp_refund_id: str | None
    failure: str | None
    asked_by_member: bool
    approval_id: str | None
    steps: list[RefundStepOut]
    asked_at: datetime
    updated_at: datetime


class RefundsQuery(Body):
    """Which refunds, and where to go on."""

    status: RefundState | None = None
    store_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    member_id: Annotated[str, Meta(min_length=1, max_length=19)] | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class RefundsOut(msgspec.Struct):
    """A page of refunds, newest first; ``next_cursor`` is null on the last one."""

    items: list[RefundOut]
    next_cursor: str | None


class RechargesQuery(Body):
    """Where to go on."""

    cursor: Cursor | None = None
    limit: Limit = 20


class RechargeRecord(msgspec.Struct):
    """A recharge in the record; ``refunded_fen`` of it went back to the payer, ``refund`` is the last one asked for."""

    id: str
    at: datetime
    status: str
    pay_fen: int
    bonus_fen: int
    points: int
    refunded_fen: int
    refund: MemberRefundOut | None


class RechargesOut(msgspec.Struct):
    """A page of a member's recharges, newest first; ``next_cursor`` is null on the last one."""

    items: list[RechargeRecord]
    next_cursor: str | None


def member_refund(refund: RechargeRefund) -> MemberRefundOut:
    """A refund for its member's eyes: what staff wrote for them, nothing of who it was."""
    notes = [step.note for step in refund.steps if step.step in ("reject", "stop", "thaw") and step.note]
    return MemberRefundOut(
        id=refund.id,
        recharge_id=refund.recharge_id,
        status=str(refund.state),
        amount_fen=refund.amount_fen,
        bonus_forfeited_fen=refund.bonus_fen,
        withheld_fen=refund.withheld_fen,
        points_clawed_back=refund.points,
        reason=refund.reason,
        note=notes[-1] if notes else "",
        asked_at=refund.asked_at,
        updated_at=refund.updated_at,
    )


def staff_refund(refund: RechargeRefund) -> RefundOut:
    """A refund for the eyes of staff."""
    return RefundOut(
        id=refund.id,
        recharge_id=refund.recharge_id,
        member_id=str(refund.member_id),
        store_id=refund.store_id,
        status=str(refund.state),
        amount_fen=refund.amount_fen,
        recharge_fen=refund.total_fen,
        bonus_forfeited_fen=refund.bonus_fen,
        withheld_fen=refund.withheld_fen,
        points_clawed_back=refund.points,
        reason=refund.reason,
        transaction_id=refund.transaction_id,
        psp_refund_id=refund.psp_refund_id,
        failure=refund.failure,
        asked_by_member=refund.asked_by is None,
        approval_id=refund.approval_id,
        steps=[
            RefundStepOut(step.step, step.at, None if step.staff_id is None else str(step.staff_id), step.note)
            for step in refund.steps
        ],
        asked_at=refund.asked_at,
        updated_at=refund.updated_at,
    )
