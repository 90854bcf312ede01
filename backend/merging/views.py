"""How merges and candidates look to staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from backend.members.types import Listed, Member

from .schemas import CandidateOut, MergeOut, PersonOut, SideOut
from .types import Candidate, Merge, Moved


def side(member: Member, name_masked: str, value: Moved) -> SideOut:
    """One of two members."""
    return SideOut(
        id=str(member.id),
        member_no=member.member_no,
        name=name_masked,
        phone=member.phone_masked,
        birthday=member.birthday,
        level=member.level.name,
        status=member.status.value,
        store_id=member.store_id,
        joined_at=member.created_at,
        value=value,
    )


def merge(one: Merge, people: Mapping[int, Listed], staff: Mapping[int, str]) -> MergeOut:
    """One merge."""
    return MergeOut(
        id=one.id,
        source_no=_number(people, one.source_id),
        target_no=_number(people, one.target_id),
        target_id=str(one.target_id),
        approval_id=one.approval_id,
        asked_by=staff.get(one.asked_by, str(one.asked_by)),
        decided_by=staff.get(one.decided_by, str(one.decided_by)),
        reason=one.reason,
        moved=one.moved,
        at=one.at,
    )


def _number(people: Mapping[int, Listed], member_id: int) -> str:
    found = people.get(member_id)
    return found.member_no if found else ""


def candidate(one: Candidate, people: Mapping[int, Listed], staff: Mapping[int, str]) -> CandidateOut:
    """One pair."""
    return CandidateOut(
        id=one.id,
        why=one.why,
        state=one.state,
        birthday=_birthday(people.get(one.one_id)),
        one=person(one.one_id, people),
        other=person(one.other_id, people),
        found_at=one.found_at,
        decided_by=staff.get(one.decided_by) if one.decided_by is not None else None,
        decided_at=one.decided_at,
        note=one.note,
    )


def _birthday(found: Listed | None) -> date | None:
    return found.birthday if found else None


def person(member_id: int, people: Mapping[int, Listed]) -> PersonOut:
    """One of a pair."""
    found = people[member_id]
    return PersonOut(
        str(member_id), found.member_no, found.name_masked, found.store_id, found.level, found.status.value
    )
