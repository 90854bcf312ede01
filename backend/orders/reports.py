"""Reports by store and day: what was sold at tills and in the mall, what it cost, and what lies in the store.

Sales and refunds are read off their documents, costs off the journal of stock; a day is the store's own. What a piece
costs is known where the store keeps stock of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.kernel import clock, db, windows
from backend.kernel.errors import invalid
from backend.kernel.sheets import Cell
from backend.mall import queries as mall
from backend.sales.types import TenderType

MOST_DAYS = 31
MOST_ROWS = 20_000
"""More are a shorter range of days."""

AT_ONCE = 1_000
"""Rows of an export that are read at once."""

MOST_READ = 100_000
"""Documents that a report adds up: some 300 MB."""

MOST_MOVEMENTS = 500_000

_TENDERS = ("stored", "points", "rebate", "gift_card", "wechat", "cash", "external")
"""What a sale is paid with; a coupon is a discount and has a column of its own."""

# A till's sale counts when it was rung up, an order when it was paid.
_SOLD = """
SELECT d.id, d.body, d.at FROM ledger_document d
 WHERE d.kind = 'sale' AND d.at >= $1 AND d.at < $2 AND d.store_id = $3
   AND d.state IN ('completed', 'partly_refunded', 'refunded')
UNION ALL
SELECT d.id, d.body, o.paid_at FROM orders_order o
  JOIN ledger_document d ON d.member_id = o.member_id AND d.id = o.id
 WHERE o.store_id = $3 AND o.placed_at >= $1::timestamptz - interval '2 days' AND o.placed_at < $2
   AND o.paid_at >= $1 AND o.paid_at < $2"""

_GIVEN_BACK = """
SELECT r.id, r.body, r.at, s.body AS sold FROM ledger_document r
  JOIN ledger_document s ON s.member_id = r.member_id AND s.id = r.body->>'sale_id'
 WHERE r.kind = 'refund' AND r.at >= $1 AND r.at < $2 AND r.store_id = $3"""

# Gifts for points: what their money brought, where they are fetched or sent from. Gifts without money are no sales.
_GIFTS = """
SELECT d.at, r.quantity, r.pay_fen FROM ledger_document d
  JOIN gifts_redemption r ON r.member_id = d.member_id AND r.id = d.id
 WHERE d.kind = 'gift_redemption' AND d.at >= $1 AND d.at < $2 AND d.store_id = $3 AND r.pay_fen > 0"""
_GIFTS_BACK = """
SELECT r.ended_at AS at, r.pay_fen FROM gifts_redemption r
  JOIN ledger_document d ON d.member_id = r.member_id AND d.id = r.id
 WHERE r.ended_at >= $1 AND r.ended_at < $2 AND d.store_id = $3 AND r.pay_fen > 0"""

_COST = """
SELECT sku, at, qty, cost_fen FROM stock_movement
 WHERE place_id = $3 AND at >= $1 AND at < $2 AND kind IN ('sale', 'sale_return', 'shortage')"""

_STOCK = """
SELECT l.sku, a.name, l.on_hand, l.reserved, l.short, l.value_fen, coalesce(b.version, 0) AS before_version,
       coalesce(n.version, 0) AS after_version, b.on_hand_after AS before, b.value_after AS before_fen,
       n.on_hand_after AS after, n.value_after AS after_fen
  FROM stock_level l LEFT JOIN mall_article a ON a.sku = l.sku
  LEFT JOIN LATERAL (SELECT version, on_hand_after, value_after FROM stock_movement m
        WHERE m.place_id = l.place_id AND m.sku = l.sku AND m.at < $1 ORDER BY m.version DESC LIMIT 1) b ON true
  LEFT JOIN LATERAL (SELECT version, on_hand_after, value_after FROM stock_movement m
        WHERE m.place_id = l.place_id AND m.sku = l.sku AND m.at < $2 ORDER BY m.version DESC LIMIT 1) n ON true
 WHERE l.place_id = $3 AND l.sku > $4 ORDER BY l.sku LIMIT $5"""

# What lies between two lines of the journal, so that it adds up where two moved at midnight, the later one first.
_MOVED = f"""
SELECT w.sku, m.kind, sum(m.qty)::bigint AS qty
  FROM unnest({db.given(2, "text")}, {db.given(3, "bigint")}, {db.given(4, "bigint")}) AS w (sku, after, until)
  JOIN stock_movement m ON m.place_id = $1 AND m.sku = w.sku AND m.version > w.after AND m.version <= w.until
 GROUP BY w.sku, m.kind"""  # noqa: S608 - put together of constants

_ORDERS = """
SELECT o.id, o.state, o.delivery, o.placed_at, o.paid_at, o.ended_at, o.payable_fen, o.note, m.member_no, d.body,
       d.progress, (SELECT sum(qty) FROM orders_line l WHERE l.member_id = o.member_id AND l.order_id = o.id) AS pieces
  FROM orders_order o JOIN ledger_document d ON d.member_id = o.member_id AND d.id = o.id
  JOIN member m ON m.id = o.member_id
 WHERE o.store_id = $3 AND (o.placed_at, o.id) > ($1, $5) AND o.placed_at < $2 AND ($4::text IS NULL OR o.state = $4)
 ORDER BY o.placed_at, o.id LIMIT $6"""

_KINDS = (
    *("receipt", "sale", "sale_return", "transfer_in", "transfer_out", "stocktake", "purchase_return", "wholesale"),
    *("wholesale_return", "gift", "gift_return", "shortage"),
)

Rows = list[list[Cell]]


class Range(msgspec.Struct, frozen=True):
    """Which days of which store, as instants, with the zone that makes days of them."""

    store_id: str
    begin: datetime
    end: datetime
    zone: str

    def day(self, at: datetime) -> date:
        """The store's day of an instant."""
        return clock.local_date(at, self.zone)


def days(store_id: str, first: date, last: date, zone: str) -> Range:
    """The instants at which the first day begins and the last one is over; refuses a range that is none or too long."""
    begin, end = windows.of_days(first, last, zone, most=MOST_DAYS)
    return Range(store_id, begin, end, zone)


async def _read(sql: str, span: Range, *args: object) -> list[db.Record]:
    return await db.fetch(sql, span.begin, span.end, span.store_id, *args)


async def _read_all(sql: str, span: Range, most: int) -> list[db.Record]:
    """What days add up, all of it or a refusal: no report takes the memory that everybody else needs."""
    rows = await _read(f"{sql} LIMIT $4", span, most + 1)
    if len(rows) > most:
        raise invalid("/query/from", "these days have too much to add up at once; ask for fewer")
    return rows


def _bounded(rows: Rows) -> Rows:
    if len(rows) > MOST_ROWS:
        raise invalid("/query/from", f"these days have more than {MOST_ROWS} rows; ask for fewer")
    return rows


def _body(text: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def _channel(document_id: str) -> str:
    return "till" if document_id.startswith("S") else "mall"


# -- sales

SALES = (
    *("store_id", "day", "channel", "sales", "pieces", "total_fen", "discount_fen", "payable_fen", "coupon_fen"),
    *(f"{name}_fen" for name in _TENDERS),
    *("refunds", "refunded_fen", "refunded_coupon_fen", "net_fen"),
)


async def sales(span: Range) -> Rows:
    """By day and channel: what was sold (the money of gifts, too), how it was paid, what went back.

    ``net`` is without coupons and refunds.
    """
    found: defaultdict[tuple[date, str], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in await _read_all(_SOLD, span, MOST_READ):
        body, sums = _body(row["body"]), found[span.day(row["at"]), _channel(row["id"])]
        sums["sales"] += 1
        sums["pieces"] += sum(line["qty"] for line in body["lines"] if line["line_no"] > 0)
        for name in ("total_fen", "discount_fen", "payable_fen"):
            sums[name] += body[name]
        for tender in body["tenders"]:
            sums[f"{tender['type']}_fen"] += tender["amount_fen"]
    for row in await _read_all(_GIVEN_BACK, span, MOST_READ):
        body = _body(row["body"])
        sums = found[span.day(row["at"]), _channel(body["sale_id"])]
        sums["refunds"] += 1
        sums["refunded_fen"] += body["refund_fen"]
        sums["refunded_coupon_fen"] += sum(
            one["amount_fen"] for one in body["by_tender"] if one["type"] == TenderType.COUPON
        )
    for row in await _read_all(_GIFTS, span, MOST_READ):
        sums = found[span.day(row["at"]), "gift"]
        sums["sales"] += 1
        sums["pieces"] += row["quantity"]
        for name in ("total_fen", "payable_fen", "stored_fen"):
            sums[name] += row["pay_fen"]
    for row in await _read_all(_GIFTS_BACK, span, MOST_READ):
        sums = found[span.day(row["at"]), "gift"]
        sums["refunds"] += 1
        sums["refunded_fen"] += row["pay_fen"]
    for sums in found.values():
        kept = sums["refunded_fen"] - sums["refunded_coupon_fen"]
        sums["net_fen"] = sums["payable_fen"] - sums["coupon_fen"] - kept
    return _bounded(
        [
            [span.store_id, day.isoformat(), channel, *(sums[name] for name in SALES[3:])]
            for (day, channel), sums in sorted(found.items())
        ]
    )


# -- margin

MARGIN = (
    *("store_id", "day", "sku", "name", "sold", "sold_fen", "returned", "returned_fen", "coupon_fen", "moved"),
    *("cost_fen", "margin_fen"),
)


async def margin(span: Range) -> Rows:
    """By day and article: what its lines brought before and after coupons, what it cost by the journal, and the rest.

    ``moved`` is how many pieces the journal took out (less those it put back); where it is less than what was sold, a
    part of the cost is not known. Refunds take their lines' share off; a coupon's part of it is kept in ``coupon_fen``.
    """
    found: defaultdict[tuple[date, str], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    names: dict[str, str] = {}
    for row in await _read_all(_SOLD, span, MOST_READ):
        body, day = _body(row["body"]), span.day(row["at"])
        skus = _skus(body, names)
        for line in body["lines"]:
            sums = found[day, line["sku"]]
            sums["sold"] += line["qty"]
            sums["sold_fen"] += line["payable_fen"]
        for coupon in body.get("coupons", ()):
            for line_no, fen in coupon.get("by_line", ()):
                found[day, skus[line_no]]["coupon_fen"] += fen
    for row in await _read_all(_GIVEN_BACK, span, MOST_READ):
        body, day = _body(row["body"]), span.day(row["at"])
        skus = _skus(_body(row["sold"]), names)
        for line in body.get("lines", ()):
            sums = found[day, skus[line["line_no"]]]
            sums["returned"] += line["qty"]
            sums["returned_fen"] += line["fen"]
    for row in await _read_all(_COST, span, MOST_MOVEMENTS):
        sums = found[span.day(row["at"]), row["sku"]]
        sums["moved"] -= row["qty"]
        sums["cost_fen"] -= row["cost_fen"]
    names |= await _lacking_names(names, (sku for _, sku in found))
    for sums in found.values():
        sums["margin_fen"] = sums["sold_fen"] - sums["returned_fen"] - sums["coupon_fen"] - sums["cost_fen"]
    return _bounded(
        [
            [span.store_id, day.isoformat(), sku, names.get(sku, ""), *(sums[name] for name in MARGIN[4:])]
            for (day, sku), sums in sorted(found.items())
        ]
    )


async def _lacking_names(names: Mapping[str, str], skus: Iterable[str]) -> dict[str, str]:
    """What the catalogue calls those that no line names: only the journal has them, or their till sent no names."""
    lacking = {sku for sku in skus if not names.get(sku)}
    return {sku: name for sku, (name, _) in (await mall.find_article_names(lacking)).items()}


def _skus(body: dict[str, Any], names: dict[str, str]) -> dict[int, str]:
    for line in body["lines"]:
        names.setdefault(line["sku"], line.get("name") or "")
    return {line["line_no"]: line["sku"] for line in body["lines"]}


# -- stock

STOCK = (
    *("store_id", "sku", "name", "before", "before_fen"),
    *_KINDS,
    *("after", "after_fen", "on_hand_now", "reserved_now", "available_now", "short_now", "value_now_fen"),
)


async def stock(span: Range) -> AsyncIterator[Rows]:
    """By article: what lay there before the first day and after the last, what moved between, and what there is now.

    Page by page, and at last the sums: a store may keep more articles than one answer should hold.
    """
    summed, after = Sums(len(STOCK)), ""
    while read := await _read(_STOCK, span, after, AT_ONCE):
        moved: defaultdict[str, dict[str, int]] = defaultdict(dict)
        between = ([row[column] for row in read] for column in ("sku", "before_version", "after_version"))
        for sku, kind, qty in await db.fetch(_MOVED, span.store_id, *between):
            moved[sku][kind] = qty
        page = [_stock(span, row, moved[row["sku"]]) for row in read]
        summed.add(page)
        after = read[-1]["sku"]
        yield page
    if after:
        yield [summed.row()]


def _stock(span: Range, row: db.Record, moved: Mapping[str, int]) -> list[Cell]:
    return [
        *(span.store_id, row["sku"], row["name"] or "", row["before"] or 0, row["before_fen"] or 0),
        *(moved.get(kind, 0) for kind in _KINDS),
        *(row["after"] or 0, row["after_fen"] or 0, row["on_hand"], row["reserved"]),
        *(max(0, row["on_hand"] - row["reserved"]), row["short"], row["value_fen"]),
    ]


# -- orders

ORDERS = (
    *("order_id", "store_id", "status", "delivery", "member_no", "placed_at", "paid_at", "ended_at", "pieces"),
    *("total_fen", "discount_fen", "payable_fen", "coupon_fen"),
    *(f"{name}_fen" for name in _TENDERS),
    *("refunded_fen", "note"),
)


async def orders(span: Range, state: str | None) -> AsyncIterator[Rows]:
    """A store's orders, the oldest first, page by page, and at last their sums; of members only the number."""
    summed, after, rest = Sums(len(ORDERS)), "", span
    while read := await _read(_ORDERS, rest, state, after, AT_ONCE):
        page = [_order(span, row) for row in read]
        summed.add(page)
        rest, after = msgspec.structs.replace(span, begin=read[-1]["placed_at"]), read[-1]["id"]
        yield page
    if after:
        yield [summed.row()]


def _order(span: Range, row: db.Record) -> list[Cell]:
    body = _body(row["body"])
    paid: defaultdict[str, int] = defaultdict(int)
    for tender in body["tenders"]:
        paid[tender["type"]] += tender["amount_fen"]
    return [
        *(row["id"], span.store_id, row["state"], row["delivery"], row["member_no"]),
        *(_local(at, span.zone) for at in (row["placed_at"], row["paid_at"], row["ended_at"])),
        *(row["pieces"], body["total_fen"], body["discount_fen"], body["payable_fen"], paid["coupon"]),
        *(paid[name] for name in _TENDERS),
        *(_body(row["progress"]).get("refunded_fen", 0), row["note"]),
    ]


def _local(at: datetime | None, zone: str) -> str:
    return at.astimezone(clock.zone(zone)).strftime("%Y-%m-%d %H:%M:%S") if at else ""


class Sums:
    """A last row: the sums of the columns that hold numbers in every row."""

    def __init__(self, columns: int) -> None:
        self._sums: list[int | None] = [None, *[0] * (columns - 1)]

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Count these rows in."""
        for row in rows:
            for place, value in enumerate(row):
                known = self._sums[place]
                self._sums[place] = known + value if known is not None and isinstance(value, int) else None

    def row(self) -> list[Cell]:
        """What the rows so far come to."""
        return ["合计", *("" if value is None else value for value in self._sums[1:])]


def total(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[Cell]:
    """The sums of these rows."""
    summed = Sums(len(heading))
    summed.add(rows)
    return summed.row()
