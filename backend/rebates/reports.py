"""The chain's report of rebates: what periods came to, and what became of what was paid, by the store that bears it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from backend.kernel import charts, db, windows
from backend.kernel.cells import text_cell
from backend.kernel.errors import invalid

from .queries import schemes
from .rules import periods
from .types import Period, PeriodKind

MOST_DAYS = 1100
MOST_ROWS = 20_000


class Row(msgspec.Struct, kw_only=True):
    """What a scheme came to in a period at a store, and what became of it; in fen.

    ``state``: ``estimate`` (counted so far), or the run's. ``accrued_fen`` is by the purchases, ``corrected_fen`` what
    reached earlier periods later; ``used_fen`` is less what refunds gave back; ``left_fen`` can still be spent.
    """

    period: PeriodKind
    first_on: date
    last_on: date
    title: str
    state: str
    scheme_id: str
    scheme: str
    store_id: str
    base_fen: int = 0
    accrued_fen: int = 0
    corrected_fen: int = 0
    paid_fen: int = 0
    used_fen: int = 0
    expired_fen: int = 0
    left_fen: int = 0


class Use(msgspec.Struct):
    """What was used at one store of what another bears (or the same)."""

    store_id: str
    at_store_id: str
    used_fen: int


class Report(msgspec.Struct):
    """By period, scheme and the store that bears it; and what stores used of each other's."""

    items: list[Row]
    uses: list[Use]


# Of a period with statements their run counts, of another one the last estimate.
_RUNS = """
SELECT DISTINCT ON (period, first_on) id, period, first_on, last_on, CASE kind WHEN 'estimate' THEN kind ELSE state END
  AS state
  FROM rebate_run
 WHERE kind <> 'simulation' AND state NOT IN ('cancelled', 'building') AND first_on BETWEEN $1 AND $2
   AND ($3::text IS NULL OR period = $3)
 ORDER BY period, first_on, kind = 'estimate', created_at DESC"""
_FIGURES = """
SELECT run_id, scheme_id, store_id, sum(base_fen)::bigint AS base, sum(fen)::bigint AS fen,
       sum(corrected_fen)::bigint AS corrected
  FROM rebate_figure WHERE run_id = ANY($1) AND ($2::text IS NULL OR store_id = $2)
   AND ($3::text IS NULL OR scheme_id = $3) GROUP BY 1, 2, 3 LIMIT $4"""
_FLOWS = """
SELECT run_id, scheme_id, store_id, sum(paid_fen)::bigint AS paid, sum(used_fen)::bigint AS used,
       sum(expired_fen)::bigint AS expired, sum(other_fen)::bigint AS other
  FROM rebate_flow WHERE run_id = ANY($1) AND ($2::text IS NULL OR store_id = $2)
   AND ($3::text IS NULL OR scheme_id = $3) GROUP BY 1, 2, 3 LIMIT $4"""
_USES = """
SELECT store_id, at_store_id, sum(used_fen)::bigint AS used FROM rebate_flow
 WHERE run_id = ANY($1) AND ($2::text IS NULL OR store_id = $2 OR at_store_id = $2)
   AND ($3::text IS NULL OR scheme_id = $3) GROUP BY 1, 2 HAVING sum(used_fen) <> 0 ORDER BY 1, 2 LIMIT $4"""


async def read(
    first: date, last: date, *, kind: PeriodKind | None, store_id: str | None, scheme_id: str | None
) -> Report:
    """Periods that begin in these days; of one store what it bears."""
    windows.check_days(first, last, most=MOST_DAYS)
    runs = {row["id"]: row for row in await db.fetch(_RUNS, first, last, kind.value if kind else None)}
    asked = (list(runs), store_id, scheme_id, MOST_ROWS + 1)
    figures, flows, uses = [await db.fetch(sql, *asked) for sql in (_FIGURES, _FLOWS, _USES)]
    if max(len(figures), len(flows), len(uses)) > MOST_ROWS:
        raise invalid("/query/from", f"these periods have more than {MOST_ROWS:,} rows; ask for fewer, or for a store")
    titles = await schemes.list_titles(sorted({row["scheme_id"] for row in (*figures, *flows)}))
    rows: dict[tuple[str, str, str], Row] = {}
    for row in figures:
        one = _row(rows, runs, titles, row)
        one.base_fen, one.accrued_fen, one.corrected_fen = row["base"], row["fen"], row["corrected"]
    for row in flows:
        one = _row(rows, runs, titles, row)
        one.paid_fen, one.used_fen, one.expired_fen = row["paid"], row["used"], row["expired"]
        one.left_fen = row["paid"] - row["used"] - row["expired"] + row["other"]
    found = sorted(rows.values(), key=lambda one: (one.first_on, one.period, one.scheme_id, one.store_id))
    return Report(found, [Use(*row) for row in uses])


def _row(
    rows: dict[tuple[str, str, str], Row], runs: dict[str, db.Record], titles: dict[str, str], row: db.Record
) -> Row:
    key = (row["run_id"], row["scheme_id"], row["store_id"])
    if key not in rows:
        run = runs[row["run_id"]]
        period = Period(PeriodKind(run["period"]), run["first_on"], run["last_on"])
        rows[key] = Row(
            period=period.kind,
            first_on=period.first,
            last_on=period.last,
            title=periods.title(period),
            state=run["state"],
            scheme_id=row["scheme_id"],
            scheme=titles.get(row["scheme_id"], row["scheme_id"]),
            store_id=row["store_id"],
        )
    return rows[key]


HEADING = (
    *("期间", "开始", "结束", "状态", "方案", "承担门店", "计返金额（分）", "应返（分）", "更正（分）"),
    *("已发放（分）", "已使用（分）", "已过期（分）", "未使用（分）"),
)


def table(rows: Iterable[Row]) -> list[tuple[str | int | None, ...]]:
    """The rows of a file."""
    return [
        (
            one.title,
            one.first_on.isoformat(),
            one.last_on.isoformat(),
            one.state,
            text_cell(one.scheme),
            text_cell(one.store_id),
            one.base_fen,
            one.accrued_fen,
            one.corrected_fen,
            one.paid_fen,
            one.used_fen,
            one.expired_fen,
            one.left_fen,
        )
        for one in rows
    ]


NAMES = ("已使用", "已过期", "未使用", "未发放")
MOST_BARS = 36


def chart(report: Report, subtitle: str) -> charts.Stacks:
    """By period: what of it is used, expired, left, and not paid yet; in yuan, rounded."""
    sums: dict[tuple[date, str], list[int]] = {}
    for one in report.items:
        held = sums.setdefault((one.first_on, one.title), [0, 0, 0, 0])
        unpaid = max(0, one.accrued_fen + one.corrected_fen - one.paid_fen)
        for place, fen in enumerate((one.used_fen, one.expired_fen, one.left_fen, unpaid)):
            held[place] += max(0, fen)
    lines = [(key[1], [round(fen / 100) for fen in held]) for key, held in sorted(sums.items())]
    return charts.Stacks("返利的去向", subtitle, "元", NAMES, lines[-MOST_BARS:])
