"""A table of members is read: each row judged, the good ones kept sealed, with what is wrong with the others.

One job reads a table at a time. Whoever begins anew (after a crash, or because the first was thought dead) takes the
*turn*; whoever had it before, or reads what was cancelled meanwhile, keeps nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice

import msgspec

from backend.auth import queries as auth
from backend.kernel import clock, db, incoming
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.vault import vault
from backend.membercards import service as membercards
from backend.members import queries as members
from backend.privacy import queries as privacy

from .. import service
from ..queries import imports as queries
from ..rules import rows as rules
from ..rules.rows import Flaw, NewRow
from ..types import Import

READ_AT_ONCE = 1_000
MOST_TURNS = 10
"""How often a table is begun to be read: one whose reading always dies is refused."""

_TURN = """
UPDATE registration_import SET state = 'reading', turn = turn + 1, updated_at = $2
 WHERE id = $1 AND state IN ('waiting', 'reading') RETURNING turn, body"""
_HOLD = """
UPDATE registration_import SET updated_at = $3 WHERE id = $1 AND state = 'reading' AND turn = $2 RETURNING 1"""
_INSERT_FLAWS = """
INSERT INTO registration_import_flaw (import_id, row_no, field, message)
SELECT $1::text, * FROM unnest($2::int[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING"""
# The first row that names a phone or a card keeps it.
_PHONE_TWICE = """
INSERT INTO registration_import_flaw (import_id, row_no, field, message)
SELECT $1::text, row_no, 'phone', 'is in row ' || first || ' already' FROM (
    SELECT row_no, min(row_no) OVER (PARTITION BY phone_index) AS first FROM registration_import_row
     WHERE import_id = $1::text) r
 WHERE row_no > first ON CONFLICT DO NOTHING"""
_CARD_TWICE = """
INSERT INTO registration_import_flaw (import_id, row_no, field, message)
SELECT $1::text, row_no, 'card_no', 'is in row ' || first || ' already' FROM (
    SELECT row_no, min(row_no) OVER (PARTITION BY card_no) AS first FROM registration_import_row
     WHERE import_id = $1::text AND card_no IS NOT NULL) r
 WHERE row_no > first ON CONFLICT DO NOTHING"""
_DROP_BAD = """
DELETE FROM registration_import_row r WHERE r.import_id = $1 AND EXISTS (
    SELECT FROM registration_import_flaw f WHERE f.import_id = r.import_id AND f.row_no = r.row_no)"""
_READ = """
UPDATE registration_import i
   SET state = 'checked', body = NULL, total = $2, good = r.good, points = r.points, principal_fen = r.principal_fen,
       bonus_fen = r.bonus_fen, updated_at = $3,
       bad = (SELECT count(DISTINCT row_no) FROM registration_import_flaw WHERE import_id = $1)
  FROM (SELECT count(*) AS good, coalesce(sum(points), 0) AS points, coalesce(sum(principal_fen), 0) AS principal_fen,
               coalesce(sum(bonus_fen), 0) AS bonus_fen
          FROM registration_import_row WHERE import_id = $1) r
 WHERE i.id = $1
RETURNING i.id, title, kind, skip_bad, dry_run, state, total, i.good, bad, done, made, i.points, i.principal_fen,
          i.bonus_fen, staff_id, approval_id, failed_row, failure, created_at, updated_at, ended_at"""


class TurnLost(Exception):
    """Somebody else reads this table, or it was cancelled: what this one read is dropped."""


class Reading(msgspec.Struct, frozen=True):
    """A table that is being read, in the turn that whoever reads it has."""

    import_id: str
    kind: str
    turn: int


async def read(found: Import) -> tuple[Reading, int]:
    """Keep the good rows and what is wrong with the others, and how many there were; ``TurnLost``."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, _TURN, found.id, clock.now())
        if not rows:
            raise TurnLost
        for table in ("registration_import_row", "registration_import_flaw"):
            await db.raw(tx).execute(f"DELETE FROM {table} WHERE import_id = $1", found.id)  # noqa: S608 - constants
    reading = Reading(found.id, found.kind, rows[0]["turn"])
    if reading.turn > MOST_TURNS:
        await _keep(reading, [], [Flaw(1, "", "the table could not be read to its end")])
        return reading, 0
    try:
        return reading, await _read_rows(reading, rows[0]["body"])
    except incoming.NotATable as error:
        await _keep(reading, [], [Flaw(1, "", f"the table {error}")])
        return reading, 0


async def finish(tx: Tx, reading: Reading, total: int) -> Import:
    """Look at what only one row may have, drop what is bad, and count: the import as it is checked. ``TurnLost``."""
    await _hold(tx, reading)
    for sql in (_PHONE_TWICE, _CARD_TWICE, _DROP_BAD):
        await db.raw(tx).execute(sql, reading.import_id)
    rows = await db.fetch_in(tx, _READ, reading.import_id, total, clock.now())
    return queries.import_of(rows[0])


async def _hold(tx: Tx, reading: Reading) -> None:
    """Lock the import first, as whoever cancels it or takes the turn does."""
    if not await db.fetch_in(tx, _HOLD, reading.import_id, reading.turn, clock.now()):
        raise TurnLost


async def _read_rows(reading: Reading, data: bytes) -> int:
    """Judge each row for itself; returns how many there were."""
    known = rules.Known(
        levels=set(await members.levels()),
        stores={store.id for store in await auth.list_stores()},
        today=service.today(),
        most_stored_fen=settings().stored_limit_fen,
        purposes={name: one.code for one in await privacy.list_purposes() for name in (one.title, one.code)},
    )
    rows_of = incoming.rows_of_csv if reading.kind == "csv" else incoming.rows_of_xlsx
    rows = rows_of(data, most=incoming.MOST_IMPORT_ROWS)
    heading = await asyncio.to_thread(next, rows, None)
    columns, flaws = rules.read_heading(heading or [])
    total = 0
    if flaws:
        await _keep(reading, [], flaws)
        return 0
    numbered = enumerate(rows, 2)
    while piece := await asyncio.to_thread(list, islice(numbered, READ_AT_ONCE)):
        judged = await asyncio.to_thread(_judge, piece, columns, known)
        total += len(judged)
        await _keep(
            reading,
            [one for one in judged if isinstance(one, NewRow)],
            [flaw for one in judged if not isinstance(one, NewRow) for flaw in one],
        )
    if not total:
        await _keep(reading, [], [Flaw(1, "", "the table has no rows below its heading")])
    return total


def _judge(
    piece: Sequence[tuple[int, list[str]]], columns: Sequence[str], known: rules.Known
) -> list[NewRow | list[Flaw]]:
    return [rules.read_row(number, columns, cells, known) for number, cells in piece if cells]


async def _keep(reading: Reading, rows: Sequence[NewRow], flaws: Sequence[Flaw]) -> None:
    """Keep rows, sealed, and flaws; whose phone a member has already, or whose card, is a flaw too."""
    indexes = [members.phone_index(row.phone) for row in rows]
    taken = await members.list_by_phone_index(indexes) if rows else {}
    closed = await membercards.adopt_obstacles([row.card_no for row in rows if row.card_no])
    told = list(flaws)
    for row, index in zip(rows, indexes, strict=True):
        if index in taken:
            told.append(Flaw(row.row, "phone", "a member has this phone already"))
        if row.card_no in closed:
            told.append(Flaw(row.row, "card_no", f"cannot be given out: {closed[row.card_no]}"))
    async with db.transaction() as tx:
        await _hold(tx, reading)
        await db.raw(tx).copy_records_to_table(
            "registration_import_row",
            columns=[
                *("import_id", "row_no", "phone_index", "card_no", "points", "principal_fen", "bonus_fen", "sealed"),
            ],
            records=[
                (
                    *(reading.import_id, row.row, index, row.card_no, row.points, row.principal_fen, row.bonus_fen),
                    _sealed(row),
                )
                for row, index in zip(rows, indexes, strict=True)
            ],
        )
        if told:
            columns = map(list, zip(*((one.row, one.field, one.message) for one in told), strict=True))
            await db.raw(tx).execute(_INSERT_FLAWS, reading.import_id, *columns)


def _sealed(row: NewRow) -> str:
    return vault().seal(msgspec.json.encode(row), context=queries.ROW_CONTEXT)
