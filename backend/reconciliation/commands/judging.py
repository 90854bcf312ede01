"""Put our side beside theirs, and keep a difference for each item whose sides do not agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from backend.kernel import db, ids
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.ledger.types import Document
from backend.orders import service as orders
from backend.wallet import queries as wallet

from .. import rules
from ..queries.differences import DIFFERENCE, difference_of
from ..types import Action, Difference, Side, State, What

AT_ONCE = 500
LOOK_BACK_DAYS = 60
"""For how long an item is looked at again that lacks a side or differs: a refund may be given weeks after its sale."""


async def documents_of(numbers: Iterable[str]) -> list[Document]:
    """Our documents behind numbers of WeChat's bills; what is no number of ours has none."""
    keys = set()
    for number in numbers:
        document_id = number[: ids.DOCUMENT_ID_LENGTH]  # the refund of a late payment has a letter more
        member_id = ids.member_of(document_id, document_id[:1])
        if member_id is not None:
            keys.add((member_id, document_id))
    return list((await ledger.find_documents(sorted(keys))).values())


_OURS = """
INSERT INTO reconciliation_item AS i (kind, number, day, member_id, document_id, source, store_id, ours_fen, ours_at,
                                      ours_done_at, ours_transaction)
SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                     $9::timestamptz[], $10::timestamptz[], $11::text[])
 ORDER BY 1, 2
    ON CONFLICT (kind, number) DO UPDATE
       SET member_id = EXCLUDED.member_id, document_id = EXCLUDED.document_id, source = EXCLUDED.source,
           store_id = EXCLUDED.store_id, ours_fen = EXCLUDED.ours_fen, ours_at = coalesce(i.ours_at, EXCLUDED.ours_at),
           ours_done_at = EXCLUDED.ours_done_at, ours_transaction = EXCLUDED.ours_transaction"""


async def keep_ours(tx: Tx, documents: Iterable[Document]) -> None:
    """Keep our side of everything that these documents say."""
    documents = list({document.id: document for document in documents}.values())
    moves = await wallet.list_psp_movements(documents)
    moves += [(document, move) for document in documents for move in orders.psp_movements(document)]
    found = sorted(moves, key=lambda one: (one[1].kind, one[1].number))
    if not found:
        return
    await db.raw(tx).execute(
        _OURS,
        [move.kind.value for _, move in found],
        [move.number for _, move in found],
        [rules.day_of(move.done_at or move.since) for _, move in found],
        [document.member_id for document, _ in found],
        [document.id for document, _ in found],
        [move.source for _, move in found],
        [document.store_id for document, _ in found],
        [move.fen for _, move in found],
        [move.since for _, move in found],
        [move.done_at for _, move in found],
        [move.transaction_id for _, move in found],
    )


_ITEMS = """
SELECT kind, number, day, store_id, document_id, theirs_fen, theirs_failed, transaction_id, ours_fen, ours_at,
       ours_done_at, ours_transaction, difference FROM reconciliation_item
 WHERE {which} AND (kind, number) > ($1, $2) ORDER BY kind, number LIMIT $3"""
_OF_DAY = "day = $4"
_ONLY_OURS = "theirs_fen IS NULL AND day BETWEEN $4 AND $5"
_DIFFERS = "difference IS NOT NULL AND day BETWEEN $4 AND $5"


async def judge_day(day: date, now: datetime) -> int:
    """Judge a day's items, and those of before that lack a side or differ; returns how many of the day's differ."""
    first = day - timedelta(days=LOOK_BACK_DAYS)
    covered = await _covered()
    found = await _judge(_OF_DAY, (day,), covered, now, again=False)
    await _judge(_ONLY_OURS, (first, day), covered, now, again=True)
    await _judge(_DIFFERS, (first, day), covered, now, again=True)
    return found


_COVERED = """
WITH gap AS (
    SELECT max(day) AS day FROM reconciliation_bill
     WHERE state = 'waiting' AND day < (SELECT max(day) FROM reconciliation_bill WHERE state <> 'waiting')
)
SELECT min(b.day) AS first, max(b.day) AS last FROM reconciliation_bill b, gap
 WHERE b.state <> 'waiting' AND (gap.day IS NULL OR b.day > gap.day)"""


async def _covered() -> rules.Covered | None:
    """The last days whose bills are there without a gap; None where there are none."""
    row = await db.fetchrow(_COVERED)
    return rules.Covered(row["first"], row["last"]) if row and row["first"] else None


async def _judge(
    which: str, days: tuple[date, ...], covered: rules.Covered | None, now: datetime, *, again: bool
) -> int:
    """Judge a selection of items, page by page, each in a transaction of its own; ``again``: ask our documents anew."""
    after, differing = ("", ""), 0
    sql = _ITEMS.format(which=which)
    while True:
        if again:
            await _ask_anew(await db.fetch(sql, *after, AT_ONCE, *days))
        async with db.transaction() as tx:
            rows = await db.fetch_in(tx, f"{sql} FOR UPDATE", *after, AT_ONCE, *days)
            judged = [(row, _what(row, covered)) for row in rows]
            await _write(tx, judged, now)
        differing += sum(what is not None for _, what in judged)
        if len(rows) < AT_ONCE:
            return differing
        after = rows[-1]["kind"], rows[-1]["number"]


async def _ask_anew(rows: Sequence[db.Record]) -> None:
    """Keep what our documents say now, which may be of other items too: so before any item is locked."""
    if not rows:
        return
    documents = await documents_of(row["document_id"] or row["number"] for row in rows)
    async with db.transaction() as tx:
        await keep_ours(tx, documents)


def _what(row: db.Record, covered: rules.Covered | None) -> What | None:
    theirs = None
    if row["theirs_fen"] is not None:
        theirs = Side(row["theirs_fen"], row["transaction_id"], failed=row["theirs_failed"])
    ours = None
    if row["ours_fen"] is not None:
        ours = Side(row["ours_fen"], row["ours_transaction"])
    missing = ours is not None and rules.must_be_there(row["ours_at"], row["ours_done_at"], covered)
    return rules.judge(theirs, ours, must_be_there=missing)


_MARK = """
UPDATE reconciliation_item i SET difference = w.what
  FROM unnest($1::text[], $2::text[], $3::text[]) AS w (kind, number, what)
 WHERE i.kind = w.kind AND i.number = w.number AND i.difference IS DISTINCT FROM w.what"""
_LAST = f"""
SELECT DISTINCT ON (d.kind, d.number) d.* FROM ({DIFFERENCE}) d
  JOIN unnest($1::text[], $2::text[]) AS w (kind, number) USING (kind, number)
 ORDER BY d.kind, d.number, d.found_at DESC, d.version DESC"""  # noqa: S608 - put together of constants


async def _write(tx: Tx, judged: Sequence[tuple[db.Record, What | None]], now: datetime) -> None:
    """Mark the items, and bring their differences to what was found. The items are locked, so nobody else does."""
    touched = [(row, what) for row, what in judged if what is not None or row["difference"] is not None]
    if not touched:
        return
    keys = [[row[name] for row, _ in touched] for name in ("kind", "number")]
    await db.raw(tx).execute(_MARK, *keys, [what.value if what else None for _, what in touched])
    last = {(row["kind"], row["number"]): difference_of(row) for row in await db.fetch_in(tx, _LAST, *keys)}
    for row, what in touched:
        before = last.get((row["kind"], row["number"]))
        waiting = before is not None and before.state in (State.OPEN, State.WORKING)
        if what is None:
            if before is not None and waiting:
                await _gone(tx, before, now)
        elif before is None or before.state is State.GONE or not _same(before, row, what):
            await _found(tx, row, what, before if waiting else None, now)


def _same(before: Difference, row: db.Record, what: What) -> bool:
    return (before.what, before.theirs_fen, before.ours_fen) == (what, row["theirs_fen"], row["ours_fen"])


_STEP = (
    "INSERT INTO reconciliation_step (difference_id, version, action, staff_id, note, at) VALUES ($1,$2,$3,$4,$5,$6)"
)


async def add_step(
    tx: Tx,
    difference_id: str,
    version: int,
    action: Action,
    *,
    at: datetime,
    staff_id: int | None = None,
    note: str = "",
) -> None:
    """Write down what happened to a difference; nothing of it is ever changed."""
    await db.raw(tx).execute(_STEP, difference_id, version, action.value, staff_id, note, at)


async def _found(tx: Tx, row: db.Record, what: What, waiting: Difference | None, now: datetime) -> None:
    """A new difference, or another one than the waiting one tells of."""
    if waiting is not None:
        await db.raw(tx).execute(
            "UPDATE reconciliation_difference SET what = $2, day = $3, theirs_fen = $4, ours_fen = $5,"
            " version = version + 1 WHERE id = $1",
            *(waiting.id, what.value, row["day"], row["theirs_fen"], row["ours_fen"]),
        )
        await add_step(tx, waiting.id, waiting.version + 1, Action.FOUND, at=now)
        return
    difference_id = ids.new_short("B")
    await db.raw(tx).execute(
        "INSERT INTO reconciliation_difference (id, kind, number, what, day, store_id, theirs_fen, ours_fen, state,"
        " found_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, 1)",
        *(difference_id, row["kind"], row["number"], what.value, row["day"], row["store_id"]),
        *(row["theirs_fen"], row["ours_fen"], now),
    )
    await add_step(tx, difference_id, 1, Action.FOUND, at=now)


async def _gone(tx: Tx, waiting: Difference, now: datetime) -> None:
    moved = await db.fetch_in(
        tx,
        "UPDATE reconciliation_difference SET state = 'gone', ended_at = $2, version = version + 1"
        " WHERE id = $1 AND state IN ('open', 'working') RETURNING version",
        waiting.id,
        now,
    )
    if moved:
        await add_step(tx, waiting.id, moved[0]["version"], Action.GONE, at=now)
