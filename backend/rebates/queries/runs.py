"""Runs and their figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.paging import Place

from ..types import Applied, Figure, Period, PeriodKind, Run, RunKind, RunState

RUN = """
SELECT id, kind, period, first_on, last_on, state, scheme_id, total, done, statements, amount_fen, payout_fen, to_pay,
       paid, paid_fen, refused, approval_id, staff_id, closed_by, created_at, ended_at FROM rebate_run"""
applied = msgspec.json.Decoder(tuple[Applied, ...])


def run_of(row: db.Record) -> Run:
    """A run from its row."""
    fields = {name: row[name] for name in Run.__struct_fields__ if name != "period"}
    fields |= {"kind": RunKind(row["kind"]), "state": RunState(row["state"])}
    return Run(**fields, period=Period(PeriodKind(row["period"]), row["first_on"], row["last_on"]))


async def find_run(run_id: str) -> Run | None:
    """A run, or None."""
    row = await db.fetchrow(f"{RUN} WHERE id = $1", run_id)
    return run_of(row) if row else None


async def find_of_period(kind: PeriodKind, first: date) -> Run | None:
    """The run with a period's statements, or None."""
    row = await db.fetchrow(
        f"{RUN} WHERE kind = 'statements' AND state <> 'cancelled' AND period = $1 AND first_on = $2", kind.value, first
    )
    return run_of(row) if row else None


async def list_runs(kind: RunKind | None, scheme_id: str | None, after: Place | None, limit: int) -> list[Run]:
    """Runs of a kind or of a scheme, or all, newest first, from behind a place in the list."""
    at, run_id = after or (None, "")
    rows = await db.fetch(
        f"{RUN} WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR scheme_id = $2)"
        " AND ($3::timestamptz IS NULL OR created_at < $3 OR (created_at = $3 AND id > $4))"
        " ORDER BY created_at DESC, id LIMIT $5",
        kind.value if kind else None,
        scheme_id,
        at,
        run_id,
        limit,
    )
    return [run_of(row) for row in rows]


async def schemes_of(tx: Tx, period: PeriodKind, firsts: Sequence[date]) -> dict[date, tuple[Applied, ...]]:
    """The schemes by which the statements of these periods were made, by first day."""
    rows = await db.fetch_in(
        tx,
        "SELECT first_on, schemes FROM rebate_run WHERE kind = 'statements' AND state <> 'cancelled' AND period = $1"
        " AND first_on = ANY($2::date[])",
        period.value,
        list(firsts),
    )
    return {row["first_on"]: applied.decode(row["schemes"]) for row in rows}


async def list_figures(run_ids: Sequence[str]) -> dict[str, list[Figure]]:
    """What runs came to, by run."""
    rows = await db.fetch(
        "SELECT run_id, scheme_id, tier, store_id, members, base_fen, fen, corrected_fen FROM rebate_figure"
        " WHERE run_id = ANY($1) ORDER BY run_id, scheme_id, tier, store_id",
        list(run_ids),
    )
    found: dict[str, list[Figure]] = {run_id: [] for run_id in run_ids}
    for row in rows:
        fields = dict(row)
        found[fields.pop("run_id")].append(Figure(**fields))
    return found
