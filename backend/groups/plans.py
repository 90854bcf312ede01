"""What a principal allots, and takes back: two plans each, one for either's books. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.ledger.plans import (
    FEN,
    HOUSE_GROUP,
    POINT,
    POINTS,
    POINTS_DEBT,
    STORED,
    STORED_HELD,
    Cap,
    Guard,
    Issue,
    Leg,
    NewDocument,
    Plan,
    Saw,
    job_hash,
)
from backend.ledger.types import Lot

from .types import Allotment, AllotmentKind

PREFIX = "N"
"""Of an allotment's id."""

ALLOTTED = "group_allotment"
TAKEN_BACK = "group_allotment_back"
DAY = "group_allotment_limit"
"""The refusal of what may be allotted in a day."""
HOLDS_TOO_MUCH = "group_allotment_full"
"""The refusal of more stored value than a member may hold."""

_DAY_KEPT = timedelta(days=3)
_ACCOUNTS = {AllotmentKind.STORED: (STORED, FEN), AllotmentKind.POINTS: (POINTS, POINT)}


class Taken(msgspec.Struct, frozen=True):
    """How much of which lot, and the lot's turn."""

    lot: Lot
    rank: int
    amount: int


def account_of(kind: AllotmentKind) -> str:
    """The account that such an allotment moves between."""
    return _ACCOUNTS[kind][0]


def take(lots: Sequence[tuple[Lot, int]], amount: int, on: date) -> list[Taken] | None:
    """How so much is taken, in the order lots are spent; None where there is not so much that is good on that day."""
    found: list[Taken] = []
    for lot, rank in lots:
        if amount and (lot.expires_on is None or lot.expires_on >= on):
            part = min(amount, lot.remaining)
            found.append(Taken(lot, rank, part))
            amount -= part
    return None if amount else found


def day_mark(kind: AllotmentKind, on: date) -> str:
    """The name under which the ledger counts what a principal allotted on a day."""
    return f"group-allotted:{kind.value}:{on.isoformat()}"


def allot(
    made: Allotment,
    taken: Sequence[Taken],
    *,
    scope: str,
    key: str,
    request_hash: str,
    day_cap: int,
    holds_most: tuple[int, tuple[str, ...]] | None,
    on: date,
) -> tuple[Plan, Plan]:
    """Out of the principal's lots, and into the sub-member's: a lot for each, with its part, last day and turn.

    ``holds_most``: what the sub-member may hold of stored value, of which parts of lots (none: of all).
    """
    account, unit = _ACCOUNTS[made.kind]
    out = Plan(
        member_id=made.principal_id,
        kind=ALLOTTED,
        at=made.at,
        on=on,
        scope=scope,
        key=key,
        hash=request_hash,
        active=True,
        saw=(Saw(POINTS_DEBT, 0),) if made.kind is AllotmentKind.POINTS else (),
        guards=(Guard(day_mark(made.kind, on), "add", made.amount, DAY, cap=day_cap, expires_at=made.at + _DAY_KEPT),),
        document=NewDocument(
            made.id,
            ALLOTTED,
            "done",
            {"to": str(made.member_id), "group": made.group_id, "kind": made.kind.value, "amount": made.amount},
        ),
        legs=(
            Leg(account, unit, -made.amount, lots=tuple((one.lot.lot_id, -one.amount) for one in taken)),
            Leg(HOUSE_GROUP, unit, made.amount),
        ),
    )
    issue = tuple(
        Issue(one.lot.part, one.amount, expires_on=one.lot.expires_on, source=made.id, rank=one.rank) for one in taken
    )
    caps = (Cap((STORED, STORED_HELD), holds_most[0], HOLDS_TOO_MUCH, holds_most[1]),) if holds_most else ()
    into = Plan(
        member_id=made.member_id,
        kind=ALLOTTED,
        at=made.at,
        on=on,
        scope=ALLOTTED,
        key=f"{made.id}:in",
        hash=job_hash(ALLOTTED, made.id, made.amount),
        active=True,
        caps=caps if made.kind is AllotmentKind.STORED else (),
        about=made.id,
        legs=(Leg(HOUSE_GROUP, unit, -made.amount), Leg(account, unit, made.amount, issue=issue)),
    )
    return out, into


def take_back(
    made: Allotment,
    pairs: Sequence[tuple[int, int, int]],
    *,
    holder_id: int,
    scope: str,
    key: str,
    request_hash: str,
    reverses: int | None,
    now: datetime,
    on: date,
) -> tuple[Plan, Plan]:
    """Out of the lots of whoever has it now, into those of the principal that they came from.

    ``pairs``: the sub-member's lot, the principal's, and how much goes back from the one to the other.
    """
    account, unit = _ACCOUNTS[made.kind]
    total = sum(amount for _, _, amount in pairs)
    away = Plan(
        member_id=holder_id,
        kind=TAKEN_BACK,
        at=now,
        on=on,
        scope=TAKEN_BACK,
        key=f"{made.id}:{made.taken}:out",
        hash=job_hash(TAKEN_BACK, made.id, made.taken, total),
        about=made.id,
        legs=(
            Leg(account, unit, -total, lots=_together((theirs, -amount) for theirs, _, amount in pairs)),
            Leg(HOUSE_GROUP, unit, total),
        ),
    )
    home = Plan(
        member_id=made.principal_id,
        kind=TAKEN_BACK,
        at=now,
        on=on,
        scope=scope,
        key=key,
        hash=request_hash,
        about=made.id,
        reverses=reverses,
        legs=(
            Leg(HOUSE_GROUP, unit, -total),
            Leg(account, unit, total, lots=_together((mine, amount) for _, mine, amount in pairs)),
        ),
    )
    return away, home


def _together(moves: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """One move of each lot."""
    totals: dict[int, int] = {}
    for lot_id, amount in moves:
        totals[lot_id] = totals.get(lot_id, 0) + amount
    return tuple(totals.items())
