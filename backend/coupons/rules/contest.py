"""The offers of one search, and the sets they make: what a set takes, and which of two is better.

Offers are numbered in the order in which they take; a set is a bit mask of such numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ..types import Stacking
from . import stacking
from .allocate import drain, lower
from .offers import Offer


class Pick(msgspec.Struct, frozen=True):
    """A set of offers, and what they take off together."""

    total: int
    picks: int

    @property
    def size(self) -> int:
        """How many offers."""
        return self.picks.bit_count()

    @property
    def worth(self) -> tuple[int, int]:
        """The greater, the better: most off, then fewest coupons."""
        return self.total, -self.size


class Contest:
    """Offers in the order in which they take, with what is asked of them often.

    Of the offers of a group one may be used; an offer without one is a group by itself, under its own number. Twins
    differ in nothing but their days and ids. From ``tail`` on all are for the same lines: which of these give what,
    nobody asks any more.
    """

    def __init__(self, offers: Sequence[Offer], payable: Sequence[int]) -> None:
        self.offers = sorted(offers, key=Offer.order)
        self.payable = payable
        numbers = range(len(self.offers))
        self.amount = [offer.verdict.amount_fen for offer in self.offers]
        self.lines = [offer.lines for offer in self.offers]
        self.mask = [sum([1 << line for line in offer.lines]) for offer in self.offers]
        self.tail = tail_of(self.lines)
        self.most = [stacking.most_together(offer.held) for offer in self.offers]
        self.group = [_group(offer, number) for number, offer in enumerate(self.offers)]
        self.by_rank = sorted(numbers, key=lambda number: (self.offers[number].expires_on, self.offers[number].held.id))
        self.rank = {number: rank for rank, number in enumerate(self.by_rank)}
        self.like = [_like(offer) for offer in self.offers]

    def takes(self, picks: int) -> list[int]:
        """What each of a set takes, in their order."""
        left, amount, lines, tail = list(self.payable), self.amount, self.lines, self.tail
        return [
            lower(amount[number], lines[number], left) if number < tail else drain(amount[number], lines[number], left)
            for number in members(picks)
        ]

    def settle(self, picks: int) -> Pick:
        """What a set takes; without those that find nothing left."""
        takes = self.takes(picks)
        idle = sum([1 << number for number, taken in zip(members(picks), takes, strict=True) if not taken])
        return Pick(sum(takes), picks ^ idle)

    def dearest(self, among: int, room: int, must: int) -> Pick:
        """The set whose amounts sum highest, as if lines were endless: none among these is better in any respect."""
        picks, groups = must, {self.group[number] for number in members(must)}
        room -= must.bit_count()
        for number in sorted(members(among & ~must), key=lambda number: (-self.amount[number], self.rank[number])):
            if room <= 0:
                break
            if self.group[number] not in groups:
                picks |= 1 << number
                groups.add(self.group[number])
                room -= 1
        return Pick(self.sum(picks), picks)

    def sum(self, picks: int) -> int:
        """The amounts of a set, as if lines were endless."""
        return sum([self.amount[number] for number in members(picks)])

    def units(self, among: int) -> int:
        """How many of these may be used together, limits aside."""
        return len({self.group[number] for number in members(among)})


def tail_of(lines: Sequence[tuple[int, ...]]) -> int:
    """From which place on all offers are for the same lines."""
    place = len(lines)
    while place and lines[place - 1] == lines[-1]:
        place -= 1
    return place


def members(picks: int) -> Iterator[int]:
    """The numbers in a set, ascending."""
    while picks:
        low = picks & -picks
        yield low.bit_length() - 1
        picks ^= low


def _group(offer: Offer, own: int) -> str | int:
    terms = offer.held.terms
    return terms.group if terms.stacking is Stacking.ONE_OF_GROUP else own


def _like(offer: Offer) -> tuple[tuple[int, ...], int, bool, str]:
    terms = offer.held.terms
    return offer.lines, offer.verdict.amount_fen, terms.partial_use, terms.group
