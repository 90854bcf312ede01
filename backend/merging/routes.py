"""The calls of head office about members who are one person."""

from __future__ import annotations

from backend.approvals.errors import ApprovalKeyReused, TooManyApprovals
from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.members import queries as members

from . import queries, views
from .commands import candidates, merging, previews
from .errors import CandidateDecided, MergeBlocked, MergeSame, MergeStatus
from .schemas import (
    AskedOut,
    CandidateOut,
    CandidatesOut,
    CandidatesQuery,
    ClashOut,
    DismissIn,
    HeldOut,
    MergeIn,
    MergeOut,
    MergesOut,
    MergesQuery,
    ObstacleOut,
    PreviewOut,
    TwoIn,
)
from .types import Candidate, Merge

router = Router(tag="merging")

_MERGE = staff(Permission.MEMBERS_MERGE)
_MERGES = "/v1/admin/merges"
_CANDIDATES = "/v1/admin/merge-candidates"


@router.get(_CANDIDATES, guard=_MERGE, summary="疑似重复会员", errors=(ValidationFailed,))
async def list_candidates(caller: StaffCaller, query: CandidatesQuery) -> CandidatesOut:
    """Pairs of members with one birthday and the same name, or one that differs by a character; those found last first.

    A search each night finds them.
    """
    found = await queries.list_candidates(query.state, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = place_cursor(page[-1].found_at, page[-1].id) if len(found) > query.limit else None
    return CandidatesOut(await _candidates(page), last)


@router.post(
    f"{_CANDIDATES}/{{candidate_id}}/dismiss",
    guard=_MERGE,
    summary="不是同一人",
    errors=(NotFound, CandidateDecided, ValidationFailed),
)
async def dismiss(caller: StaffCaller, candidate_id: str, body: DismissIn) -> CandidateOut:
    """Say that a pair are two people; it is not found again."""
    done = await candidates.dismiss(candidate_id, body.note, caller)
    return (await _candidates([done]))[0]


@router.post(f"{_MERGES}/preview", guard=_MERGE, summary="合并预览", errors=(ValidationFailed, MergeSame, MergeStatus))
async def preview(caller: StaffCaller, body: TwoIn) -> PreviewOut:
    """Two members side by side: what each has, what becomes of the source's, what clashes, what is under way.

    A merge cannot be undone; nothing is written by looking.
    """
    seen = await previews.preview(body.source_no, body.target_no)
    people = await members.list_masked([seen.source.id, seen.target.id])
    sides = [
        views.side(member, people[member.id].name_masked, value)
        for member, value in zip((seen.source, seen.target), seen.values, strict=True)
    ]
    return PreviewOut(
        source=sides[0],
        target=sides[1],
        held=[HeldOut(title=one.title, source=one.source, target=one.target, becomes=one.becomes) for one in seen.held],
        clashes=[ClashOut(one.code, one.title, one.kept) for one in seen.clashes],
        obstacles=[ObstacleOut(one.code, one.title, list(one.ids)) for one in seen.obstacles],
    )


@router.post(
    _MERGES,
    guard=_MERGE,
    status=202,
    idempotent=True,
    summary="申请合并会员",
    errors=(ValidationFailed, MergeSame, MergeStatus, MergeBlocked, ApprovalKeyReused, TooManyApprovals),
)
async def ask(caller: StaffCaller, body: MergeIn, idem: Idempotency) -> Answer[AskedOut]:
    """Ask a second person to merge two members: the source becomes part of the target, for good. Nothing moves before.

    What is under way when they approve refuses it then (`merge_blocked`), and the request waits on.
    """
    approval = await merging.ask(body.source_no, body.target_no, body.reason, key=idem.key, caller=caller)
    return Answer(AskedOut(approval.id, approval.state.value))


@router.get(_MERGES, guard=_MERGE, summary="合并记录", errors=(ValidationFailed, NotFound))
async def list_merges(caller: StaffCaller, query: MergesQuery) -> MergesOut:
    """What was merged, newest first; of all, or what one member is made of, step by step."""
    target_ids = None
    if query.member_no is not None:
        member_id = await members.find_id_by_number(query.member_no)
        if member_id is None:
            raise NotFound("there is no such member")
        target_ids = await members.ids_of(member_id)
    found = await queries.list_merges(target_ids, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = place_cursor(page[-1].at, page[-1].id) if len(found) > query.limit else None
    return MergesOut(await _merges(page), last)


@router.get(f"{_MERGES}/{{merge_id}}", guard=_MERGE, summary="合并详情", errors=(NotFound,))
async def get_merge(caller: StaffCaller, merge_id: str) -> MergeOut:
    """One merge: who became part of whom, what lay on the books, who asked and who approved."""
    found = await queries.find_merge(merge_id)
    if found is None:
        raise NotFound("there is no such merge")
    return (await _merges([found]))[0]


async def _merges(page: list[Merge]) -> list[MergeOut]:
    people = await members.list_masked([id_ for one in page for id_ in (one.source_id, one.target_id)])
    names = await auth.staff_names([id_ for one in page for id_ in (one.asked_by, one.decided_by)])
    return [views.merge(one, people, names) for one in page]


async def _candidates(page: list[Candidate]) -> list[CandidateOut]:
    people = await members.list_masked([id_ for one in page for id_ in (one.one_id, one.other_id)])
    names = await auth.staff_names([one.decided_by for one in page if one.decided_by is not None])
    return [views.candidate(one, people, names) for one in page]
