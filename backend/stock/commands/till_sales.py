"""A till's sale is a fact: what it sold leaves the shelf, and what the books had not is short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg
import msgspec

from backend.kernel import clock, db, logging
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger
from backend.ledger.types import Document

from .. import service
from ..service import Step
from ..types import AlertKind, MovementKind, Piece

log = logging.get(__name__)

AT_ONCE = 64
ROUNDS = 500
SALE = "sale"
"""The documents of tills; what orders do with stock they do themselves."""


class Due(NamedTuple):
    """A sale, or a refund of it, whose stock has not moved yet."""

    sale_id: str
    refund_id: str
    member_id: int


class _Line(msgspec.Struct):
    sku: str
    qty: int


class _Body(msgspec.Struct):
    lines: list[_Line]


class _Progress(msgspec.Struct):
    line_qty: list[int] = []


# Sales before what came back of them. A refund does not say of what: its sale says how much of each line is back.
_SALES = "SELECT sale_id FROM stock_due WHERE refund_id = '' AND sale_id > $1 ORDER BY sale_id LIMIT $2"
_REFUNDED = (
    "SELECT DISTINCT sale_id FROM stock_due d WHERE sale_id > $1 AND refund_id <> ''"
    " AND NOT EXISTS (SELECT FROM stock_due s WHERE s.sale_id = d.sale_id AND s.refund_id = '')"
    " ORDER BY sale_id LIMIT $2"
)
_CLAIM = (
    "DELETE FROM stock_due WHERE sale_id = ANY($1::text[]) AND (refund_id <> '') = $2"
    " RETURNING sale_id, refund_id, member_id"
)
_BACK = (
    "SELECT about, sku, sum(qty - short)::bigint AS qty FROM stock_movement WHERE about = ANY($1::text[]) GROUP BY 1, 2"
)
_ALONE = "SELECT pg_advisory_xact_lock(7305201612)"
"""What is back by now is read before it is moved: nobody else may move it meanwhile."""


async def move_due() -> int:
    """Move the stock of what tills sold and took back; returns how many it were. What fails stays."""
    moved = 0
    for sql, refunded in ((_SALES, False), (_REFUNDED, True)):
        after = ""
        for _ in range(ROUNDS):
            sale_ids = [row[0] for row in await db.fetch(sql, after, AT_ONCE)]
            if not sale_ids:
                break
            moved += await _move_chunk(sale_ids, refunded)
            after = sale_ids[-1]
    return moved


async def _move_chunk(sale_ids: Sequence[str], refunded: bool) -> int:
    """All of it in one transaction; where something in it fails, each in its own."""
    try:
        return await _move(sale_ids, refunded)
    except (DomainError, asyncpg.PostgresError, msgspec.MsgspecError, KeyError) as error:
        if len(sale_ids) == 1:
            log.warning("stock.sale_not_moved", sale_id=sale_ids[0], error=type(error).__name__)
            return 0
    return sum([await _move_chunk([sale_id], refunded) for sale_id in sale_ids])


async def _move(sale_ids: Sequence[str], refunded: bool) -> int:
    async with db.transaction() as tx:
        await db.raw(tx).execute(_ALONE)
        rows = await db.fetch_in(tx, _CLAIM, sale_ids, refunded)
        due = {row["sale_id"]: Due(*row) for row in sorted(rows, reverse=True)}  # of a sale's refunds the first
        sales = await ledger.find_documents((one.member_id, one.sale_id) for one in due.values())
        back = {(about, sku): qty for about, sku, qty in await db.fetch_in(tx, _BACK, list(due))} if refunded else {}
        mine = [due[sale_id] for sale_id in sorted(due)]
        steps = [step for unit, one in enumerate(mine) for step in _steps(unit, one, sales[one.sale_id], back)]
        now = clock.now()
        answer = await service.post(tx, steps, at=now)
        short = Counter[tuple[str, str]]()
        for _, place_id, sku, _, lacked, _ in answer.moved:
            short[place_id, sku] += max(0, lacked)
        await service.alert(tx, AlertKind.SHORT, +short, at=now)
    for unit, place_id, sku, _ in answer.refused:
        log.warning("stock.refund_exceeds_sale", sale_id=mine[unit].sale_id, place_id=place_id, sku=sku)
    for unit, place_id, sku, _, lacked, _ in answer.moved:
        if lacked > 0:
            log.info("stock.short", sale_id=mine[unit].sale_id, place_id=place_id, sku=sku, qty=lacked)
    return len(rows)


def _steps(unit: int, due: Due, sale: Document, back: Mapping[tuple[str, str], int]) -> list[Step]:
    """What the sale took, or what has come back of it since the last look."""
    if sale.kind != SALE or sale.store_id is None:
        return []
    lines = msgspec.convert(sale.body, _Body).lines
    if not due.refund_id:
        pieces = service.merged(Piece(sale.store_id, line.sku, line.qty) for line in lines)
        return [Step(unit, "sell", due.sale_id, p.place_id, p.sku, p.qty, MovementKind.SALE) for p in pieces]
    returned: Counter[str] = Counter()
    for line, qty in zip(lines, msgspec.convert(sale.progress, _Progress).line_qty, strict=False):
        returned[line.sku] += qty
    return [
        Step(unit, "put_back", due.refund_id, sale.store_id, sku, more, MovementKind.SALE_RETURN, about=due.sale_id)
        for sku, qty in sorted(returned.items())
        if (more := qty - back.get((due.sale_id, sku), 0)) > 0
    ]
