"""How far members are with surveys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from backend.kernel import db

from ..types import Given, Outcome, Participation, Taken

PARTICIPATION = (
    "SELECT survey_id, member_id, round, version, revision, page, saved, store_id, invited_at, invited_until, done_on,"
    " key, request_hash, answer_id, outcome, paid FROM survey_participation"
)
_saved = msgspec.json.Decoder(tuple[Given, ...])
_outcome = msgspec.json.Decoder(Outcome)


def participation_of(row: db.Record) -> Participation:
    """A row of ``PARTICIPATION``."""
    fields = dict(row) | {
        "saved": _saved.decode(row["saved"]) if row["saved"] else (),
        "outcome": _outcome.decode(row["outcome"]) if row["outcome"] else None,
    }
    return Participation(**fields)


async def find_participation(survey_id: str, member_id: int) -> Participation | None:
    """How far this member is with the survey, in the last round; None: not begun and not invited by name."""
    row = await db.fetchrow(
        f"{PARTICIPATION} WHERE survey_id = $1 AND member_id = $2 ORDER BY round DESC LIMIT 1", survey_id, member_id
    )
    return participation_of(row) if row else None


async def find_done(survey_id: str, member_id: int, *, key: str | None = None) -> Participation | None:
    """The last round in which this member has answered, or the one whose answer was sent under that key; or None."""
    row = await db.fetchrow(
        f"{PARTICIPATION} WHERE survey_id = $1 AND member_id = $2 AND done_on IS NOT NULL"
        " AND ($3::text IS NULL OR key = $3) ORDER BY round DESC LIMIT 1",
        survey_id,
        member_id,
        key,
    )
    return participation_of(row) if row else None


async def list_participations(member_id: int, survey_ids: Sequence[str]) -> dict[str, Participation]:
    """How far this member is with these surveys, by survey, in the last round of each."""
    rows = await db.fetch(
        f"{PARTICIPATION} WHERE member_id = $1 AND survey_id = ANY($2) ORDER BY round", member_id, list(survey_ids)
    )
    return {row["survey_id"]: participation_of(row) for row in rows}


async def list_of_member(
    member_id: int, *, before: tuple[date, str] | None, limit: int
) -> list[tuple[str, Participation]]:
    """The surveys that a member has sent an answer to, with their titles, newest first; for the member alone.

    ``before`` is the day and the survey of the last one of the page before.
    """
    rows = await db.fetch(
        "SELECT p.survey_id, p.member_id, p.round, p.version, p.revision, p.page, p.saved, p.store_id, p.invited_at,"
        " p.invited_until, p.done_on, p.key, p.request_hash, p.answer_id, p.outcome, p.paid, s.title"
        " FROM survey_participation p JOIN survey s ON s.id = p.survey_id"
        " WHERE p.member_id = $1 AND p.done_on IS NOT NULL"
        " AND ($2::date IS NULL OR (p.done_on, p.survey_id) < ($2, $3))"
        " ORDER BY p.done_on DESC, p.survey_id DESC LIMIT $4",
        member_id,
        *(before or (None, None)),
        limit,
    )
    found = []
    for row in rows:
        fields = dict(row)
        title = fields.pop("title")
        fields |= {"saved": (), "outcome": _outcome.decode(row["outcome"]) if row["outcome"] else None}
        found.append((title, Participation(**fields)))
    return found


async def list_taken(member_id: int, limit: int) -> list[Taken]:
    """What a member answered under their name, newest first; that they answered anonymously is told to nobody."""
    rows = await db.fetch(
        "SELECT p.survey_id, s.title, p.done_on FROM survey_participation p JOIN survey s ON s.id = p.survey_id"
        " WHERE p.member_id = $1 AND p.done_on IS NOT NULL AND NOT s.anonymous"
        " ORDER BY p.done_on DESC, p.survey_id DESC LIMIT $2",
        member_id,
        limit,
    )
    return [Taken(row[0], row[1], row[2]) for row in rows]
