"""How long a request waits, how many there may be, and who decides. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from backend.auth.types import StaffCaller

from .errors import ApprovalDecided, ApprovalExpired, ApprovalNotOwn, ApprovalOwn
from .types import Alone, Approval, ApprovalState, Kind

WAITS = timedelta(days=7)
MOST_WAITING = 500
"""Of one person: who asks for more has made a mistake, or a program has."""

MOST_BODY_BYTES = 65_536


def standing(state: ApprovalState, expires_at: datetime, now: datetime) -> ApprovalState:
    """The state now: what waited too long is over, whether the job has said so or not."""
    return ApprovalState.EXPIRED if state is ApprovalState.WAITING and now >= expires_at else state


def check_waiting(approval: Approval) -> None:
    """Refuse what is no longer to be decided."""
    if approval.state is ApprovalState.EXPIRED:
        raise ApprovalExpired
    if approval.state is not ApprovalState.WAITING:
        raise ApprovalDecided


def check_second(approval: Approval, staff_id: int) -> None:
    """Refuse the person who asked: two are needed."""
    if approval.asked_by == staff_id:
        raise ApprovalOwn


def check_first(approval: Approval, staff_id: int) -> None:
    """Refuse everybody but the person who asked."""
    if approval.asked_by != staff_id:
        raise ApprovalNotOwn


def is_alone(wishes: Iterable[Alone], counted: Mapping[str, int]) -> bool:
    """Whether one person, who has decided so much of each today, may decide this too without a second one."""
    return all(not one.amount or counted.get(one.what, 0) + one.amount <= one.most for one in wishes)


def decides(kind: Kind | None, approval: Approval, caller: StaffCaller) -> bool:
    """Whether the caller is somebody who decides such requests there (not: this one, which may be their own)."""
    return kind is not None and caller.may(kind.permission) and caller.reaches(approval.store_id)
