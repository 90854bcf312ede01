"""What rebates put into plans: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from backend.kernel import clock
from backend.kernel.events import encode as encode_event
from backend.ledger.plans import FEN, HOUSE_REBATE_COST, REBATE, Issue, Leg, NewDocument, Plan, job_hash
from backend.ledger.types import Lot

from .events import RebatePaid
from .types import Piece, Statement

PAYOUT = "rebate_payout"
DOCUMENT = "rebate"
EXPIRY = "expiry"
GIVEN_UP = "given_up"
"""Of a member who leaves."""


def part_of(piece: Piece) -> str:
    """What a lot says of where it comes from: the scheme, and the store that bears it."""
    return f"{piece.scheme_id}/{piece.store_id}"


def store_of(part: str) -> str:
    """The store that bears a lot; empty where the lot does not say."""
    return part.partition("/")[2]


def last_day(piece: Piece, on: date) -> date | None:
    """Until when a piece lasts that is paid on that day."""
    return clock.end_of_month(on, piece.months) if piece.months else None


def pay(statement: Statement, paid: Sequence[Piece], costs: Sequence[Piece], *, now: datetime, on: date) -> Plan:
    """Pay a statement, once: a lot for each scheme and store, and what each store bears of it."""
    total = sum(piece.fen for piece in paid)
    issue = tuple(Issue(part_of(piece), piece.fen, last_day(piece, on), source=statement.id) for piece in paid)
    by_store: dict[str, int] = {}
    for piece in costs:
        by_store[piece.store_id] = by_store.get(piece.store_id, 0) - piece.fen
    return Plan(
        member_id=statement.holder_id,
        kind=PAYOUT,
        at=now,
        on=on,
        scope="rebate",
        key=statement.id,
        hash=job_hash("rebate", statement.id, total),
        document=NewDocument(
            statement.id,
            DOCUMENT,
            "paid",
            {
                "run_id": statement.run_id,
                "first": statement.period.first.isoformat(),
                "last": statement.period.last.isoformat(),
                "fen": total,
            },
        ),
        legs=(Leg(REBATE, FEN, total, issue=issue), *_cost_legs(by_store)),
        events=(
            encode_event(
                RebatePaid(
                    member_id=statement.holder_id,
                    statement_id=statement.id,
                    fen=total,
                    first=statement.period.first,
                    last=statement.period.last,
                    expires_on=first_end(paid, on),
                )
            ),
        ),
    )


def first_end(paid: Iterable[Piece], on: date) -> date | None:
    """The first last day of what is paid on that day; None where all of it is for good."""
    return min((day for piece in paid if (day := last_day(piece, on))), default=None)


def expire(member_id: int, ref: str, lots: Sequence[Lot], *, now: datetime, on: date) -> Plan:
    """Take what is left of these lots, whose last day was before ``on``; the stores that bore it have it back."""
    named = tuple((lot.lot_id, -lot.remaining) for lot in lots)
    back: dict[str, int] = {}
    for lot in lots:
        back[store_of(lot.part)] = back.get(store_of(lot.part), 0) + lot.remaining
    return Plan(
        member_id=member_id,
        kind=EXPIRY,
        at=now,
        on=on,
        scope="expiry",
        key=f"{member_id}:{REBATE}:{ref}:{on}:{job_hash(*named)[:16]}",
        hash=job_hash(*named),
        legs=(Leg(REBATE, FEN, -sum(lot.remaining for lot in lots), ref=ref, lots=named), *_cost_legs(back)),
    )


def _cost_legs(by_store: Mapping[str, int]) -> tuple[Leg, ...]:
    return tuple(Leg(HOUSE_REBATE_COST, FEN, fen, ref=store) for store, fen in sorted(by_store.items()) if fen)
