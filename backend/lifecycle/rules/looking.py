"""One member looked at: from what is stored, the facts and all programmes to the standing of now. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.members.types import Level

from ..types import Change, Facts, Programme, Rung, Standing
from .standing import follow, under_new_rules

AGE = timedelta(days=40)
"""A base that is older is moved on …"""

KEPT = timedelta(days=31)
"""… to so long ago. What is heard of later than that only counts from then on; a till is offline for 7 days at most."""


AHEAD = timedelta(minutes=5)
"""A purchase that is said to be so much later than now has happened: servers' clocks differ, and are set back."""


class Base(msgspec.Struct, frozen=True):
    """A standing at an instant, under a programme. ``judge``: see at once what is reached."""

    version: int
    standing: Standing
    at: datetime
    judge: bool


class Seen(msgspec.Struct, frozen=True):
    """The standing of now; ``changes`` led to it from the base that was given, ``told`` from the one to keep."""

    base: Base
    standing: Standing
    changes: tuple[Change, ...]
    told: tuple[Change, ...]


class Chain(msgspec.Struct, frozen=True):
    """The programmes, first one first, the levels under each (``rungs``, by version), and the chain's calendar."""

    programmes: Sequence[Programme]
    rungs: Mapping[int, Sequence[Rung]]
    day_of: Callable[[datetime], date]

    @property
    def latest(self) -> int:
        """The version that is in force."""
        return self.programmes[-1].version


def first_base(chain: Chain, level: str, created_at: datetime) -> Base:
    """Where somebody begins: with the level they have, when the first rules came, or when they joined."""
    programme = chain.programmes[0]
    for later in chain.programmes[1:]:
        if later.since <= created_at:
            programme = later
    at = max(programme.since, created_at)
    on = chain.day_of(at)
    standing = under_new_rules(Standing(level, on, on), chain.rungs[programme.version], on)
    return Base(programme.version, standing, at, judge=True)


def look(chain: Chain, base: Base, facts: Facts, now: datetime) -> Seen:
    """Follow the facts from the base to now, under each programme as long as it was in force."""
    changes: list[Change] = []
    for programme in chain.programmes:
        if programme.version <= base.version:
            continue
        standing, steps = _follow(chain, base, facts, programme.since)
        changes += steps
        on = chain.day_of(programme.since)
        renewed = under_new_rules(standing, chain.rungs[programme.version], on)
        base = Base(programme.version, renewed, programme.since, judge=True)
    told: list[Change] = []
    if base.at < now - AGE:
        cut = now - KEPT
        standing, steps = _follow(chain, base, facts, cut)
        changes += steps
        base = Base(base.version, standing, cut, judge=False)
    standing, told = _follow(chain, base, facts, now, ahead=AHEAD)
    return Seen(base, standing, (*changes, *told), tuple(told))


def _follow(
    chain: Chain, base: Base, facts: Facts, until: datetime, *, ahead: timedelta = timedelta()
) -> tuple[Standing, list[Change]]:
    return follow(
        chain.rungs[base.version],
        facts,
        base.standing,
        since=base.at,
        began_on=chain.day_of(base.at),
        until=until + ahead,
        today=chain.day_of(until),
        judge=base.judge,
    )


def untold(changes: Sequence[Change], told: Sequence[Change]) -> tuple[Sequence[Change], bool]:
    """The steps behind those that were told, and whether what was told still holds as it was."""
    same = 0
    while same < min(len(changes), len(told)) and changes[same] == told[same]:
        same += 1
    return changes[same:], same == len(told)


def by_growth(growth_fen: int, levels: Iterable[Level]) -> Level:
    """The highest level whose threshold the growth has reached: what holds without any programme."""
    return max(
        (level for level in levels if level.growth_from_fen <= max(growth_fen, 0)),
        key=lambda level: level.growth_from_fen,
    )
