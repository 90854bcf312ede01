"""What may happen to a case, and until when it is to be answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from backend.kernel.errors import invalid

from .errors import CaseConflict, CaseFull, CaseGiftLimit
from .types import Action, Allowance, Case, CaseKind, CaseState, Gift, Given, Priority

S = CaseState

WAITING = (S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS, S.REOPENED)
"""The states in which an answer is due."""

MOVES: dict[Action, dict[CaseState, CaseState]] = {
    Action.ASSIGN: {
        S.RECEIVED: S.ASSIGNED,
        S.ASSIGNED: S.ASSIGNED,
        S.REOPENED: S.ASSIGNED,
        S.IN_PROGRESS: S.IN_PROGRESS,
        S.ANSWERED: S.ANSWERED,
    },
    Action.START: dict.fromkeys((S.RECEIVED, S.ASSIGNED, S.REOPENED), S.IN_PROGRESS),
    Action.ANSWER: dict.fromkeys((*WAITING, S.ANSWERED), S.ANSWERED),
    Action.CONFIRM: {S.ANSWERED: S.CONFIRMED},
    Action.REOPEN: dict.fromkeys((S.ANSWERED, S.CONFIRMED, S.CLOSED), S.REOPENED),
    Action.CLOSE: dict.fromkeys((S.ANSWERED, S.CONFIRMED), S.CLOSED),
    Action.GIVE: {state: state for state in S if state is not S.CLOSED},
}
"""Where each action leads, by state; an action that is not named leaves the state as it is."""

MOST_STEPS = 200
"""Of a case; the last few are kept for what ends it, so that nothing else takes their room."""

RESERVE = 20
_KEPT = {
    **dict.fromkeys((Action.RATE, Action.CONTACT), 10),
    **dict.fromkeys((Action.ANSWER, Action.CONFIRM, Action.CLAIM, Action.GIVE), 1),
    Action.CLOSE: 0,
}
"""How many steps each action leaves free; what is not named leaves ``RESERVE``."""

EXCERPT = 60
E = TypeVar("E", CaseKind, Priority)


def move(state: CaseState, action: Action) -> CaseState:
    """The state after an action; refused where it cannot be done then."""
    moves = MOVES.get(action)
    if moves is None:
        return state
    if state not in moves:
        raise CaseConflict(f"the case is {state.value}", extra={"state": state.value})
    return moves[state]


def check_room(case: Case, action: Action) -> None:
    """Refuse what makes a case endless."""
    if case.version >= MOST_STEPS - _KEPT.get(action, RESERVE):
        raise CaseFull


def check_text(text: str) -> str:
    """The text without blanks around it; refused where nothing is left."""
    if not (kept := text.strip()):
        raise invalid("/text", "is blank")
    return kept


def may_reopen(case: Case, now: datetime, days: int) -> bool:
    """Whether its customer may say now that it is not done: not for ever once it was closed."""
    if case.state not in MOVES[Action.REOPEN]:
        return False
    return case.closed_at is None or now < case.closed_at + timedelta(days=days)


def read_table(text: str, names: type[E]) -> dict[E, int]:
    """A setting like ``complaint=24,praise=72`` with each name once; ``ValueError`` for anything else."""
    found: dict[E, int] = {}
    for item in text.split(","):
        name, _, number = item.strip().partition("=")
        key = names(name)
        if key in found or not 1 <= int(number) <= 10_000:
            raise ValueError(item)
        found[key] = int(number)
    if len(found) < len(names):
        raise ValueError("a name is missing")
    return found


def read_role(text: str, role: str) -> int:
    """What a setting like ``admin=5000,clerk=200`` says of a role: 0 for one that it does not name."""
    numbers = dict(item.split("=") for item in text.split(","))
    return int(numbers.get(role, 0))


def due_at(
    since: datetime,
    kind: CaseKind,
    priority: Priority,
    hours: Mapping[CaseKind, int],
    percent: Mapping[Priority, int],
) -> datetime:
    """When an answer is due that is awaited since then: the kind's hours, shorter or longer by the priority."""
    return since + timedelta(seconds=hours[kind] * 36 * percent[priority])


def check_gift(gift: Gift, allowed: Allowance) -> None:
    """Refuse a gift of nothing, and one that is more than somebody may give (any more)."""
    if gift.points is None and gift.template_id is None:
        raise invalid("/points", "give points, a coupon, or both")
    if (gift.points or 0) > allowed.points or allowed.gifts < 1:
        raise CaseGiftLimit(extra={"points": allowed.points, "gifts_left": allowed.gifts})


def gift_words(given: Given) -> str:
    """What was given, as it is told."""
    points = [f"{given.points} 积分"] if given.points else []
    coupon = [f"优惠券「{given.coupon_title}」"] if given.coupon_id else []
    return "、".join(points + coupon)


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1]}…"


def mask_contact(name: str, phone: str) -> str:
    """A walk-in customer in a list."""
    return f"{name[0]}** ****{phone[-4:]}"
