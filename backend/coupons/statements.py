"""What coupons did in a range of days, by the books, or as they were counted when the day was over (``commands.days``).

Numbers of pieces come from the house accounts' entries, amounts and who bears them from the documents of the transfers
that booked a cost: those keep each coupon with its template, which the accounts of the parties do not tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from backend.kernel import clock, db
from backend.ledger.plans import (
    HOUSE_COUPON_COST,
    HOUSE_COUPONS_EXPIRED,
    HOUSE_COUPONS_ISSUED,
    HOUSE_COUPONS_USED,
    HOUSE_COUPONS_VOIDED,
)


class By(StrEnum):
    """What a line of a statement is about; a party's lines are one for each template."""

    TEMPLATE = "template"
    STORE = "store"
    PARTY = "party"


class Line(msgspec.Struct, kw_only=True):
    """What was booked for one key; amounts in fen.

    ``used`` and ``returned`` are pieces, or fen of a value coupon, as ``unit`` says; ``taken_fen`` is what came off
    sales and ``refunded_fen`` what refunds took back of it; ``cost`` is the difference by who bears it.

    Of the sales' ``lines`` those count whose cost was known then (not so ``lines_unknown``): ``known_fen`` is what they
    cost before coupons, ``goods_fen`` what their goods cost the chain, ``eased_fen`` what coupons took of them.
    """

    template_id: str | None = None
    unit: str | None = None
    store_id: str | None = None
    party: str | None = None
    issued: int = 0
    used: int = 0
    returned: int = 0
    expired: int = 0
    voided: int = 0
    taken_fen: int = 0
    refunded_fen: int = 0
    sales: int = 0
    sales_fen: int = 0
    lines: int = 0
    lines_unknown: int = 0
    known_fen: int = 0
    goods_fen: int = 0
    eased_fen: int = 0
    cost: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def margin_before_fen(self) -> int:
        """What would have been earned on lines of known cost without coupons."""
        return self.known_fen - self.goods_fen

    @property
    def margin_after_fen(self) -> int:
        """What was earned on them."""
        return self.margin_before_fen - self.eased_fen


Key = tuple[str, str]


class Statement(msgspec.Struct, frozen=True):
    """Lines by key, ascending; ``total`` is of all of them, ``booked`` is what the ledger says that parties bear."""

    lines: dict[Key, Line]
    total: Line
    booked: Counter[str]


_PIECES = {HOUSE_COUPONS_ISSUED: "issued", HOUSE_COUPONS_EXPIRED: "expired", HOUSE_COUPONS_VOIDED: "voided"}

BOOKED = ", ".join(f"'{kind}'" for kind in (*_PIECES, HOUSE_COUPONS_USED, HOUSE_COUPON_COST))

_SOLD = {
    "sales": ("sales", "sales_fen"),
    "lines": ("lines", "lines_unknown"),
    "goods": ("known_fen", "goods_fen"),
    "eased": ("eased_fen",),
}
"""What is told of sales, twice: for each template that they used, and for each store, where every sale counts once."""

# A document is read once, and told apart from within. Nothing here is joined with itself: of what it has made the
# planner knows no numbers, takes it for short, and compares a hundred thousand sales each with all the others.
# The kinds stand in the text: only so the planner sees that the index of coupons' entries by time holds them all.
READ = f"""
WITH entry AS MATERIALIZED (
    SELECT member_id, seq, kind, ref, unit, amount FROM ledger_entry
     WHERE at >= $1 AND at < $2 AND kind IN ({BOOKED})
), booked AS (
    SELECT member_id, seq, bool_or(kind = '{HOUSE_COUPON_COST}') AS costs, array_agg(kind) AS kinds,
           array_agg(ref) AS refs, array_agg(unit) AS units, array_agg(amount) AS amounts
      FROM entry WHERE kind IN ('{HOUSE_COUPONS_USED}', '{HOUSE_COUPON_COST}') GROUP BY member_id, seq
), paper AS MATERIALIZED (
    SELECT kinds, refs, units, amounts, costs AND d.kind <> 'refund' AS sold, coalesce(d.store_id, '') AS store_id,
           CASE WHEN costs THEN d.body->'coupons' END AS coupons, (d.body->>'payable_fen')::bigint AS payable_fen,
           goods.*
      FROM booked b
      JOIN ledger_transfer t ON t.member_id = b.member_id AND t.seq = b.seq
      LEFT JOIN ledger_document d ON d.member_id = t.member_id AND d.id = t.document_id
           CROSS JOIN LATERAL (
               SELECT count(*) AS lines, count(*) - count(l.cost_fen) AS unknown,
                      array_agg(l.line_no) FILTER (WHERE l.cost_fen IS NOT NULL) AS known,
                      coalesce(sum(l.payable_fen) FILTER (WHERE l.cost_fen IS NOT NULL), 0) AS known_fen,
                      coalesce(sum(l.cost_fen), 0) AS goods_fen
                 FROM jsonb_to_recordset(CASE WHEN costs AND d.kind <> 'refund' THEN d.body->'lines' END)
                   AS l (line_no integer, payable_fen bigint, cost_fen bigint)
           ) AS goods
     WHERE $3::text IS NULL OR d.store_id = $3
), said AS MATERIALIZED (
    SELECT e.kind, e.ref, e.unit, store_id, coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint AS plus,
           coalesce(-sum(amount) FILTER (WHERE amount < 0), 0)::bigint AS minus
      FROM paper CROSS JOIN LATERAL unnest(kinds, refs, units, amounts) AS e (kind, ref, unit, amount)
     GROUP BY e.kind, e.ref, e.unit, store_id
), coupon AS MATERIALIZED (
    SELECT p.sold, p.store_id, c.template, c.unit, c.amount_fen, c.cost, eased.fen AS eased_fen,
           p.sold AND c.nth = 1 AS counts, p.payable_fen, p.lines, p.unknown, p.known_fen, p.goods_fen
      FROM paper p CROSS JOIN LATERAL (
               SELECT *, row_number() OVER (PARTITION BY template, unit) AS nth FROM jsonb_to_recordset(p.coupons)
                   AS c (template text, unit text, amount_fen bigint, cost jsonb, by_line jsonb)
           ) AS c CROSS JOIN LATERAL (
               SELECT sum((part->>1)::bigint)::bigint AS fen FROM jsonb_array_elements(c.by_line) AS part
                WHERE p.sold AND (part->>0)::integer = ANY(p.known)
           ) AS eased
), sale AS MATERIALIZED (
    SELECT 'template' AS by, template, unit, store_id, count(*) AS sales, sum(payable_fen)::bigint AS payable_fen,
           sum(lines)::bigint AS lines, sum(unknown)::bigint AS unknown, sum(known_fen)::bigint AS known_fen,
           sum(goods_fen)::bigint AS goods_fen
      FROM coupon WHERE counts GROUP BY template, unit, store_id
    UNION ALL
    SELECT 'store', '', '', store_id, count(*), sum(payable_fen)::bigint, sum(lines)::bigint, sum(unknown)::bigint,
           sum(known_fen)::bigint, sum(goods_fen)::bigint FROM paper WHERE sold GROUP BY store_id
)
SELECT 'moved' AS what, kind AS name, ref AS template, unit, '' AS store_id,
       coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint AS plus,
       coalesce(-sum(amount) FILTER (WHERE amount < 0), 0)::bigint AS minus
  FROM entry WHERE $3::text IS NULL AND kind NOT IN ('{HOUSE_COUPONS_USED}', '{HOUSE_COUPON_COST}')
 GROUP BY kind, ref, unit
UNION ALL
SELECT 'moved', kind, ref, unit, store_id, plus, minus FROM said WHERE kind = '{HOUSE_COUPONS_USED}'
UNION ALL
SELECT 'taken', '', template, unit, store_id, coalesce(sum(amount_fen) FILTER (WHERE sold), 0)::bigint,
       coalesce(sum(amount_fen) FILTER (WHERE NOT sold), 0)::bigint
  FROM coupon GROUP BY template, unit, store_id
UNION ALL
SELECT 'cost', part.key, template, unit, store_id, coalesce(sum(part.value::bigint) FILTER (WHERE sold), 0)::bigint,
       coalesce(sum(part.value::bigint) FILTER (WHERE NOT sold), 0)::bigint
  FROM coupon CROSS JOIN LATERAL jsonb_each_text(cost) AS part GROUP BY part.key, template, unit, store_id
UNION ALL
SELECT 'booked', ref, '', '', store_id, minus - plus, 0 FROM said WHERE kind = '{HOUSE_COUPON_COST}'
UNION ALL
SELECT 'sales', by, template, unit, store_id, sales, payable_fen FROM sale
UNION ALL
SELECT 'lines', by, template, unit, store_id, lines, unknown FROM sale
UNION ALL
SELECT 'goods', by, template, unit, store_id, known_fen, goods_fen FROM sale
UNION ALL
SELECT 'eased', 'template', template, unit, store_id, sum(eased_fen)::bigint, 0
  FROM coupon WHERE eased_fen IS NOT NULL GROUP BY template, unit, store_id
UNION ALL
SELECT 'eased', 'store', '', '', store_id, sum(eased_fen)::bigint, 0
  FROM coupon WHERE eased_fen IS NOT NULL GROUP BY store_id
"""


READ_DAYS = """
SELECT what, name, template, unit, store_id, sum(plus)::bigint AS plus, sum(minus)::bigint AS minus
  FROM coupon_day WHERE zone = $1 AND on_date BETWEEN $2 AND $3 AND on_date <> ALL ($4::date[])
   AND ($5::text IS NULL OR store_id = $5) GROUP BY what, name, template, unit, store_id"""

_OPEN = """
SELECT day::date AS on_date FROM generate_series($2::date::timestamp, $3::date::timestamp, '1 day') AS day
 WHERE NOT EXISTS (SELECT FROM coupon_day_done WHERE zone = $1 AND on_date = day::date) ORDER BY day"""


async def get_statement(by: By, first: date, last: date, zone: str, *, store_id: str | None) -> Statement:
    """What was booked on these days, both included; one store's, or all.

    Days that were counted are read from ``coupon_day``, the others from the books. Which these are is asked first, and
    a day stays counted (one counted anew is replaced whole): so no day is told twice or left out meanwhile.
    """
    days = await list_open_days(first, last, zone)
    rows = await db.fetch(READ_DAYS, zone, first, last, days, store_id)
    for begin, end in _ranges(days):
        rows += await db.fetch(READ, *clock.span(begin, end, zone), store_id)
    return add_up(by, rows)


async def list_open_days(first: date, last: date, zone: str) -> list[date]:
    """Those of the days that were not counted yet, ascending."""
    return [row["on_date"] for row in await db.fetch(_OPEN, zone, first, last)]


def _ranges(days: Sequence[date]) -> list[tuple[date, date]]:
    """Days as ranges without gaps, both ends included; the days ascend."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and (day - found[-1][1]).days == 1:
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    return found


def add_up(by: By, rows: Iterable[db.Record]) -> Statement:
    """The rows of the query as lines."""
    lines: dict[Key, Line] = {}
    total, booked = Line(), Counter[str]()
    for row in rows:
        plus, minus = row["plus"], row["minus"]
        if row["what"] == "booked":
            booked[row["name"]] += plus
            continue
        for line in (total, _line(lines, by, row)):
            if line is not None:
                _add(line, row, plus, minus)
    return Statement(dict(sorted(lines.items())), total, booked)


def _line(lines: dict[Key, Line], by: By, row: db.Record) -> Line | None:
    """The line that a row counts in; None where the row says nothing of its kind of key."""
    template, unit, store, what = row["template"], row["unit"], row["store_id"], row["what"]
    if what in _SOLD and row["name"] != by:
        return None
    if by is By.TEMPLATE:
        return lines.setdefault((template, unit), Line(template_id=template, unit=unit))
    if what == "moved":
        return None
    if by is By.STORE:
        return lines.setdefault((store, ""), Line(store_id=store))
    if what != "cost":
        return None
    return lines.setdefault((row["name"], template), Line(party=row["name"], template_id=template))


def _add(line: Line, row: db.Record, plus: int, minus: int) -> None:
    what = row["what"]
    if what == "moved":
        if line.unit is not None:  # pieces and fen are never added up
            _count(line, row["name"], plus, minus)
    elif what == "taken" or (what == "cost" and line.party is not None):
        line.taken_fen += plus
        line.refunded_fen += minus
    elif what in _SOLD and (line.template_id or line.store_id or row["name"] == "store"):
        for name, amount in zip(_SOLD[what], (plus, minus), strict=False):
            setattr(line, name, getattr(line, name) + amount)
    if what == "cost":
        line.cost[row["name"]] += plus - minus


def _count(line: Line, kind: str, plus: int, minus: int) -> None:
    if kind == HOUSE_COUPONS_USED:
        line.used += plus
        line.returned += minus
    else:
        name = _PIECES[kind]
        setattr(line, name, getattr(line, name) + plus + minus)  # one of them is nothing


def net_fen(cost: Counter[str]) -> int:
    """What all parties bear together."""
    return sum(cost.values())
