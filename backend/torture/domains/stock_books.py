"""Papers of stock as head office knows them, and what must hold between them, the journal, levels and tills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

PREFIX = "TORTURE-"
"""How the articles begin whose stock only papers and tills move."""

Key = tuple[str, str, str, str]
"""The paper (an order for its receipts), the kind of movement, the place, the article."""

_MINE = f"starts_with(sku, '{PREFIX}')"
FACTS = {
    "stock papers": "SELECT id, kind, state, number, version FROM stock_document",
    "stock moves": (
        "SELECT coalesce(m.about, d.about, m.document_id), m.kind, m.place_id, m.sku, sum(m.qty - m.short)::bigint,"  # noqa: S608
        " count(*) - count(DISTINCT m.document_id) FROM stock_movement m"
        " LEFT JOIN stock_document d ON d.id = m.document_id"
        f" WHERE {_MINE} AND m.kind <> 'shortage' GROUP BY 1, 2, 3, 4"
    ),
    "stock levels": f"SELECT place_id, sku, on_hand, short, reserved, value_fen FROM stock_level WHERE {_MINE}",  # noqa: S608
    "stock due": "SELECT sale_id FROM stock_due",
    "stock sales": (
        "SELECT id, body->>'order_no', store_id, state, body::text, progress::text FROM ledger_document"
        " WHERE kind = 'sale' AND body->>'order_no' LIKE '%-stock'"
    ),
}
_SELLS = frozenset({"completed", "partly_refunded", "refunded"})
_WAY = ("draft", "submitted", "approved", "shipped", "closed", "cancelled", "posted")


@dataclass
class Paper:
    """A document as it was acknowledged; ``lines`` are pieces by article, in the order they were entered."""

    id: str
    kind: str
    place_id: str
    other_place_id: str | None
    lines: dict[str, int]
    state: str
    version: int

    def moves(self, action: str, lines: Mapping[str, int] | None) -> dict[Key, int]:
        """What that action moves, where it is done."""
        if action == "post" and self.kind == "receipt":
            return self._moves("receipt", self.place_id, self.lines, 1)
        if action == "post" and self.kind in ("purchase_return", "wholesale"):
            return self._moves(self.kind, self.place_id, self.lines, -1)
        if action == "ship":
            return self._moves("transfer_out", self.place_id, self.lines, -1)
        if action == "receive" and self.kind == "purchase_order":
            return self._moves("receipt", self.place_id, lines or {}, 1)
        if action == "receive":
            return self._moves("transfer_in", self.other_place_id or "", lines or {}, 1)
        return {}

    def _moves(self, kind: str, place_id: str, pieces: Mapping[str, int], sign: int) -> dict[Key, int]:
        return {(self.id, kind, place_id, sku): sign * qty for sku, qty in pieces.items() if qty}


def compare_papers(papers: Mapping[str, Paper], facts: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[str]:
    """Each acknowledged paper is there and no further back than it was told; numbers have no gaps."""
    stored = {row[0]: row for row in facts["stock papers"]}
    for paper in papers.values():
        row = stored.get(paper.id)
        if row is None:
            yield f"{paper.kind} {paper.id} was acknowledged and is not there"
        elif row[4] < paper.version or _WAY.index(row[2]) < _WAY.index(paper.state):
            yield f"{paper.kind} {paper.id} is {row[2]} at version {row[4]}, and was {paper.state} at {paper.version}"
    counted: dict[str, list[int]] = {}
    for _, _, _, number, _ in stored.values():
        series, _, count = number.rpartition("-")
        counted.setdefault(series, []).append(int(count))
    for series, numbers in counted.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"the numbers {series} have gaps: {len(numbers)} of them up to {max(numbers)}"


def compare_moves(
    papers: Mapping[str, Paper],
    told: Mapping[Key, int],
    under_way: Mapping[Key, int],
    facts: Mapping[str, Sequence[Sequence[Any]]],
) -> Iterator[str]:
    """What was acknowledged moved once; nothing else did, but what is being asked for just now."""
    moved: dict[Key, int] = {}
    for root, kind, place_id, sku, pieces, again in facts["stock moves"]:
        if kind in ("sale", "sale_return"):
            continue
        if again:
            yield f"{kind} {root} moved {sku} at {place_id} {again} times too often"
        if kind == "stocktake":
            if root not in papers:
                yield f"count {root} moved {sku} at {place_id} and nobody counted"
            continue
        moved[root, kind, place_id, sku] = pieces
    for key in moved.keys() | told.keys():
        have, want = moved.get(key, 0), told.get(key, 0)
        if have not in (want, want + under_way.get(key, 0)):
            yield f"{key} moved {have} pieces; acknowledged were {want}, {under_way.get(key, 0)} more asked for"


def compare_levels(facts: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[str]:
    """What lies there less what is short is the sum of what moved; nothing is below zero, or promised to anybody."""
    sums = Counter[tuple[str, str]]()
    for _, _, place_id, sku, pieces, _ in facts["stock moves"]:
        sums[place_id, sku] += pieces
    for place_id, sku, on_hand, short, reserved, value_fen in facts["stock levels"]:
        if on_hand - short != sums[place_id, sku]:
            yield f"{sku} at {place_id}: {on_hand} and {short} short, moved were {sums[place_id, sku]}"
        if min(on_hand, short, value_fen) < 0 or reserved or (value_fen and not on_hand):
            yield f"{sku} at {place_id}: {on_hand} worth {value_fen}, {short} short, {reserved} promised"


def compare_tills(
    skus: Mapping[str, Sequence[str]], facts: Mapping[str, Sequence[Sequence[Any]]], *, settled: bool
) -> Iterator[str]:
    """A till's sale takes what it sold off its store's shelf, and refunds bring it back: once, and by the end all."""
    out: Counter[tuple[str, str, str]] = Counter()
    back: Counter[tuple[str, str, str]] = Counter()
    for root, kind, place_id, sku, pieces, _ in facts["stock moves"]:
        if kind == "sale":
            out[root, place_id, sku] -= pieces
        elif kind == "sale_return":
            back[root, place_id, sku] += pieces
    for sale_id, order_no, store_id, state, body, progress in facts["stock sales"]:
        if order_no not in skus:
            yield f"sale {sale_id} of {order_no} was never asked for"
        sold: Counter[tuple[str, str, str]] = Counter()
        returned: Counter[tuple[str, str, str]] = Counter()
        given = msgspec.json.decode(progress or "{}").get("line_qty") or []
        for number, line in enumerate(msgspec.json.decode(body)["lines"]):
            if line["sku"].startswith(PREFIX) and state in _SELLS:
                sold[sale_id, store_id, line["sku"]] += line["qty"]
                returned[sale_id, store_id, line["sku"]] += given[number] if number < len(given) else 0
        for key, qty in sold.items():
            took, came = out.pop(key, 0), back.pop(key, 0)
            if took not in ((qty,) if settled else (0, qty)):
                yield f"sale {key} took {took} pieces, and sold {qty}"
            if came > returned[key] or (settled and came != returned[key]):
                yield f"sale {key} got {came} pieces back, and {returned[key]} were given back"
    for key in out.keys() | back.keys():
        yield f"sale {key} took {out[key]} pieces and got {back[key]} back, and sold nothing of it"
