"""Looking at many members in steps: with progress, cancelled at any time, taken up where it was cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from time import monotonic
from typing import Any

import asyncpg
import msgspec

from backend.kernel import clock, db, ids, jobs, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.members import queries as members

from .. import queries, service
from ..errors import RunEnded
from ..service.looking import Outcome, examine, rules_now
from ..types import LevelRule, Programme, Run, RunKind

log = logging.get(__name__)

JOB = "lifecycle.go_on"
AT_ONCE = 100
"""Members in one transaction: their rows are held as long as it takes, and a sale's event waits for them."""

RUN_S = 20.0
"""How long one job goes on before it queues the rest behind others."""

_rules = msgspec.json.Decoder(dict[str, LevelRule])
_EVERYBODY = "SELECT count(*) FROM member WHERE status <> 'none'"
_UNSEEN = f"{_EVERYBODY} AND NOT EXISTS (SELECT FROM lifecycle_standing s WHERE s.member_id = member.id)"
_ALL = "SELECT id FROM member WHERE id > $1 AND status <> 'none' ORDER BY id LIMIT $2"
_NEW = (
    "SELECT id FROM member WHERE id > $1 AND status <> 'none'"
    " AND NOT EXISTS (SELECT FROM lifecycle_standing s WHERE s.member_id = member.id) ORDER BY id LIMIT $2"
)
_DUE = "SELECT count(*) FROM lifecycle_standing WHERE due_on <= $1"


async def start(tx: Tx, kind: RunKind, staff_id: int | None, rules: Mapping[str, LevelRule] | None = None) -> str:
    """Begin a run; a job goes on with it. Its id."""
    run_id, today = ids.new_short("LR"), clock.local_date(clock.now(), settings().timezone)
    sql = {RunKind.DUE: _DUE, RunKind.NEW: _UNSEEN}.get(kind, _EVERYBODY)
    (row,) = await db.fetch_in(tx, sql, *((today,) if kind is RunKind.DUE else ()))
    await db.raw(tx).execute(
        "INSERT INTO lifecycle_run (id, kind, state, day, rules, total, staff_id, created_at)"
        " VALUES ($1, $2, 'running', $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        run_id,
        kind.value,
        today,
        None if rules is None else msgspec.json.encode(rules).decode(),
        row["count"],
        staff_id,
        clock.now(),
    )
    await jobs.defer(tx, JOB, unique=JOB)
    return run_id


async def get_run(run_id: str) -> Run:
    """A run; ``NotFound`` for none."""
    found = await queries.find_run(run_id)
    if found is None:
        raise NotFound("there is no such run")
    return found


async def cancel(run_id: str) -> Run:
    """End a run where it is; who was looked at stays so. ``RunEnded`` where it is over already."""
    await get_run(run_id)
    async with db.transaction() as tx:
        ended = await db.fetch_in(
            tx,
            "UPDATE lifecycle_run SET state = 'cancelled', ended_at = $2 WHERE id = $1 AND state = 'running'"
            " RETURNING 1",
            run_id,
            clock.now(),
        )
        if not ended:
            raise RunEnded
    return await get_run(run_id)


async def start_due() -> bool:
    """Begin the day's run over those whose day has come, if there are any, and none was begun today."""
    today = clock.local_date(clock.now(), settings().timezone)
    if not await db.fetchval("SELECT true FROM lifecycle_standing WHERE due_on <= $1 LIMIT 1", today):
        return False
    if await db.fetchval("SELECT true FROM lifecycle_run WHERE kind = 'due' AND day = $1", today):
        return False
    async with db.transaction() as tx:
        await start(tx, RunKind.DUE, None)
    return True


async def start_new() -> bool:
    """Begin a run over members whom nobody has looked at yet (imported, or from before there were stages), if any."""
    if not await db.fetchval("SELECT done FROM lifecycle_backfill"):
        return False  # what they bought is not read yet
    if await db.fetchval("SELECT true FROM lifecycle_run WHERE kind = 'new' AND state = 'running' LIMIT 1"):
        return False
    if not await db.fetch(_NEW, 0, 1):
        return False
    async with db.transaction() as tx:
        await start(tx, RunKind.NEW, None)
    return True


async def go_on(seconds: float = RUN_S) -> bool:
    """Go on with the runs, the oldest first, for so long; whether something is left.

    One that raises stops no other: what it raised is raised once those have had their turn.
    """
    until, stuck = monotonic() + seconds, list[StepRaised]()
    while monotonic() < until:
        try:
            if not await _step(but=[one.run_id for one in stuck]):
                break
        except asyncpg.DeadlockDetectedError:  # with purchases of the same members, in another order: again
            log.info("levels.step_again")
        except StepRaised as raised:
            stuck.append(raised)
    else:
        async with db.transaction() as tx:
            await jobs.defer(tx, JOB, unique=JOB)
        return True
    if stuck:
        raise stuck[0]
    return False


class StepRaised(Exception):
    """The next step of a run raised; its cause is what did."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id


async def _step(*, but: Sequence[str] = ()) -> bool:
    """The next members of the oldest run, but for those; False where there is none."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(
            tx,
            "SELECT id, kind, day, rules, moves, after_day, after, done FROM lifecycle_run WHERE state = 'running'"
            " AND id <> ALL($1) ORDER BY created_at, id LIMIT 1 FOR UPDATE",
            list(but),
        )
        if not rows:
            return False
        run = rows[0]
        queries.forget_rules()  # it may have begun with rules that came a moment ago
        members.forget_levels()
        try:
            member_ids, after = await _next(tx, run)
            found = await _look(tx, run, member_ids) if member_ids else []
        except asyncpg.DeadlockDetectedError:
            raise
        except Exception as error:
            raise StepRaised(run["id"]) from error
        moved = [one for one in found if one.own != one.state.own]
        await db.raw(tx).execute(
            "UPDATE lifecycle_run SET after_day = $2, after = $3, done = done + $4, changed = changed + $5, moves = $6,"
            " state = CASE WHEN $7 THEN 'done' ELSE state END, ended_at = CASE WHEN $7 THEN $8::timestamptz END"
            " WHERE id = $1",
            run["id"],
            *after,
            len(member_ids),
            len(moved),
            _counted(run["moves"], moved),
            len(member_ids) < AT_ONCE,
            clock.now(),
        )
        if len(member_ids) < AT_ONCE:
            log.info("levels.run_done", kind=run["kind"], members=run["done"] + len(member_ids))
    return True


async def _next(tx: Tx, run: db.Record) -> tuple[list[int], tuple[date | None, int]]:
    """The members that come next, and the place behind them."""
    if run["kind"] == RunKind.DUE:
        # What became due behind the place (a sale moved it there) is the next day's.
        rows = await db.fetch_in(
            tx,
            "SELECT due_on, member_id FROM lifecycle_standing WHERE due_on <= $1"
            " AND (due_on, member_id) > (coalesce($2, '-infinity'::date), $3) ORDER BY due_on, member_id LIMIT $4",
            run["day"],
            run["after_day"],
            run["after"],
            AT_ONCE,
        )
        place = (rows[-1]["due_on"], rows[-1]["member_id"]) if rows else (run["after_day"], run["after"])
        return [row["member_id"] for row in rows], place
    rows = await db.fetch_in(tx, _NEW if run["kind"] == RunKind.NEW else _ALL, run["after"], AT_ONCE)
    return [row["id"] for row in rows], (None, rows[-1]["id"] if rows else run["after"])


async def _look(tx: Tx, run: db.Record, member_ids: Sequence[int]) -> list[Outcome]:
    if run["kind"] != RunKind.PREVIEW:
        return await service.look(tx, member_ids)
    known = await queries.list_programmes()
    asked = Programme(known[-1].version + 1 if known else 1, clock.now(), _rules.decode(run["rules"]))
    return await examine(tx, await rules_now([*known, asked]), member_ids)


def _counted(before: str, moved: Sequence[Outcome]) -> str:
    moves: dict[str, Counter[str]] = {source: Counter(found) for source, found in _decoded(before).items()}
    for one in moved:
        moves.setdefault(one.state.own, Counter())[one.own] += 1
    return msgspec.json.encode(moves).decode()


def _decoded(text: str) -> dict[str, dict[str, int]]:
    found: Any = msgspec.json.decode(text)
    return dict(found)
