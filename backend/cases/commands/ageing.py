"""What the clock does to cases: overdue ones become somebody's to-do, answered ones close, numbers are forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import asyncpg

from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.errors import DomainError

from .. import events, locks, rules, service
from ..types import Action, Actor, By, Case, CaseState, Level, Outcome

log = logging.get(__name__)

CLOCK = Actor(By.CLOCK)
AT_ONCE = 200
ROUNDS = 50
_WAITING = ", ".join(f"'{state.value}'" for state in rules.WAITING)

# A manager's to-do that is as old as that again is head office's too; a case of no store is head office's at once.
_OVERDUE = f"""
SELECT c.id, c.due_at AS at FROM feedback_case c
 WHERE c.state IN ({_WAITING}) AND c.due_at <= $1
   AND ((c.store_id IS NOT NULL AND NOT EXISTS (SELECT FROM feedback_todo t
          WHERE t.case_id = c.id AND t.round = c.round AND t.level = 'manager'))
     OR ((c.store_id IS NULL OR c.due_at <= $2) AND NOT EXISTS (SELECT FROM feedback_todo t
          WHERE t.case_id = c.id AND t.round = c.round AND t.level = 'office')))
   AND ($3::timestamptz IS NULL OR (c.due_at, c.id) > ($3, $4))
 ORDER BY c.due_at, c.id LIMIT {AT_ONCE}"""  # noqa: S608 - put together of constants
_TO_CLOSE = f"""
SELECT id, updated_at AS at FROM feedback_case
 WHERE state IN ('answered', 'confirmed') AND updated_at <= $1
   AND ($2::timestamptz IS NULL OR (updated_at, id) > ($2, $3))
 ORDER BY updated_at, id LIMIT {AT_ONCE}"""  # noqa: S608 - put together of constants


async def _each(found: str, *values: datetime, do: Callable[[str], Awaitable[int]]) -> int:
    """Do it with each case that is found, a transaction each; what fails waits for the next run. The sum of all."""
    done, after = 0, (None, None)
    for _ in range(ROUNDS):
        rows = await db.fetch(found, *values, *after)
        for row in rows:
            try:
                done += await do(row["id"])
            except (DomainError, asyncpg.PostgresError) as error:
                log.warning("cases.left_for_later", case_id=row["id"], error=type(error).__name__)
        if len(rows) < AT_ONCE:
            break
        after = rows[-1]["at"], rows[-1]["id"]
    return done


async def escalate() -> int:
    """Make overdue cases to-dos, each once a round for each level; how many were made."""
    now = clock.now()
    return await _each(_OVERDUE, now, now - timedelta(hours=settings().case_escalate_hours), do=_escalate)


async def _escalate(case_id: str) -> int:
    async with db.transaction() as tx:
        found = await locks.lock_case(tx, case_id)
        made = 0
        for level in _levels(found):
            written = await db.fetch_in(
                tx,
                "INSERT INTO feedback_todo (case_id, round, level, store_id, made_at) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT DO NOTHING RETURNING 1",
                found.id,
                found.round,
                level.value,
                found.store_id,
                clock.now(),
            )
            if written and found.version < rules.MOST_STEPS - rules.RESERVE:
                await service.step(tx, found, Action.ESCALATE, CLOCK, detail={"level": level.value})
                found = await locks.lock_case(tx, case_id)
            made += len(written)
    if made:
        log.info("cases.escalated", case_id=case_id, round=found.round)
    return made


def _levels(found: Case) -> list[Level]:
    """Whose to-do a case is by now."""
    now = clock.now()
    if found.state not in rules.WAITING or found.due_at > now:
        return []
    levels = [Level.MANAGER] if found.store_id is not None else []
    if found.store_id is None or found.due_at <= now - timedelta(hours=settings().case_escalate_hours):
        levels.append(Level.OFFICE)
    return levels


async def close_answered() -> int:
    """Close what was answered or confirmed some days ago and not taken up again; how many."""
    before = clock.now() - timedelta(days=settings().case_close_days)
    closed = await _each(_TO_CLOSE, before, do=lambda case_id: _close(case_id, before))
    if closed:
        log.info("cases.closed_by_the_clock", closed=closed)
    return closed


async def _close(case_id: str, before: datetime) -> int:
    async with db.transaction() as tx:
        found = await locks.lock_case(tx, case_id)
        if found.state not in (CaseState.ANSWERED, CaseState.CONFIRMED) or found.updated_at > before:
            return 0
        # What nobody said a word about has no outcome.
        outcome = Outcome.SOLVED if found.state is CaseState.CONFIRMED else None
        if found.given is not None:
            outcome = Outcome.COMPENSATED
        changes = {"closed_at": clock.now(), "outcome": outcome.value if outcome else None}
        await service.step(tx, found, Action.CLOSE, CLOCK, changes=changes)
        await service.tell(tx, found, events.CLOSED)
    return 1


async def forget_contacts() -> int:
    """Forget names and numbers of walk-in customers some time after their cases were closed; how many."""
    before = clock.now() - timedelta(days=settings().case_contact_days)
    async with db.transaction() as tx:
        rows = await db.fetch_in(
            tx,
            "UPDATE feedback_case SET contact_sealed = NULL, contact_index = NULL"
            " WHERE contact_index IS NOT NULL AND state = 'closed' AND closed_at <= $1 RETURNING 1",
            before,
        )
    return len(rows)
