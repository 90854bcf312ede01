"""What may happen to a case, and until when it is to be answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.cases import rules
from backend.cases.errors import CaseConflict, CaseFull
from backend.cases.types import Action, Case, CaseKind, CaseState, Priority
from backend.kernel.config import Settings

S, A = CaseState, Action
AT = datetime(2026, 11, 27, tzinfo=UTC)

ALLOWED = {
    A.ASSIGN: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS, S.ANSWERED, S.REOPENED},
    A.START: {S.RECEIVED, S.ASSIGNED, S.REOPENED},
    A.ANSWER: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS, S.REOPENED, S.ANSWERED},
    A.CONFIRM: {S.ANSWERED},
    A.REOPEN: {S.ANSWERED, S.CONFIRMED, S.CLOSED},
    A.CLOSE: {S.ANSWERED, S.CONFIRMED},
    A.GIVE: set(S) - {S.CLOSED},
}


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize("action", Action)
def test_an_action_is_done_where_it_may_be_and_refused_elsewhere(action, state):
    if action in ALLOWED and state not in ALLOWED[action]:
        with pytest.raises(CaseConflict):
            rules.move(state, action)
    elif action not in ALLOWED:
        assert rules.move(state, action) is state
    else:
        assert rules.move(state, action) in CaseState


def test_nothing_is_closed_without_an_answer():
    for start in rules.WAITING:
        for action in Action:
            try:
                assert rules.move(start, action) not in (S.CLOSED, S.CONFIRMED), (start, action)
            except CaseConflict:
                continue


@pytest.mark.parametrize(
    ("kind", "priority", "hours"),
    [("complaint", "normal", 24), ("complaint", "urgent", 6), ("praise", "low", 144), ("consultation", "high", 6)],
)
def test_an_answer_is_due_by_kind_and_priority(kind, priority, hours):
    defaults = Settings(database_url="postgresql://x/x", master_keys="")
    table = rules.read_table(defaults.case_answer_hours, CaseKind)
    percent = rules.read_table(defaults.case_priority_percent, Priority)

    due = rules.due_at(AT, CaseKind(kind), Priority(priority), table, percent)

    assert due == AT + timedelta(hours=hours)


@pytest.mark.parametrize(
    "text",
    ["", "complaint=1", "complaint=0,opinion=1,praise=1,consultation=1", "complaint=1,complaint=1,opinion=1,x=1"],
)
def test_a_table_that_is_not_whole_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        rules.read_table(text, CaseKind)


def test_what_does_not_end_a_case_leaves_room_for_what_does():
    def rooms(action: Action) -> int:
        return next(n for n in range(1, 300) if full(n, action))

    def full(version: int, action: Action) -> bool:
        try:
            rules.check_room(a_case(version), action)
        except CaseFull:
            return True
        return False

    room = {action: rooms(action) for action in Action}

    assert room[A.CLOSE] == rules.MOST_STEPS
    assert {room[A.ANSWER], room[A.CONFIRM], room[A.CLAIM], room[A.GIVE]} == {room[A.CLOSE] - 1}
    assert room[A.RATE] == room[A.CONTACT] < room[A.ANSWER]
    assert {room[action] for action in (A.SAY, A.NOTE, A.REOPEN, A.ASSIGN, A.START, A.PRIORITISE)} == {180}


def a_case(version: int) -> Case:
    fields: dict[str, Any] = dict.fromkeys(Case.__struct_fields__)
    return Case(**fields | {"id": "K1", "state": S.ANSWERED, "version": version})
