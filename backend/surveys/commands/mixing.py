"""Anonymous answers are mixed each night, so that no row says by its place or its transaction whose it is.

A row keeps the number of the transaction that wrote it: an answer's is that of its member's participation. So the
answers of the week are taken out and put back in one transaction, in a random order, and so is what was said to each
question; then the database says of them no more than the week.
"""

from __future__ import annotations

from datetime import date

from backend.kernel import clock, db

from .. import locks, service

_TABLES = {
    "survey_answer": (
        *("survey_id", "id", "version", "member_id", '"on"', "at", "store_id", "level", "medium", "entered_by"),
        *("entry_key", "request_hash", "given", "score", "round"),
    ),
    "survey_choice": (
        *("survey_id", "question", '"row"', "choice", "answer_id", "number", "version", "store_id", "level", '"on"'),
    ),
    "survey_photo": ("id", "survey_id", '"on"', "used", "kind", "large", "small"),
}


SENT_BEFORE_DAYS = 21
"""A photo's week is that in which it was sent: it waits for its answer two weeks at most."""

MOST_S = 600
"""For one table, or one question of it: a hundred thousand rows take some seconds, and nobody waits for them."""


async def mix() -> int:
    """Mix what was answered anonymously since the last time, with the rest of its week; how many answers it were."""
    mixed = 0
    for row in await db.fetch("SELECT id, mixed_at FROM survey WHERE anonymous AND version > 0 ORDER BY id"):
        since = service.week_of(service.today(row["mixed_at"])) if row["mixed_at"] else date.min
        newest = await db.fetchval('SELECT max("on") FROM survey_answer WHERE survey_id = $1', row["id"])
        if newest is not None and newest >= since:
            mixed += await _mix(row["id"], since)
    return mixed


async def _mix(survey_id: str, since: date) -> int:
    """Answers first, then what was said to one question after the other, each in a transaction of its own."""
    mixed = await _put_back("survey_answer", survey_id, since)
    for row in await db.fetch(_QUESTIONS, survey_id):
        await _put_back("survey_choice", survey_id, since, " AND question = $3", row["question"])
    sent = date.fromordinal(max(since.toordinal() - SENT_BEFORE_DAYS, 1))
    await _put_back("survey_photo", survey_id, sent, " AND used")  # what is not, its member may use this moment
    async with db.transaction() as tx:
        await db.raw(tx).execute(locks.WITHIN)
        await db.raw(tx).execute("UPDATE survey SET mixed_at = $2 WHERE id = $1", survey_id, clock.now())
    return mixed


_QUESTIONS = """
WITH RECURSIVE q (question) AS (
    (SELECT question FROM survey_choice WHERE survey_id = $1 ORDER BY question LIMIT 1)
    UNION ALL
    SELECT (SELECT c.question FROM survey_choice c WHERE c.survey_id = $1 AND c.question > q.question
             ORDER BY c.question LIMIT 1) FROM q WHERE q.question IS NOT NULL
) SELECT question FROM q WHERE question IS NOT NULL"""


async def _put_back(table: str, survey_id: str, since: date, narrowed: str = "", *arguments: str) -> int:
    names = ", ".join(_TABLES[table])
    sql = (
        f'WITH taken AS (DELETE FROM {table} WHERE survey_id = $1 AND "on" >= $2{narrowed} RETURNING {names}),'  # noqa: S608 - ours
        f" put AS (INSERT INTO {table} ({names}) SELECT {names} FROM taken ORDER BY random() RETURNING 1)"
        " SELECT count(*) FROM put"
    )
    async with db.transaction() as tx:
        await db.raw(tx).execute(locks.WITHIN)
        # Not the survey's row, for whose end everybody who answers would wait: only another one that mixes.
        await db.raw(tx).execute("SELECT pg_advisory_xact_lock(hashtextextended('survey mix ' || $1, 0))", survey_id)
        return int(await db.raw(tx).fetchval(sql, survey_id, since, *arguments, timeout=MOST_S))
