"""Answers from what was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.approvals import queries as approvals
from backend.approvals.types import ApprovalState
from backend.members import queries as members
from backend.members.holding import AtStake

from .schemas import (
    ChangeOut,
    ConsentOut,
    ConsentsOut,
    ErasureOut,
    ExportOut,
    HandoutOut,
    PurposeOut,
    StaffErasureOut,
    StaffExportOut,
    StakeOut,
)
from .types import Change, Consent, Erasure, Export, Handout, HandoutState, PurposeRow

_NO_MORE = frozenset({ApprovalState.WITHDRAWN, ApprovalState.EXPIRED})


def consents(items: Sequence[Consent]) -> ConsentsOut:
    """A member's consents."""
    return ConsentsOut([_consent(item) for item in items])


def _consent(item: Consent) -> ConsentOut:
    return ConsentOut(
        purpose=item.purpose.code,
        title=item.purpose.title,
        body=item.purpose.body,
        version=item.purpose.version,
        required=item.purpose.required,
        granted=item.granted,
        agreed_version=item.version,
        at=item.at,
        asks=item.asks,
    )


def change(item: Change) -> ChangeOut:
    """One word."""
    return ChangeOut(str(item.id), item.purpose, item.granted, item.version, item.place, item.by, item.note, item.at)


def purpose(item: PurposeRow) -> PurposeOut:
    """A purpose."""
    return PurposeOut(
        item.code,
        item.title,
        item.body,
        item.version,
        item.required,
        item.active,
        item.sort,
        item.channel,
        item.letters,
    )


def _export(item: Export) -> dict[str, Any]:
    return {
        "id": item.id,
        "state": item.state.value,
        "asked_at": item.asked_at,
        "lists": item.lists,
        "lists_all": item.lists_all,
        "rows": item.rows,
        "bytes": item.bytes,
        "ready_at": item.ready_at,
        "until": item.until,
    }


def export(item: Export) -> ExportOut:
    """An archive, for its member."""
    return ExportOut(**_export(item))


async def staff_exports(items: Sequence[Export]) -> list[StaffExportOut]:
    """Archives, for staff."""
    numbers = await members.list_numbers([item.member_id for item in items])
    return [
        StaffExportOut(
            **_export(item),
            member_id=str(item.member_id),
            member_no=numbers.get(item.member_id, ""),
            by_staff=str(item.staff_id) if item.staff_id else None,
            reason=item.reason,
        )
        for item in items
    ]


async def handouts(items: Sequence[Handout]) -> list[HandoutOut]:
    """Archives that were handed out, for staff."""
    numbers = await members.list_numbers([item.member_id for item in items])
    asked = [item.approval_id for item in items if item.approval_id and item.state is HandoutState.WAITING]
    said = await approvals.list_states(asked) if asked else {}
    lapsed = {approval_id for approval_id, state in said.items() if state in _NO_MORE}
    return [
        HandoutOut(
            id=item.id,
            export_id=item.export_id,
            member_id=str(item.member_id),
            member_no=numbers.get(item.member_id, ""),
            by_staff=str(item.staff_id),
            proof=item.proof.value,
            reason=item.reason,
            state="lapsed" if item.approval_id in lapsed else item.state.value,
            approval_id=item.approval_id,
            approved_by=str(item.approved_by) if item.approved_by else None,
            asked_at=item.asked_at,
            until=item.until,
            fetched_at=item.fetched_at,
        )
        for item in items
    ]


def stake(item: AtStake) -> StakeOut:
    """Something at stake."""
    return StakeOut(item.code, item.title, item.amount, item.unit, item.blocks)


def _erasure(item: Erasure) -> dict[str, Any]:
    return {
        "id": item.id,
        "state": item.state.value,
        "asked_at": item.asked_at,
        "due_at": item.due_at,
        "given_up": [StakeOut(**one) for one in item.given_up],
        "problem": item.problem,
        "ended_at": item.ended_at,
    }


def erasure(item: Erasure) -> ErasureOut:
    """An erasure, for its member."""
    return ErasureOut(**_erasure(item))


async def staff_erasures(items: Sequence[Erasure]) -> list[StaffErasureOut]:
    """Erasures, for staff."""
    numbers = await members.list_numbers([item.member_id for item in items])
    return [
        StaffErasureOut(
            **_erasure(item),
            member_id=str(item.member_id),
            member_no=numbers.get(item.member_id, ""),
            by_staff=str(item.staff_id) if item.staff_id else None,
            approved_by=str(item.approved_by) if item.approved_by else None,
            reason=item.reason,
        )
        for item in items
    ]
