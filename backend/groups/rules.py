"""What a group lends, and what it has reached. No I/O, clock or randomness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from backend.ledger.types import Lot

from .types import Group, GroupRule, GroupState, KeyAccount

Ranked = tuple[Lot, int]
"""A lot and its turn."""


def pair_back(
    theirs: Iterable[Ranked], home: Iterable[tuple[Lot, int, int]], amount: int | None
) -> list[tuple[int, int, int]]:
    """Which of their lots goes back into which lot it came from, and how much: ``amount``, or all that is there.

    Their lots have part, last day and turn of the lots they came from. Fewer where there is not so much.

    Args:
        theirs: what is left.
        home: the lots it came from, and how much of each is still out.
    """
    out = [(lot.lot_id, _nature(lot, rank)) for lot, rank, _ in home]
    still_out = {lot.lot_id: fen for lot, _, fen in home}
    found: list[tuple[int, int, int]] = []
    left = amount
    for lot, rank in theirs:
        rest = lot.remaining if left is None else min(left, lot.remaining)
        left = None if left is None else left - rest
        for home_id in (lot_id for lot_id, nature in out if nature == _nature(lot, rank)):
            if part := min(rest, still_out[home_id]):
                found.append((lot.lot_id, home_id, part))
                still_out[home_id] -= part
                rest -= part
    return found


def _nature(lot: Lot, rank: int) -> tuple[str, date | None, int]:
    return lot.part, lot.expires_on, rank


def lends(group: Group, ranks: Mapping[str, int]) -> str | None:
    """The level that a group's people have of it: the higher of the agreed and the earned one."""
    if group.state is GroupState.CLOSED:
        return None
    offered = [code for code in (group.level, group.earned_level) if code is not None and code in ranks]
    return max(offered, key=lambda code: ranks[code], default=None)


def discount_of(group: Group | None, key: KeyAccount | None) -> int | None:
    """The least discount that a member has of a group and of an agreement: the better of both."""
    given = [key.discount_bp if key else None]
    if group is not None and group.state is GroupState.OPEN:
        given.append(group.discount_bp)
    return max((one for one in given if one), default=None)


def reached(rules: tuple[GroupRule, ...], spent_fen: int, ranks: Mapping[str, int]) -> str | None:
    """The highest level that was reached together, or None."""
    found = [rule.level for rule in rules if spent_fen >= rule.spend_fen and rule.level in ranks]
    return max(found, key=lambda code: ranks[code], default=None)


def earns(
    group: Group, spent_fen: int, ranks: Mapping[str, int], today: date, until: date
) -> tuple[str | None, date | None]:
    """The level a group has earned and how long: up at once, down when the time of the one before is over.

    Args:
        until: the last day of what is reached today.
    """
    found = reached(group.rules, spent_fen, ranks)
    held = group.earned_level if group.earned_until is not None and today <= group.earned_until else None
    if held is None or held not in ranks or (found is not None and ranks[found] > ranks[held]):
        return found, until if found is not None else None
    return held, group.earned_until
