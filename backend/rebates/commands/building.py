"""What a run works out, some members at a time: statements, or only figures.

A member's row is held while their statement is made, and by whoever notes a purchase of theirs from before it is
written down until that is committed. So what was noted before is in the statement; what is noted afterwards sees the
run, and leaves a mark for the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial

import msgspec

from backend.kernel import clock, db, ids, logging
from backend.kernel.db import Tx
from backend.members import service as members

from ..queries import facts, runs, statements
from ..queries import schemes as scheme_queries
from ..queries.statements import Waiting
from ..rules import accrual, periods, settling
from ..types import PREFIX, Applied, Body, Correction, Figure, Part, Period, Piece, Run, RunKind, RunState

log = logging.get(__name__)

AT_ONCE = 200
"""Members in one transaction: their rows are held as long as it takes, and a sale's event waits for them."""

MOST_LINES = 500
"""Purchases that a part of a statement names."""

# Who was erased gave everything up, and is told nothing more.
_NEXT = "SELECT id FROM member WHERE id > $1 AND status NOT IN ('none', 'erased') ORDER BY id LIMIT $2"
_MEANT = """
SELECT w.id FROM unnest($1::bigint[]) AS w (id)
 WHERE EXISTS (SELECT FROM rebate_purchase p WHERE p.member_id = w.id AND p.day BETWEEN $3 AND $4)
    OR EXISTS (SELECT FROM rebate_purchase p WHERE p.owner_id = w.id AND p.day BETWEEN $3 AND $4)
    OR EXISTS (SELECT FROM rebate_late l WHERE l.member_id = w.id AND l.period = $2 AND l.first_on <= $3
                  AND l.run_id IS NULL)
    OR EXISTS (SELECT FROM rebate_statement s WHERE s.holder_id = w.id AND s.carried IS NOT NULL
                  AND s.carried_into IS NULL)
 ORDER BY 1"""


class Made(msgspec.Struct, frozen=True):
    """A statement that was worked out, and what it takes up."""

    member_id: int
    body: Body
    settled: settling.Settled
    late: Sequence[date]
    taken: Sequence[str]


async def step(tx: Tx, run: Run) -> None:
    """Work out the next members of a run, whose row the caller holds."""
    (row,) = await db.fetch_in(tx, "SELECT after, schemes FROM rebate_run WHERE id = $1", run.id)
    schemes = runs.applied.decode(row["schemes"])
    ids_ = [found["id"] for found in await db.fetch_in(tx, _NEXT, row["after"], AT_ONCE)]
    if run.kind is RunKind.STATEMENTS:
        figures, made = await _statements(tx, run, schemes, ids_)
    else:
        figures, made = await _figures(tx, run, schemes, ids_), []
    await _add_figures(tx, run.id, figures)
    over = len(ids_) < AT_ONCE
    ended = (RunState.DRAFT if run.kind is RunKind.STATEMENTS else RunState.DONE).value
    await db.raw(tx).execute(
        "UPDATE rebate_run SET after = $2, done = done + $3, total = greatest(total, done + $3),"
        " statements = statements + $4, amount_fen = amount_fen + $5, payout_fen = payout_fen + $6,"
        " to_pay = to_pay + $7, state = CASE WHEN $8 THEN $9 ELSE state END,"
        " ended_at = CASE WHEN $8 AND kind <> 'statements' THEN $10::timestamptz END WHERE id = $1",
        run.id,
        ids_[-1] if ids_ else row["after"],
        len(ids_),
        len(made),
        sum(one.fen + one.corrected_fen for one in figures),
        sum(one.settled.payout_fen for one in made),
        sum(1 for one in made if one.settled.paid),
        over,
        ended,
        clock.now(),
    )
    if over:
        log.info("rebates.run_built", run_id=run.id, kind=run.kind.value)


async def forget(tx: Tx, run_id: str) -> None:
    """Take everything back that a run's draft took up."""
    for sql in (
        "UPDATE rebate_late SET run_id = NULL WHERE run_id = $1",
        "UPDATE rebate_statement SET carried_into = NULL WHERE carried_into = $1",
        "DELETE FROM rebate_statement WHERE run_id = $1",
        "DELETE FROM rebate_figure WHERE run_id = $1",
    ):
        await db.raw(tx).execute(sql, run_id)


async def _figures(tx: Tx, run: Run, schemes: Sequence[Applied], member_ids: Sequence[int]) -> list[Figure]:
    known = await facts.accrue(partial(db.fetch_in, tx), schemes, member_ids, run.period.first, run.period.last)
    return [figure for parts in known.values() for figure in figures_of(parts)]


async def _statements(
    tx: Tx, run: Run, schemes: Sequence[Applied], member_ids: Sequence[int]
) -> tuple[list[Figure], list[Made]]:
    period = run.period
    await members.lock_held(tx, member_ids)  # before asking who is meant: what is being noted now is seen then
    meant = [
        row["id"]
        for row in await db.fetch_in(tx, _MEANT, list(member_ids), period.kind.value, period.first, period.last)
    ]
    if not meant:
        return [], []
    told = await statements.list_told(tx, meant, run.id)
    new = [one for one in meant if one not in told]
    fetch = partial(db.fetch_in, tx)
    known = await facts.accrue(fetch, schemes, new, period.first, period.last, most_lines=MOST_LINES)
    waiting = await statements.list_waiting(tx, meant, period, run.id)
    least = await scheme_queries.list_least(tx, period.last)
    made = []
    for member_id in meant:
        waits = waiting.get(member_id, Waiting([], []))
        corrections = await _corrections(tx, member_id, period, waits.late, told=member_id in told)
        one = statement(member_id, schemes, known.get(member_id, ()), waits, corrections, least)
        if one is not None:
            made.append(one)
    await _write(tx, run, made)
    await _take_up(tx, run.id, period, waiting, made)
    figures = [figure for one in made for figure in figures_of(one.body.parts, one.body.corrections)]
    return figures, made


def statement(
    member_id: int,
    schemes: Sequence[Applied],
    came_to: Sequence[Part],
    waits: Waiting,
    corrections: tuple[Correction, ...],
    least: Mapping[str, int],
) -> Made | None:
    """What a member's statement says; None where there is nothing to say. ``least`` is what ``settling.least_fen`` asks
    for."""
    parts = tuple(part for part in came_to if part.base_fen)
    if not parts and not corrections and not waits.carried:
        return None
    months = {scheme.id: scheme.terms.valid_months for scheme in schemes}
    brought = settling.add_up(*(pieces for _, pieces in waits.carried))
    own = settling.pieces_of(parts, months)
    pieces = settling.add_up(brought, *(one.pieces for one in corrections), own)
    settled = settling.settle(pieces, settling.least_fen(schemes, pieces, least))
    if not parts and not corrections and not settled.paid:
        return None  # what waits goes on waiting where it is
    body = Body(parts=parts, corrections=corrections, brought=brought, paid=settled.paid, costs=settled.costs)
    return Made(member_id, body, settled, waits.late, [statement_id for statement_id, _ in waits.carried])


async def _corrections(
    tx: Tx, member_id: int, period: Period, late: Sequence[date], *, told: bool
) -> tuple[Correction, ...]:
    """What closed periods that something reached should have given, less what they gave so far.

    ``told``: this run gave for the period already, to somebody who was merged into this member since. What both come
    to together, less that, is a correction of the period itself then.
    """
    firsts = [first for first in late if first < period.first] + ([period.first] if told else [])
    if not firsts:
        return ()
    by_first = await runs.schemes_of(tx, period.kind, firsts)
    given = await statements.list_given(tx, member_id, period.kind, min(firsts))
    found = []
    for first in firsts:
        then = periods.period_of(period.kind, first)
        schemes = by_first.get(first, ())
        known = await facts.accrue(partial(db.fetch_in, tx), schemes, [member_id], then.first, then.last)
        months = {scheme.id: scheme.terms.valid_months for scheme in schemes}
        now = settling.pieces_of(known[member_id], months)
        was = settling.given_for(first, given)
        pieces = settling.differ(now, was)
        if pieces:
            found.append(
                Correction(first=then.first, last=then.last, was_fen=_fen(was), now_fen=_fen(now), pieces=pieces)
            )
    return tuple(found)


def _fen(pieces: Iterable[Piece]) -> int:
    return sum(piece.fen for piece in pieces)


_WRITE = """
INSERT INTO rebate_statement (member_id, run_id, id, holder_id, period, first_on, last_on, amount_fen, corrected_fen,
                              brought_fen, payout_fen, carried_fen, carried, body, at)
SELECT w.member_id, $1, w.id, w.member_id, $2, $3, $4, w.amount, w.corrected, w.brought, w.payout, w.carried,
       w.pieces::jsonb, w.body::jsonb, $5
  FROM unnest($6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
              $13::text[], $14::text[])
       AS w (member_id, id, amount, corrected, brought, payout, carried, pieces, body)"""


async def _write(tx: Tx, run: Run, made: Sequence[Made]) -> None:
    if not made:
        return
    rows = [
        (
            one.member_id,
            PREFIX + ids.new_document_id("", one.member_id),
            sum(part.given_fen for part in one.body.parts),
            sum(_fen(correction.pieces) for correction in one.body.corrections),
            _fen(one.body.brought),
            one.settled.payout_fen,
            one.settled.carried_fen,
            _json(one.settled.carried) if one.settled.carried else None,
            _json(one.body),
        )
        for one in made
    ]
    period = run.period
    await db.raw(tx).execute(
        _WRITE, run.id, period.kind.value, period.first, period.last, clock.now(), *map(list, zip(*rows, strict=True))
    )


async def _take_up(tx: Tx, run_id: str, period: Period, waiting: Mapping[int, Waiting], made: Sequence[Made]) -> None:
    """What statements took up waits no longer, nor do marks that came to nothing."""
    late = [(member_id, first) for member_id, waits in waiting.items() for first in waits.late]
    if late:
        await db.raw(tx).execute(
            "UPDATE rebate_late l SET run_id = $1 FROM unnest($3::bigint[], $4::date[]) AS w (member_id, first_on)"
            " WHERE l.member_id = w.member_id AND l.period = $2 AND l.first_on = w.first_on",
            run_id,
            period.kind.value,
            [member_id for member_id, _ in late],
            [first for _, first in late],
        )
    taken = [statement_id for one in made for statement_id in one.taken]
    if taken:
        await db.raw(tx).execute("UPDATE rebate_statement SET carried_into = $1 WHERE id = ANY($2)", run_id, taken)


def figures_of(parts: Iterable[Part], corrections: Iterable[Correction] = ()) -> list[Figure]:
    """What a member adds to a run's figures; the member counts at the first store of each part."""
    found = []
    for part in parts:
        for place, (store_id, base) in enumerate(sorted(part.bases.items())):
            found.append(
                Figure(
                    scheme_id=part.scheme_id,
                    tier=part.tier,
                    store_id=store_id,
                    members=int(place == 0),
                    base_fen=base,
                    fen=part.stores.get(store_id, 0) if part.won else 0,
                    corrected_fen=0,
                )
            )
    for correction in corrections:
        found += [
            Figure(
                scheme_id=piece.scheme_id,
                tier=accrual.NONE,
                store_id=piece.store_id,
                members=0,
                base_fen=0,
                fen=0,
                corrected_fen=piece.fen,
            )
            for piece in correction.pieces
        ]
    return found


_ADD = """
INSERT INTO rebate_figure AS f (run_id, scheme_id, tier, store_id, members, base_fen, fen, corrected_fen)
SELECT $1, w.* FROM unnest($2::text[], $3::int[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[])
    AS w (scheme_id, tier, store_id, members, base_fen, fen, corrected_fen)
    ON CONFLICT (run_id, scheme_id, tier, store_id) DO UPDATE
   SET members = f.members + EXCLUDED.members, base_fen = f.base_fen + EXCLUDED.base_fen, fen = f.fen + EXCLUDED.fen,
       corrected_fen = f.corrected_fen + EXCLUDED.corrected_fen"""


async def _add_figures(tx: Tx, run_id: str, figures: Iterable[Figure]) -> None:
    sums: dict[tuple[str, int, str], list[int]] = {}
    for one in figures:
        held = sums.setdefault((one.scheme_id, one.tier, one.store_id), [0, 0, 0, 0])
        for place, more in enumerate((one.members, one.base_fen, one.fen, one.corrected_fen)):
            held[place] += more
    if sums:
        rows = [(*key, *values) for key, values in sorted(sums.items())]
        await db.raw(tx).execute(_ADD, run_id, *map(list, zip(*rows, strict=True)))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
