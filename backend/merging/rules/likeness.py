"""Who may be one person: pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import combinations

import msgspec

from ..types import Why

MOST_COMPARED = 400
"""Members of one birthday that are compared each with each; of more (a day that tills make up) only equal names."""

LEAST_CHARS = 3
"""Names shorter than that are never similar: two characters that share one are two families."""


class Person(msgspec.Struct, frozen=True):
    """What a member is compared by, among those of one birthday."""

    member_id: int
    name: str
    gender: str


def folded(name: str) -> str:
    """A name as it is compared: without spaces, points and marks, full-width and capital letters made plain."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in plain if char.isalnum())


def pairs(people: Iterable[Person]) -> Iterator[tuple[int, int, Why]]:
    """The pairs among people of one birthday who may be one: lower id first."""
    known = [(one, folded(one.name)) for one in sorted(people, key=lambda one: one.member_id)]
    if len(known) <= MOST_COMPARED:
        for (one, mine), (other, theirs) in combinations(known, 2):
            if (why := _why(one, mine, other, theirs)) is not None:
                yield one.member_id, other.member_id, why
        return
    by_name: dict[str, list[Person]] = {}
    for one, name in known:
        if name:
            by_name.setdefault(name, []).append(one)
    for group in by_name.values():
        for one, other in combinations(group[:MOST_COMPARED], 2):
            if not _contradict(one, other):
                yield one.member_id, other.member_id, Why.SAME


def _why(one: Person, mine: str, other: Person, theirs: str) -> Why | None:
    if not mine or _contradict(one, other):
        return None
    if mine == theirs:
        return Why.SAME
    long = min(len(mine), len(theirs)) >= LEAST_CHARS
    return Why.SIMILAR if long and within_one(mine, theirs) else None


def _contradict(one: Person, other: Person) -> bool:
    return "unknown" not in (one.gender, other.gender) and one.gender != other.gender


def within_one(one: str, other: str) -> bool:
    """Whether one character was put in, left out or mistaken for another."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    place = next((index for index, char in enumerate(short) if char != long[index]), len(short))
    rest = place + 1 if len(short) == len(long) else place
    return short[rest:] == long[place + 1 :]
