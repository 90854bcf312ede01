"""Batches and their members as staff are shown them."""

from __future__ import annotations

from collections.abc import Sequence

from backend.auth import queries as auth
from backend.members import bulk
from backend.members import queries as members

from .queries import batches as queries
from .schemas.batches import BatchOut, MeantOut, RowOut
from .types import BatchRow, MemberBatch


async def batches(found: Sequence[MemberBatch]) -> list[BatchOut]:
    """Batches with who asked for them and what became of their members."""
    names = await auth.staff_names({one.staff_id for one in found})
    results = await queries.count_results([one.id for one in found])
    return [_batch(one, names, results.get(one.id, {})) for one in found]


def _batch(one: MemberBatch, names: dict[int, str], results: dict[str, int]) -> BatchOut:
    change = bulk.find(one.kind)
    return BatchOut(
        id=one.id,
        kind=one.kind,
        title=change.title if change else one.kind,
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
        created_at=one.created_at,
        ended_at=one.ended_at,
    )


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
