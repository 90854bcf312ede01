"""Shelves that run out: what everybody wants, what orders take off them, and what comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from . import Domain
from .order_books import WAITING, Order
from .stock_books import PREFIX

if TYPE_CHECKING:
    from ..oracle import Books

SHELVES_A_STORE = 3
LEAST_PRICE_FEN, MOST_PRICE_FEN = 300, 3_000
MOST_PIECES = 3


class Shelves(Domain):
    """Nobody is promised what is not there. ``orders`` and ``back`` are what others say was taken and came back."""

    order: ClassVar[int] = 29  # compares when it is known where every order stands, and what came back
    jobs: ClassVar = ("stock.move_sales",)
    facts: ClassVar = {
        "shelves": (
            "SELECT l.place_id, l.sku, l.on_hand, l.reserved, l.short, a.unit_price_fen"  # noqa: S608 - of constants
            f" FROM stock_level l JOIN mall_article a USING (sku) WHERE NOT starts_with(l.sku, '{PREFIX}')"
        ),
        "promised": "SELECT order_id, place_id, sku, qty FROM stock_reservation WHERE order_id LIKE 'D%'",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.opening: dict[tuple[str, str], int] = {}
        self.scarce: dict[str, list[str]] = {}
        self.orders: list[Order] = []
        self.back: Counter[tuple[str, str]] = Counter()
        self.kept: Counter[tuple[str, str]] = Counter()
        self.gone: Counter[tuple[str, str]] = Counter()

    def gifts(self, kept: Counter[tuple[str, str]], gone: Counter[tuple[str, str]]) -> None:
        """What gifts are promised of the shelves now, and what of them has left."""
        self.kept, self.gone = kept, gone

    def wanted(self, dice: Random, coupon_ids: Sequence[str] = ()) -> list[dict[str, Any]]:
        """A few pieces of what is scarce at some store."""
        if not self.scarce:
            return []
        store_id = dice.choice(sorted(self.scarce))
        skus = dice.sample(self.scarce[store_id], dice.choice((1, 1, 2)))
        lines = [{"sku": sku, "qty": dice.randint(1, MOST_PIECES)} for sku in skus]
        return [{"store_id": store_id, "lines": lines, "coupon_ids": list(coupon_ids)}]

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Compare every shelf."""
        if not self.opening:
            self._open(books)
        back = self.back.copy()
        back.subtract(self.gone)
        yield from compare_shelves(self.opening, self.orders, back, books.facts, kept=self.kept)

    def _open(self, books: Books) -> None:
        """Remember what there was before the first order; the scarcest shelves are those that everybody wants."""
        rows = books.facts["shelves"]
        self.opening = {(place_id, sku): on_hand for place_id, sku, on_hand, *_ in rows}
        for store_id in self.world.stores:
            few = sorted(
                (on_hand, sku)
                for place_id, sku, on_hand, _, _, price_fen in rows
                if place_id == store_id and LEAST_PRICE_FEN * 3 // 2 <= price_fen <= MOST_PRICE_FEN
            )
            if few:
                self.scarce[store_id] = [sku for _, sku in few[:SHELVES_A_STORE]]


def stock_of(
    opening: Mapping[tuple[str, str], int], orders: Sequence[Order], back: Mapping[tuple[str, str], int]
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """What must lie on each shelf, and how much of it must be promised."""
    on_hand, promised = Counter(opening), Counter[tuple[str, str]]()
    for order in orders:
        if order.state == WAITING:
            promised.update(order.pieces)
        elif order.sale.paid:
            on_hand.subtract(order.pieces)
    on_hand.update(back)
    return on_hand, promised


def compare_shelves(
    opening: Mapping[tuple[str, str], int],
    orders: Sequence[Order],
    back: Mapping[tuple[str, str], int],
    facts: Mapping[str, Sequence[Sequence[Any]]],
    *,
    kept: Mapping[tuple[str, str], int] | None = None,
) -> Iterator[str]:
    """Shelves hold what was there less what orders took plus what came back; what is promised waits to be paid.

    ``kept``: what is promised to others than orders.
    """
    on_hand, promised = stock_of(opening, orders, back)
    promised.update(kept or {})
    seen = set()
    for place_id, sku, have, reserved, short, _ in facts["shelves"]:
        seen.add((place_id, sku))
        want = on_hand[place_id, sku], promised[place_id, sku], 0
        if (have, reserved, short) != want:
            yield f"shelf {place_id} {sku} has {have}, {reserved} promised and {short} short; it must be {want}"
        if not reserved <= have:
            yield f"shelf {place_id} {sku} has {have} and promises {reserved}"
    for shelf in on_hand.keys() - seen:
        yield f"shelf {shelf} is gone"
    waiting = {
        (order.id, *shelf): qty for order in orders if order.state == WAITING for shelf, qty in order.pieces.items()
    }
    there = {tuple(row[:3]): row[3] for row in facts["promised"]}
    for key in waiting.keys() | there.keys():
        if waiting.get(key, 0) != there.get(key, 0):
            yield f"order {key} was promised {there.get(key, 0)} pieces, and waits for {waiting.get(key, 0)}"
