"""How rules look to staff."""

from __future__ import annotations

from collections.abc import Mapping

from backend.members.types import Listed

from .records import StoredRule, Transfer
from .schemas import RuleOut, StaffTransferOut, TransferOut, VersionOut
from .types import Rule


def rule(stored: StoredRule) -> RuleOut:
    """A rule as staff see it."""
    return RuleOut(
        id=stored.id,
        kind=stored.kind,
        title=stored.title,
        state=stored.state,
        version=stored.version,
        terms=stored.terms,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def version(found: Rule) -> VersionOut:
    """A version as staff see it."""
    return VersionOut(found.version, found.title, found.terms, found.from_at, found.until_at)


def transfer(made: Transfer, member_id: int, names: Mapping[int, Listed]) -> TransferOut:
    """A transfer as one of its members sees it: the other one's name is masked."""
    out = made.giver_id == member_id
    other = made.receiver_id if out else made.giver_id
    return TransferOut(made.id, made.at, "out" if out else "in", made.points, _name(other, names), made.state)


def staff_transfer(made: Transfer, names: Mapping[int, Listed]) -> StaffTransferOut:
    """A transfer as staff see it."""
    return StaffTransferOut(
        made.id,
        made.at,
        str(made.giver_id),
        _name(made.giver_id, names),
        str(made.receiver_id),
        _name(made.receiver_id, names),
        made.points,
        made.state,
        made.reversed_at,
    )


def _name(member_id: int, names: Mapping[int, Listed]) -> str:
    return names[member_id].name_masked if member_id in names else ""
