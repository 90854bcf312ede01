"""Batches, their members, and applications, as staff are shown them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.auth import queries as auth
from backend.members import bulk
from backend.members import queries as members
from backend.members.types import Member

from .queries import batches as queries
from .schemas.applications import ApplicationOut
from .schemas.batches import BatchOut, MeantOut, RowOut
from .types import Application, BatchRow, MemberBatch


async def batches(found: Sequence[MemberBatch], *, counted: bool = True) -> list[BatchOut]:
    """Batches with who asked for them and, where they are ``counted``, what became of their members."""
    names = await auth.staff_names({one.staff_id for one in found})
    results = await queries.count_results([one.id for one in found]) if counted else {}
    stuck = await members.list_masked([one.failed_row for one in found if one.failed_row is not None])
    return [
        _batch(
            one, names, results.get(one.id, {}), stuck[one.failed_row].member_no if one.failed_row in stuck else None
        )
        for one in found
    ]


def _batch(one: MemberBatch, names: dict[int, str], results: dict[str, int], stuck_no: str | None) -> BatchOut:
    change = bulk.find(one.kind)
    return BatchOut(
        id=one.id,
        kind=one.kind,
        title=_title(change, one),
        reason=one.reason,
        state=one.state,
        change=one.change,
        audience=one.audience,
        members=one.meant,
        done=one.done,
        changed=one.changed,
        results=results,
        staff_id=str(one.staff_id),
        staff_name=names.get(one.staff_id, ""),
        store_id=one.store_id,
        approval_id=one.approval_id,
        failed_member_id=str(one.failed_row) if one.failed_row is not None else None,
        failed_member_no=stuck_no,
        failure=one.failure,
        created_at=one.created_at,
        ended_at=one.ended_at,
    )


def _title(change: bulk.BulkChange | None, one: MemberBatch) -> str:
    return change.named(msgspec.json.decode(one.change, type=change.body)) if change else one.kind


async def rows(found: Sequence[BatchRow]) -> list[RowOut]:
    """Members of a batch; the name only masked."""
    known = await members.list_masked([one.member_id for one in found])
    return [
        RowOut(
            str(one.member_id),
            known[one.member_id].member_no if one.member_id in known else "",
            known[one.member_id].name_masked if one.member_id in known else "",
            one.result,
        )
        for one in found
    ]


async def meant(member_ids: Sequence[int]) -> list[MeantOut]:
    """Members who are meant, in that order."""
    known = await members.list_masked(member_ids)
    return [
        MeantOut(str(one.id), one.member_no, one.name_masked, one.store_id, one.level)
        for one in (known[member_id] for member_id in member_ids if member_id in known)
    ]


async def applications(found: Sequence[Application]) -> list[ApplicationOut]:
    """Applications with who it is and who decided."""
    names = await auth.staff_names({one.decided_by for one in found if one.decided_by is not None})
    known = await members.list_people([one.member_id for one in found])
    return [_application(one, known.get(one.member_id), names) for one in found]


def _application(one: Application, who: Member | None, names: dict[int, str]) -> ApplicationOut:
    return ApplicationOut(
        id=one.id,
        member_id=str(one.member_id),
        member_no=who.member_no if who else "",
        name=who.name if who else "",
        phone_masked=who.phone_masked if who else "",
        birthday=who.birthday if who else None,
        channel=one.channel,
        store_id=one.store_id,
        referred=one.referred,
        state=one.state,
        rule=one.rule,
        policy_version=one.policy_version,
        reason=one.reason,
        claimed=one.claimed,
        name_given=one.name_given,
        decided_by_name=names.get(one.decided_by) if one.decided_by is not None else None,
        applied_at=one.applied_at,
        decided_at=one.decided_at,
    )
