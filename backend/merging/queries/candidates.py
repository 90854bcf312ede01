"""Pairs that may be one person, and where they come from."""

from __future__ import annotations

from datetime import date

from backend.kernel import db
from backend.kernel.paging import Place

from ..rules.likeness import Person
from ..types import Candidate, CandidateState, Why

_CANDIDATE = "SELECT id, one_id, other_id, why, state, found_at, decided_by, decided_at, note FROM merging_candidate"

# One step along the index of birthdays: whole days, at least one, so many members about.
PEOPLE = """
WITH edge AS (
    SELECT max(birthday) AS until FROM (
        SELECT birthday FROM member WHERE birthday > $1 AND birthday IS NOT NULL AND status <> 'merged'
         ORDER BY birthday, id LIMIT $2) AS several
)
SELECT id, birthday, name, gender FROM member
 WHERE birthday > $1 AND birthday <= (SELECT until FROM edge) AND birthday IS NOT NULL AND status <> 'merged'
 ORDER BY birthday, id LIMIT $3"""


def _candidate(row: db.Record) -> Candidate:
    return Candidate(**dict(row) | {"why": Why(row["why"]), "state": CandidateState(row["state"])})


async def find_candidate(candidate_id: str) -> Candidate | None:
    """One pair, or None."""
    row = await db.fetchrow(f"{_CANDIDATE} WHERE id = $1", candidate_id)
    return _candidate(row) if row else None


async def list_candidates(state: CandidateState, *, before: Place | None, limit: int) -> list[Candidate]:
    """Pairs of a state, those found last first."""
    rows = await db.fetch(
        f"{_CANDIDATE} WHERE state = $1 AND ($2::timestamptz IS NULL OR (found_at, id) < ($2, $3))"
        " ORDER BY found_at DESC, id DESC LIMIT $4",
        state.value,
        *(before or (None, None)),
        limit,
    )
    return [_candidate(row) for row in rows]


async def list_people(after: date, *, about: int, most: int) -> list[tuple[date, Person]]:
    """The members of the next birthdays after a day: whole days, about so many members and at most ``most``."""
    rows = await db.fetch(PEOPLE, after, about, most)
    return [(row["birthday"], Person(row["id"], row["name"], row["gender"])) for row in rows]
