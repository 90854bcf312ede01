"""Wallets and baskets for ``bench combine``: what a chain issues, and what is hard for the search. A seed decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from backend.coupons.types import BasketLine, Channel, CouponKind, Held, Occasion, Scope, Stacking, Terms, Validity

COUPONS, LINES = 20, 30
ON = date(2026, 11, 27)
OCCASION = Occasion("S1", Channel.POS, "silver", datetime(2026, 11, 27, 14, 30))  # noqa: DTZ001 - the store's own time
CATEGORIES = tuple(f"category{number}" for number in range(8))
BRANDS = tuple(f"brand{number}" for number in range(6))
_VALIDITY = Validity(until_on=ON + timedelta(days=40))
ROUND_FACES = (500, 1_000, 1_000, 2_000, 2_000, 3_000, 5_000)
"""What is printed on most coupons, in fen."""


class Family(NamedTuple):
    """A kind of wallet; ``make`` draws one for a basket. ``usual``: chains issue such coupons."""

    name: str
    make: Callable[[Random, Sequence[BasketLine]], list[Held]]
    usual: bool = True


def basket(dice: Random) -> list[BasketLine]:
    """Thirty articles of eight categories and six brands."""
    return [
        BasketLine(
            number + 1,
            f"sku{dice.randrange(60)}",
            dice.choice((1, 1, 1, 2, 3)),
            dice.randrange(300, 9_000),
            dice.choice(CATEGORIES),
            dice.choice(BRANDS),
        )
        for number in range(LINES)
    ]


def _held(dice: Random, number: int, *, days: int | None = None, **fields: Any) -> Held:
    given: dict[str, Any] = {"kind": CouponKind.CASH, "validity": _VALIDITY, "stacking": Stacking.JOINT}
    terms = Terms(**(given | fields))
    last = ON + timedelta(days=dice.randrange(30) if days is None else days)
    balance = terms.face_fen if terms.partial_use else 1
    return Held(f"c{number:02}", "t", terms, balance, ON, last)


def _faces(dice: Random, lines: Sequence[BasketLine], worth: float, count: int = COUPONS) -> list[int]:
    """So many odd amounts that together are worth so many baskets."""
    parts = [dice.randrange(20, 100) for _ in range(count)]
    total = int(sum(line.payable_fen for line in lines) * worth)
    return [max(1, total * part // sum(parts)) for part in parts]


def _crossing(dice: Random) -> Scope:
    """Some categories, some brands, or both: scopes that lie across each other."""
    some: dict[str, Any] = {}
    if dice.random() < 0.7:
        some["categories"] = tuple(dice.sample(CATEGORIES, dice.randrange(1, 4)))
    if dice.random() < 0.5 or not some:
        some["brands"] = tuple(dice.sample(BRANDS, dice.randrange(1, 4)))
    return Scope(**some)


def _mixed(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
    found = []
    for number, face in enumerate(_faces(dice, lines, 1)):
        stacking = dice.choice((Stacking.JOINT, Stacking.JOINT, Stacking.ONE_OF_GROUP, Stacking.EXCLUSIVE))
        found.append(
            _held(
                dice,
                number,
                face_fen=face,
                stacking=stacking,
                group=f"g{dice.randrange(4)}" if stacking is Stacking.ONE_OF_GROUP else "",
                max_together=dice.choice((None, None, 2, 4)) if stacking is not Stacking.EXCLUSIVE else None,
                scope=_crossing(dice) if dice.random() < 0.5 else Scope(),
                min_spend_fen=dice.choice((0, face, 5 * face)),
            )
        )
    return found


def _everyday(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
    """Round faces with thresholds, half of them one to a category's group, pieces of one offer alike."""
    found: list[Held] = []
    while len(found) < COUPONS:
        face, scope = dice.choice(ROUND_FACES), Scope()
        group, most = "", dice.choice((None, None, 3, 5))
        if dice.random() < 0.5:
            scope = Scope(categories=(dice.choice(CATEGORIES),))
        if dice.random() < 0.4:
            group = f"g{dice.randrange(5)}"
        days = dice.randrange(30)
        for _ in range(dice.choice((1, 1, 2, 4))):
            found.append(
                _held(
                    dice,
                    len(found),
                    days=days,
                    face_fen=face,
                    scope=scope,
                    min_spend_fen=dice.choice((face, 3 * face)),
                    group=group,
                    stacking=Stacking.ONE_OF_GROUP if group else Stacking.JOINT,
                    max_together=most,
                )
            )
    return found[:COUPONS]


def _joint(worth: float) -> Callable[[Random, Sequence[BasketLine]], list[Held]]:
    def make(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
        return [_held(dice, number, face_fen=face) for number, face in enumerate(_faces(dice, lines, worth))]

    return make


def _grouped(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
    return [
        _held(dice, number, face_fen=face, stacking=Stacking.ONE_OF_GROUP, group=f"g{dice.randrange(8)}")
        for number, face in enumerate(_faces(dice, lines, 4))
    ]


def _limited(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
    return [
        _held(dice, number, face_fen=face, max_together=dice.randrange(2, 11), scope=_crossing(dice))
        for number, face in enumerate(_faces(dice, lines, 4))
    ]


def _by_category(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
    return [
        _held(dice, number, face_fen=face, scope=Scope(categories=(dice.choice(CATEGORIES),)))
        for number, face in enumerate(_faces(dice, lines, 2))
    ]


def _cross(worth: float, *, alike: bool = False) -> Callable[[Random, Sequence[BasketLine]], list[Held]]:
    def make(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
        faces = _faces(dice, lines, worth)
        if alike:  # the same round amount everywhere
            faces = [sum(faces) // COUPONS // 100 * 100 or 100] * COUPONS
        return [_held(dice, number, face_fen=face, scope=_crossing(dice)) for number, face in enumerate(faces)]

    return make


def _pieces(worth: float) -> Callable[[Random, Sequence[BasketLine]], list[Held]]:
    """Four offers, of each several pieces that differ in nothing but their days."""

    def make(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
        offers = [(face * 4 // COUPONS or 1, _crossing(dice)) for face in _faces(dice, lines, worth, 4)]
        drawn = [offers[number % 4] for number in range(COUPONS)]
        return [_held(dice, number, face_fen=face, scope=scope) for number, (face, scope) in enumerate(drawn)]

    return make


def _percent(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
    return [
        _held(
            dice,
            number,
            kind=CouponKind.PERCENT,
            rate_bp=dice.choice((500, 1_000, 2_000, 5_000)),
            cap_fen=dice.choice((None, 2_000, 5_000)),
            scope=_crossing(dice),
            max_together=dice.choice((None, 3, 6)),
        )
        for number in range(COUPONS)
    ]


def _gifts(dice: Random, lines: Sequence[BasketLine]) -> list[Held]:
    skus = [line.sku for line in lines]
    return [
        _held(
            dice,
            number,
            kind=CouponKind.EXCHANGE,
            pieces=dice.randrange(1, 4),
            scope=Scope(skus=tuple(dice.sample(skus, dice.randrange(1, 5)))),
        )
        if dice.random() < 0.5
        else _held(dice, number, face_fen=dice.choice(ROUND_FACES), partial_use=dice.random() < 0.5)
        for number in range(COUPONS)
    ]


FAMILIES = (
    Family("everyday: round faces, thresholds, groups, pieces of one offer", _everyday),
    Family("mixed: groups, exclusive ones, limits, worth 1 basket", _mixed),
    Family("all together, worth ½ basket", _joint(0.5)),
    Family("all together, worth 2 baskets", _joint(2)),
    Family("each in one of 8 groups, worth 4 baskets", _grouped),
    Family("limits of 2 to 10, scopes that cross, worth 4 baskets", _limited, usual=False),
    Family("each for one category, worth 2 baskets", _by_category),
    Family("percentages with caps, scopes that cross", _percent),
    Family("gifts of articles, and value coupons", _gifts),
    Family("4 offers, 5 pieces each, scopes that cross, worth 2 baskets", _pieces(2)),
    Family("all together, scopes that cross, worth 1 basket", _cross(1)),
    Family("all together, scopes that cross, worth 2½ baskets", _cross(2.5), usual=False),
    Family("all together, scopes that cross, worth 6 baskets", _cross(6), usual=False),
    Family("the same with one face, worth 2½ baskets", _cross(2.5, alike=True), usual=False),
)
