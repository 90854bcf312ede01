"""What waits for a second person, and their decision. Every call shows what the caller asked for or decides."""

from __future__ import annotations

from collections.abc import Sequence

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import StaffCaller
from backend.kernel.errors import DomainError, NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from . import commands, kinds, queries, rules
from .errors import (
    ApprovalAskerGone,
    ApprovalDecided,
    ApprovalExpired,
    ApprovalNotOwn,
    ApprovalOwn,
    ApprovalSameHands,
)
from .schemas import ApprovalOut, ApprovalsOut, ApprovalsQuery, ApproveIn, KindOut, KindsOut, RejectIn
from .types import Approval, ApprovalState

router = Router(tag="approvals")

_APPROVALS = "/v1/admin/approvals"
_APPROVAL = f"{_APPROVALS}/{{approval_id}}"
_DECIDING: tuple[type[DomainError], ...] = (NotFound, ApprovalOwn, ApprovalDecided, ApprovalExpired)


@router.get(_APPROVALS, guard=staff(), summary="审批列表", errors=(ValidationFailed,))
async def list_approvals(caller: StaffCaller, query: ApprovalsQuery) -> ApprovalsOut:
    """A page of what the caller asked for and decides, newest first."""
    before = read_place(query.cursor)
    viewer = queries.Viewer(caller.staff_id, _decided(caller), caller.store_id)
    if query.todo:
        found = await queries.list_todo(viewer, query.kind, before=before, limit=query.limit + 1)
    else:
        found = await queries.list_seen(
            viewer, query.kind, query.state, mine=query.mine, before=before, limit=query.limit + 1
        )
    page, last = found[: query.limit], found[query.limit - 1] if len(found) > query.limit else None
    return ApprovalsOut(await _shown(caller, page), place_cursor(last.asked_at, last.id) if last else None)


@router.get(f"{_APPROVALS}/kinds", guard=staff(), summary="需双人审批的事项")
async def list_kinds() -> KindsOut:
    """What needs a second person, and the permission of whoever decides it."""
    found = sorted(kinds.every(), key=lambda kind: kind.title)
    return KindsOut([KindOut(kind.code, kind.title, kind.permission.value) for kind in found])


@router.get(_APPROVAL, guard=staff(), summary="审批详情", errors=(NotFound,))
async def get_approval(caller: StaffCaller, approval_id: str) -> ApprovalOut:
    """One request that the caller made or decides."""
    found = await queries.get_approval(approval_id)
    if found.asked_by != caller.staff_id and not rules.decides(kinds.find(found.kind), found, caller):
        raise NotFound("there is no such approval")
    return await _one(caller, found)


@router.post(
    f"{_APPROVAL}/approve",
    guard=staff(),
    summary="批准",
    errors=(*_DECIDING, ApprovalAskerGone, ApprovalSameHands),
)
async def approve(caller: StaffCaller, approval_id: str, body: ApproveIn) -> ApprovalOut:
    """Do what somebody else asked for. What cannot be done any more is refused as it would be at once, and waits on."""
    return await _one(caller, await commands.approve(approval_id, body.note, caller))


@router.post(f"{_APPROVAL}/reject", guard=staff(), summary="驳回", errors=_DECIDING)
async def reject(caller: StaffCaller, approval_id: str, body: RejectIn) -> ApprovalOut:
    """Do not do what somebody else asked for, and say why."""
    return await _one(caller, await commands.reject(approval_id, body.note, caller))


@router.post(
    f"{_APPROVAL}/withdraw",
    guard=staff(),
    summary="撤回",
    errors=(NotFound, ApprovalNotOwn, ApprovalDecided, ApprovalExpired),
)
async def withdraw(caller: StaffCaller, approval_id: str) -> ApprovalOut:
    """Take one's own request back, as long as it waits."""
    return await _one(caller, await commands.withdraw(approval_id, caller))


def _decided(caller: StaffCaller) -> list[str]:
    return [kind.code for kind in kinds.every() if caller.may(kind.permission)]


async def _one(caller: StaffCaller, approval: Approval) -> ApprovalOut:
    (shown,) = await _shown(caller, [approval])
    return shown


async def _shown(caller: StaffCaller, found: Sequence[Approval]) -> list[ApprovalOut]:
    people = {one.asked_by for one in found} | {one.decided_by for one in found if one.decided_by is not None}
    names = await auth.staff_names(people)
    return [_out(caller, one, names) for one in found]


def _out(caller: StaffCaller, one: Approval, names: dict[int, str]) -> ApprovalOut:
    kind = kinds.find(one.kind)
    waits, own = one.state is ApprovalState.WAITING, one.asked_by == caller.staff_id
    return ApprovalOut(
        id=one.id,
        kind=one.kind,
        title=kind.title if kind else one.kind,
        state=one.state,
        store_id=one.store_id,
        summary=one.summary,
        reason=one.reason,
        body=one.body,
        asked_by=str(one.asked_by),
        asked_by_name=names.get(one.asked_by, ""),
        asked_at=one.asked_at,
        expires_at=one.expires_at,
        decided_by=None if one.decided_by is None else str(one.decided_by),
        decided_by_name=None if one.decided_by is None else names.get(one.decided_by, ""),
        decided_at=one.decided_at,
        note=one.note,
        decidable=waits and not own and rules.decides(kind, one, caller),
        withdrawable=waits and own,
    )
