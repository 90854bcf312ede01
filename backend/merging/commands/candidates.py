"""Finding pairs that may be one person, birthday by birthday, and deciding that they are not."""

from __future__ import annotations

from datetime import date
from itertools import groupby, islice

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.errors import NotFound

from .. import queries
from ..errors import CandidateDecided
from ..rules import likeness
from ..types import Candidate, CandidateState

log = logging.get(__name__)

ABOUT, MOST = 1_000, 20_000
"""Members that one step looks at: whole birthdays; of one that tills make up for everybody, so many at most."""

STEPS = 5_000
MOST_OPEN = 10_000
"""Pairs that wait for somebody; a search stops at so many, and goes on when some were decided."""

MOST_NEW = 10_000
"""Pairs that one step writes down: a name and a birthday that tills make up would be millions of them."""


async def search(*, steps: int = STEPS) -> int:
    """Look for pairs, from where the last search stopped, and from the beginning once it is through; how many were new.

    Each step is a transaction of its own, so that a search that was cut short is taken up where it was.
    """
    new = 0
    for _ in range(steps):
        after = await _begin()
        people = await queries.list_people(after, about=ABOUT, most=MOST)
        if not people or await _open() >= MOST_OPEN:
            await _end(through=not people)
            break
        found = (
            pair
            for _, day in groupby(people, key=lambda found: found[0])
            for pair in likeness.pairs(person for _, person in day)
        )
        rows = [(ids.new_short("MC"), one, other, why.value) for one, other, why in islice(found, MOST_NEW)]
        new += await _note(rows, people[-1][0])
    if new:
        log.info("merging.searched", found=new)
    return new


async def _begin() -> date:
    """The birthday to go on after."""
    row = await db.fetchrow("SELECT after, finished_at FROM merging_search")
    return date.min if row is None or row["finished_at"] is not None else row["after"]


async def _open() -> int:
    return int(
        await db.fetchval(
            "SELECT count(*) FROM (SELECT FROM merging_candidate WHERE state = 'open' LIMIT $1) AS o", MOST_OPEN
        )
    )


async def _note(rows: list[tuple[str, int, int, str]], until: date) -> int:
    now = clock.now()
    async with db.transaction() as tx:
        made = await db.fetch_in(
            tx,
            "INSERT INTO merging_candidate (id, one_id, other_id, why, state, found_at)"
            " SELECT id, one, other, why, 'open', $5"
            "   FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS w (id, one, other, why)"
            " ON CONFLICT DO NOTHING RETURNING id",
            *([row[place] for row in rows] for place in range(4)),
            now,
        )
        await db.raw(tx).execute(
            "INSERT INTO merging_search AS s (one, after, found, started_at) VALUES (true, $1, $2, $3)"
            " ON CONFLICT (one) DO UPDATE SET after = $1, found = $2 + CASE WHEN s.finished_at IS NULL THEN s.found"
            " ELSE 0 END, started_at = CASE WHEN s.finished_at IS NULL THEN s.started_at ELSE $3 END,"
            " finished_at = NULL",
            until,
            len(made),
            now,
        )
    return len(made)


async def _end(*, through: bool) -> None:
    if through:
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "UPDATE merging_search SET finished_at = $1 WHERE finished_at IS NULL", clock.now()
            )


async def dismiss(candidate_id: str, note: str, caller: StaffCaller) -> Candidate:
    """Say that two members are two people: the pair is not shown again. Repeated, it changes nothing."""
    async with db.transaction() as tx:
        moved = await db.fetch_in(
            tx,
            "UPDATE merging_candidate SET state = 'dismissed', decided_by = $2, decided_at = $3, note = $4"
            " WHERE id = $1 AND state = 'open' RETURNING id",
            candidate_id,
            caller.staff_id,
            clock.now(),
            note,
        )
    found = await queries.find_candidate(candidate_id)
    if found is None:
        raise NotFound("there is no such pair")
    if not moved and found.state is not CandidateState.DISMISSED:
        raise CandidateDecided
    return found
