"""What of a member's own accounts moves, and as which legs: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from backend.kernel import ids
from backend.ledger import plans as ledger
from backend.ledger.plans import Issue, Leg
from backend.ledger.types import Lot

CARRIED = {
    ledger.STORED: ledger.FEN,
    ledger.REBATE: ledger.FEN,
    ledger.POINTS: ledger.POINT,
    ledger.POINTS_PENDING: ledger.POINT,
}
"""The accounts that move lot by lot, with their units. What is held for a recharge's refund stays until that ends."""

AT_ONCE = 400
"""Lots in one transfer."""


class Open(msgspec.Struct, frozen=True):
    """An open lot with its turn."""

    lot: Lot
    rank: int


class Settling(msgspec.Struct, frozen=True):
    """What the target pays of points that the source owes: out of which lots, and what stays owed."""

    pending: tuple[tuple[int, int], ...]
    available: tuple[tuple[int, int], ...]
    owed: int

    @property
    def paid(self) -> int:
        """All that is paid."""
        return sum(points for _, points in self.pending + self.available)


def chunks(lots: Sequence[Open]) -> list[Sequence[Open]]:
    """The lots in portions that are one transfer each, in the order they are spent."""
    return [lots[start : start + AT_ONCE] for start in range(0, len(lots), AT_ONCE)]


def out_legs(lots: Iterable[Open]) -> tuple[Leg, ...]:
    """The source's half: all that is left of these lots goes, each lot by name."""
    legs: list[Leg] = []
    for account, unit in CARRIED.items():
        mine = [one.lot for one in lots if one.lot.kind == account]
        if mine:
            total = sum(lot.remaining for lot in mine)
            named = tuple((lot.lot_id, -lot.remaining) for lot in mine)
            legs += [Leg(account, unit, -total, lots=named), Leg(ledger.HOUSE_MERGED, unit, total)]
    return tuple(legs)


def in_legs(lots: Iterable[Open]) -> tuple[Leg, ...]:
    """The target's half: a lot for each, with its part, source, last day, day of becoming available and turn."""
    legs: list[Leg] = []
    for account, unit in CARRIED.items():
        mine = [one for one in lots if one.lot.kind == account]
        if mine:
            total = sum(one.lot.remaining for one in mine)
            issue = tuple(_issue(one) for one in mine)
            legs += [Leg(ledger.HOUSE_MERGED, unit, -total), Leg(account, unit, total, issue=issue)]
    return tuple(legs)


def _issue(one: Open) -> Issue:
    lot = one.lot
    return Issue(
        lot.part,
        lot.remaining,
        expires_on=lot.expires_on,
        matures_on=lot.matures_on,
        source=lot.source,
        rank=one.rank,
    )


def settle(owed: int, lots: Iterable[Lot], source_id: int, on: date) -> Settling:
    """How the target pays what both owe after a refund: as if the purchase had been the target's own.

    Pending points go first; in each account the lots that the source's own purchases gave, then the earliest last day.
    Lots that ended before ``on`` pay nothing.
    """
    good = [lot for lot in lots if lot.remaining > 0 and (lot.expires_on is None or lot.expires_on >= on)]
    ordered = sorted(good, key=lambda lot: _owner(lot) != source_id)
    taken: dict[str, list[tuple[int, int]]] = {ledger.POINTS_PENDING: [], ledger.POINTS: []}
    left = owed
    for account, named in taken.items():
        for lot in ordered:
            if lot.kind == account and left:
                part = min(left, lot.remaining)
                named.append((lot.lot_id, part))
                left -= part
    return Settling(tuple(taken[ledger.POINTS_PENDING]), tuple(taken[ledger.POINTS]), left)


def _owner(lot: Lot) -> int | None:
    """Whose document gave the lot."""
    return ids.member_of(lot.source, lot.source[:1])


def debt_out_legs(owed: int) -> tuple[Leg, ...]:
    """The source owes nothing any more."""
    return Leg(ledger.POINTS_DEBT, ledger.POINT, -owed), Leg(ledger.HOUSE_POINTS_RECEIVABLE, ledger.POINT, owed)


def debt_in_legs(settling: Settling, before: int) -> tuple[Leg, ...]:
    """The target pays what it can of what both owe, ``before`` of it the target, and owes the rest."""
    legs: list[Leg] = []
    for account, named in ((ledger.POINTS_PENDING, settling.pending), (ledger.POINTS, settling.available)):
        if named:
            lots = tuple((lot_id, -points) for lot_id, points in sorted(named))
            legs.append(Leg(account, ledger.POINT, sum(points for _, points in lots), lots=lots))
    if settling.paid:
        legs.append(Leg(ledger.HOUSE_POINTS_CLAWED, ledger.POINT, settling.paid))
    if change := settling.owed - before:
        legs += [
            Leg(ledger.POINTS_DEBT, ledger.POINT, change),
            Leg(ledger.HOUSE_POINTS_RECEIVABLE, ledger.POINT, -change),
        ]
    return tuple(legs)
