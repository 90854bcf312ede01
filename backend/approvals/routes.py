"""What waits for a second person, and their decision. Every call shows what the caller asked for or decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import DomainError, NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from . import commands, hands, kinds, queries, rules
from .errors import (
    ApprovalAskerGone,
    ApprovalDecided,
    ApprovalExpired,
    ApprovalNotOwn,
    ApprovalOwn,
    ApprovalSameHands,
)
from .schemas import (
    ApprovalOut,
    ApprovalsOut,
    ApprovalsQuery,
    ApproveIn,
    KindOut,
    KindsOut,
    PersonOut,
    RejectIn,
    TiedOut,
    TiedQuery,
    TiedsOut,
)
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


@router.get(
    f"{_APPROVALS}/tied", guard=staff(Permission.AUDIT_READ), summary="账号有关联的审批", errors=(ValidationFailed,)
)
async def list_tied(caller: StaffCaller, query: TiedQuery) -> TiedsOut:
    """Approvals whose two logins one person may have held then, newest first: among so many as `limit` says.

    Go on by `next_cursor`, also where a page is empty. It says who may have, not that they did.
    """
    found = await queries.list_approved(caller.store_id, before=read_place(query.cursor), limit=query.limit + 1)
    page, last = found[: query.limit], found[query.limit - 1] if len(found) > query.limit else None
    cursor = place_cursor(last.asked_at, last.id) if last else None
    return TiedsOut(await _tied(page, timedelta(days=query.days)), cursor)


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


async def _tied(page: Sequence[Approval], new: timedelta) -> list[TiedOut]:
    if not page:
        return []
    ties = hands.by_login(await auth.list_ties(page[-1].asked_at - new))
    found = []
    for one in page:
        assert one.decided_by is not None
        assert one.decided_at is not None
        if held := hands.of_both(one.asked_by, one.asked_at, one.decided_by, one.decided_at, ties, new):
            found.append((one, one.decided_by, one.decided_at, sorted(held)))
    people = {one.asked_by for one, *_ in found} | {who for _, by, _, held in found for who in (by, *held)}
    names = await auth.staff_names(people)

    def person(staff_id: int) -> PersonOut:
        return PersonOut(str(staff_id), names.get(staff_id, ""))

    return [
        TiedOut(
            id=one.id,
            kind=one.kind,
            title=_title(one.kind),
            store_id=one.store_id,
            summary=one.summary,
            asked_by=person(one.asked_by),
            asked_at=one.asked_at,
            decided_by=person(decided_by),
            decided_at=decided_at,
            held_by=[person(who) for who in held],
        )
        for one, decided_by, decided_at, held in found
    ]


def _title(code: str) -> str:
    kind = kinds.find(code)
    return kind.title if kind else code


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
        title=_title(one.kind),
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
