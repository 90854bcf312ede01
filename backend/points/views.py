"""How rules look to staff."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from backend.ledger.types import Document
from backend.members.types import Listed

from .records import Batch, BatchRow, StoredRule, Transfer
from .schemas import (
    AdjustmentOut,
    BatchOut,
    EarningOut,
    EarningRuleOut,
    RefusedRowOut,
    RuleOut,
    StaffTransferOut,
    TransferOut,
    VersionOut,
)
from .types import AdjustReason, Rule


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


def transfer(made: Transfer, own: Collection[int], names: Mapping[int, Listed]) -> TransferOut:
    """A transfer as one of its members sees it, who has or had these ids: the other one's name is masked."""
    out = made.giver_id in own
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


def adjustment(document: Document) -> AdjustmentOut:
    """An adjustment as staff see it."""
    body = document.body
    return AdjustmentOut(
        document.id,
        document.at,
        body["points"],
        AdjustReason(body["reason"]),
        document.memo.get("text", ""),
        body["by"],
        body.get("approval"),
    )


def batch(found: Batch, counts: Mapping[str, int], refused: Sequence[BatchRow]) -> BatchOut:
    """A batch as staff see it."""
    return BatchOut(
        id=found.id,
        title=found.title,
        state=found.state,
        rows=found.rows,
        posted=found.rows - sum(counts.values()),
        refused=counts.get("refused", 0),
        skipped=found.skipped,
        given=found.given,
        taken=found.taken,
        staff_id=str(found.staff_id),
        approval_id=found.approval_id,
        failed_row=found.failed_row,
        failure=found.failure,
        created_at=found.created_at,
        ended_at=found.ended_at,
        refused_rows=[RefusedRowOut(row.row_no, str(row.member_id), row.points, row.refusal or "") for row in refused],
    )


def earning(standard_bp: int, rules: Sequence[Rule]) -> EarningOut:
    """How a member earns, as the phone shows it."""
    return EarningOut(
        standard_bp,
        [
            EarningRuleOut(
                title=rule.title,
                kind=rule.kind,
                rate_bp=rule.terms.rate_bp,
                times_bp=rule.terms.times_bp,
                plus=rule.terms.plus,
                birthday=rule.terms.condition.birthday,
                first_on=rule.terms.condition.first_on,
                last_on=rule.terms.condition.last_on,
                min_fen=rule.terms.condition.min_fen,
            )
            for rule in rules
        ],
    )
