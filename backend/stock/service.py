"""Moving stock on the caller's open transaction; all of it goes through the door, ``stock_post``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.db import Tx

from .errors import OutOfStock, ReturnExceedsSold
from .types import AlertKind, Moved, MovementKind, Piece, Receipt, Wish

POST = "SELECT stock_post($1, $2::text::jsonb)"

MAX_QTY = 1_000_000_000
"""What one step may move."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step for the door; those of one ``unit`` happen together or not at all. See ``sql/10_stock.sql``."""

    unit: int
    act: str
    doc: str
    place: str | None = None
    sku: str | None = None
    qty: int | None = None
    kind: str | None = None
    about: str | None = None
    cost: int | None = None
    until: datetime | None = None
    staff: int | None = None
    seen: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """What the door did: the first piece of each unit it refused, with what there is; and what it moved, by unit."""

    refused: list[tuple[int, str, str, int]]
    moved: list[tuple[int, str, str, int, int, int]]


async def post(tx: Tx, steps: Sequence[Step], *, at: datetime) -> Answer:
    """Let the door do these steps; locks the levels by (place, SKU)."""
    if not steps:
        return Answer([], [])
    answer = await db.raw(tx).fetchval(POST, at, msgspec.json.encode(steps).decode())
    return msgspec.json.decode(answer, type=Answer)


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """The same pieces, each article of a place once."""
    counted: Counter[tuple[str, str]] = Counter()
    for piece in pieces:
        if not 0 < piece.qty <= MAX_QTY:
            raise ValueError(f"{piece.qty} pieces")
        counted[piece.place_id, piece.sku] += piece.qty
    return [Piece(place_id, sku, qty) for (place_id, sku), qty in sorted(counted.items())]


async def note_due(tx: Tx, member_id: int, sale_id: str, refund_id: str) -> None:
    """Note that the stock of a till's sale (or of a refund of it) is to move; a job moves it, once."""
    await db.raw(tx).execute(
        "INSERT INTO stock_due (member_id, sale_id, refund_id, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        member_id,
        sale_id,
        refund_id,
        clock.now(),
    )


_ALERT = """
INSERT INTO stock_alert AS a (id, kind, place_id, sku, qty, at)
SELECT id, $2, place_id, sku, qty, $1
  FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) AS w (id, place_id, sku, qty)
 ORDER BY place_id, sku
    ON CONFLICT (place_id, sku, kind) WHERE closed_at IS NULL
    DO UPDATE SET qty = EXCLUDED.qty + CASE EXCLUDED.kind WHEN 'short' THEN a.qty ELSE 0 END, at = EXCLUDED.at"""


async def alert(tx: Tx, kind: AlertKind, pieces: Mapping[tuple[str, str], int], *, at: datetime) -> None:
    """Let staff look at these articles, by (place, SKU): what is left of one, or what tills sold too many.

    One that is to be looked at already says the latest, of shortages their sum.
    """
    if pieces:
        places, skus = zip(*pieces, strict=True)
        made = [ids.new_short("A") for _ in pieces]
        await db.raw(tx).execute(_ALERT, at, kind, made, list(places), list(skus), list(pieces.values()))


# -- for orders


async def reserve_many(tx: Tx, wishes: Sequence[Wish], *, at: datetime) -> list[OutOfStock | None]:
    """Promise to each order all that it wants, in the order given, or nothing of it; a refusal for each that has not.

    What has no ``until`` is sold at once. One statement, whatever the number; locks the levels by (place, SKU). A
    refusal says ``sku`` and what is ``available`` of the first piece that lacks.
    """
    steps = [
        Step(
            unit,
            "take" if wish.until is None else "reserve",
            wish.order_id,
            piece.place_id,
            piece.sku,
            piece.qty,
            MovementKind.SALE,
            until=wish.until,
        )
        for unit, wish in enumerate(wishes)
        for piece in merged(wish.pieces)
    ]
    refused = {unit: out_of_stock(sku, left) for unit, _, sku, left in (await post(tx, steps, at=at)).refused}
    return [refused.get(unit) for unit in range(len(wishes))]


def out_of_stock(sku: str, available: int) -> OutOfStock:
    """The refusal, with what is left."""
    return OutOfStock(extra={"sku": sku, "available": available})


async def give_back_many(tx: Tx, order_ids: Sequence[str], *, at: datetime) -> None:
    """Give back whatever these orders still have, promised or sold; what they have not changes nothing."""
    steps = [Step(unit, "undo", order_id) for unit, order_id in enumerate(sorted(set(order_ids)))]
    await post(tx, steps, at=at)


async def deduct(tx: Tx, order_id: str, *, at: datetime) -> dict[tuple[str, str], int]:
    """Sell what the order was promised; what its pieces cost, by (place, SKU). Again it answers the same.

    What a till has sold meanwhile from under it is short, as of any till's sale. Empty where it was promised nothing.
    """
    await post(tx, [Step(0, "settle", order_id)], at=at)
    rows = await db.fetch_in(
        tx,
        "SELECT place_id, sku, -cost_fen AS cost_fen FROM stock_movement WHERE document_id = $1 AND kind = 'sale'",
        order_id,
    )
    return {(row["place_id"], row["sku"]): row["cost_fen"] for row in rows}


_STILL_OUT = """
SELECT coalesce(about, document_id) AS document_id, place_id, sku, sum(short - qty)::bigint AS qty FROM stock_movement
 WHERE (document_id = ANY($1) AND about IS NULL) OR about = ANY($1) GROUP BY 1, 2, 3"""


async def take_back(
    tx: Tx,
    order_id: str,
    return_id: str,
    pieces: Iterable[Piece],
    *,
    at: datetime,
    exchanges: Sequence[str] = (),
) -> None:
    """Put pieces of an order back, at the cost they went out with; once per ``return_id``.

    ``exchanges``, the first one first, sent other pieces for the order's: what the last one sent comes back first,
    under the return's id with the exchange's number behind it. The caller holds the order's lock.

    Raises ``ReturnExceedsSold``, also against what earlier returns brought. What the place keeps no stock of is passed
    over.
    """
    left = {(piece.place_id, piece.sku): piece.qty for piece in merged(pieces)}
    rows = await db.fetch_in(tx, _STILL_OUT, list(exchanges)) if exchanges else ()
    out = {(row["document_id"], row["place_id"], row["sku"]): row["qty"] for row in rows}
    steps: list[Step] = []
    for number, exchange_id in reversed(list(enumerate(exchanges, 1))):
        for (place_id, sku), qty in left.items():
            back = min(qty, out.get((exchange_id, place_id, sku), 0))
            if back:
                left[place_id, sku] = qty - back
                steps.append(_put_back(number, f"{return_id}.{number}", place_id, sku, back, exchange_id))
    steps += [_put_back(0, return_id, *key, qty, order_id) for key, qty in left.items() if qty]
    for _, _, sku, available in (await post(tx, steps, at=at)).refused:
        raise ReturnExceedsSold(extra={"sku": sku, "available": available})


async def hand_out(tx: Tx, order_id: str, piece: Piece, *, at: datetime, staff_id: int | None) -> int:
    """Let a gift that was promised to ``order_id`` leave, once; what it cost. What a till took meanwhile is short."""
    gone = Step(1, "sell", order_id, piece.place_id, piece.sku, piece.qty, MovementKind.GIFT, staff=staff_id)
    answer = await post(tx, [Step(0, "undo", order_id), gone], at=at)
    return sum(-cost for *_, cost in answer.moved)


async def bring_back(tx: Tx, order_id: str, piece: Piece, *, at: datetime, staff_id: int) -> None:
    """Put a gift back on its shelf that ``hand_out`` let leave, at the cost at which it went; once.

    What the place keeps no stock of is passed over.
    """
    kind, return_id = MovementKind.GIFT_RETURN, f"{order_id}.R"
    back = Step(0, "put_back", return_id, piece.place_id, piece.sku, piece.qty, kind, about=order_id, staff=staff_id)
    for _, _, sku, available in (await post(tx, [back], at=at)).refused:
        raise ReturnExceedsSold(extra={"sku": sku, "available": available})


def _put_back(unit: int, return_id: str, place_id: str, sku: str, qty: int, about: str) -> Step:
    return Step(unit, "put_back", return_id, place_id, sku, qty, MovementKind.SALE_RETURN, about=about)


# -- for documents


async def receive(
    tx: Tx, kind: MovementKind, document_id: str, receipts: Iterable[Receipt], *, at: datetime, staff_id: int | None
) -> list[Moved]:
    """Put goods into places at what they cost, once per document; from then on the place keeps stock of them."""
    steps = [
        Step(0, "put", document_id, r.place_id, r.sku, r.qty, kind, cost=r.cost_fen, staff=staff_id) for r in receipts
    ]
    return [Moved(*moved[1:]) for moved in (await post(tx, steps, at=at)).moved]


async def issue(
    tx: Tx, kind: MovementKind, document_id: str, pieces: Iterable[Piece], *, at: datetime, staff_id: int | None
) -> list[Moved]:
    """Take goods out of places, all or ``OutOfStock``, once per document; what is promised to orders stays."""
    steps = [Step(0, "take", document_id, p.place_id, p.sku, p.qty, kind, staff=staff_id) for p in merged(pieces)]
    answer = await post(tx, steps, at=at)
    for _, _, sku, left in answer.refused:
        raise out_of_stock(sku, left)
    return [Moved(*moved[1:]) for moved in answer.moved]
