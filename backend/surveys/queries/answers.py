"""Answers one by one: newest first; of an anonymous survey in the order of their random ids, which says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from backend.kernel import db
from backend.kernel.db import Record
from backend.members import queries as members

from ..types import Given, Medium, Outcome, Survey

_given = msgspec.json.Decoder(tuple[Given, ...])
_outcome = msgspec.json.Decoder(Outcome)

Place = tuple[datetime | None, int]
"""The instant (None: anonymous) and the id of the last answer of a page."""


class AnswerRow(NamedTuple):
    """An answer as it is stored, with whose it is."""

    id: int
    version: int
    member_no: str | None
    at: datetime | None
    store_id: str | None
    level: str | None
    medium: Medium
    entered_by: int | None
    score: int | None
    given: tuple[Given, ...]
    outcome: Outcome | None
    paid: bool | None


# An anonymous answer is in no participation: what it was given stands with the member alone.
_ANSWERS = (
    "SELECT a.id, a.version, a.member_id, a.at, a.store_id, a.level, a.medium, a.entered_by, a.score, a.given,"
    " p.outcome, p.paid FROM survey_answer a LEFT JOIN survey_participation p"
    " ON p.survey_id = a.survey_id AND p.member_id = a.member_id AND p.round = a.round WHERE a.survey_id = $1"
    " AND ($2::int IS NULL OR a.version = $2)"
    " AND ($3::text IS NULL OR a.medium = $3) AND ($4::text IS NULL OR a.store_id = $4)"
)
_NAMED = f"{_ANSWERS} AND ($5::timestamptz IS NULL OR (a.at, a.id) < ($5, $6)) ORDER BY a.at DESC, a.id DESC LIMIT $7"
_NAMELESS = f"{_ANSWERS} AND $5::timestamptz IS NULL AND ($6::bigint IS NULL OR a.id > $6) ORDER BY a.id LIMIT $7"


async def list_answers(
    survey: Survey, *, version: int | None, medium: Medium | None, store_id: str | None, after: Place | None, limit: int
) -> list[AnswerRow]:
    """A page of a survey's answers, of that version, medium and store or of any."""
    rows = await db.fetch(
        _NAMELESS if survey.terms.anonymous else _NAMED,
        survey.id,
        version,
        medium.value if medium else None,
        store_id,
        *(after or (None, None)),
        limit,
    )
    return await _with_numbers(rows, survey)


async def _with_numbers(rows: Sequence[Record], survey: Survey) -> list[AnswerRow]:
    anonymous = survey.terms.anonymous
    numbers = await members.list_numbers([row["member_id"] for row in rows if row["member_id"] is not None])
    return [
        AnswerRow(
            row["id"],
            row["version"],
            numbers.get(row["member_id"]),
            row["at"],
            None if anonymous else row["store_id"],
            None if anonymous else row["level"],
            Medium(row["medium"]),
            row["entered_by"],
            row["score"],
            _given.decode(row["given"]),
            _outcome.decode(row["outcome"]) if row["outcome"] else None,
            row["paid"],
        )
        for row in rows
    ]
