"""What a till and a phone know of one sale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from ..world import Member, Till
from .pass_books import Offer

SINGLE_FREE_FEN = 20_000
LEAST_PAYABLE_FEN = 30
"""No basket costs less, with every discount: what a tender with an amount may pay at most."""


class Line(NamedTuple):
    """A line of the receipt."""

    number: int
    qty: int
    payable_fen: int

    def share(self, pieces: int) -> int:
        """What so many pieces cost at most, by whichever rounding."""
        return -(-self.payable_fen * pieces // self.qty)


@dataclass
class Sale:
    """A sale as it was acknowledged, what came after, and whether the model knows that it was paid.

    ``tried`` are the decisions sent while it waited, ``told`` the one that was acknowledged. ``coupons`` is what it
    takes off each coupon's account, ``coupons_back`` what its refunds returned; ``cards`` and ``cards_back`` are the
    same of gift cards. ``passes`` are the cards that its lines sold, one each, and what they cost.
    """

    id: str
    member: Member
    till: Till
    status: str
    payable_fen: int
    tenders: dict[str, int]
    points_paid: int
    earned: int
    lines: list[Line]
    expires_at: float = 0.0
    paid: bool = False
    tried: set[str] = field(default_factory=set)
    told: str = ""
    refunds: int = 0
    refunded_fen: int = 0
    back: dict[str, int] = field(default_factory=dict)
    clawed: int = 0
    returned: int = 0
    coupons: Counter[str] = field(default_factory=Counter)
    coupons_back: Counter[str] = field(default_factory=Counter)
    cards: Counter[str] = field(default_factory=Counter)
    cards_back: Counter[str] = field(default_factory=Counter)
    passes: dict[int, tuple[Offer, int]] = field(default_factory=dict)

    @property
    def spent_fen(self) -> int:
        """What the member paid, less what came back of it: coupons' shares are no spending."""
        return self.bought_fen - (self.refunded_fen - self.back.get("coupon", 0))

    @property
    def bought_fen(self) -> int:
        """What the member paid."""
        return self.payable_fen - self.tenders.get("coupon", 0)

    @property
    def own_fen(self) -> int:
        """What it takes of the member's own: this counts towards what needs no confirmation."""
        return sum(self.tenders.get(own, 0) for own in ("stored", "points", "rebate", "gift_card"))

    def gave_back_wrongly(self) -> Iterator[str]:
        """Its refunds gave no more than it took, and together where it came from."""
        if self.refunded_fen > self.payable_fen or self.clawed > self.earned or self.returned > self.points_paid:
            yield f"sale {self.id} gave back more than it took: {self}"
        if self.coupons_back - self.coupons or self.cards_back - self.cards:
            yield f"sale {self.id} gave back more of a coupon or a gift card than it took: {self}"
        whole_back = (self.back, self.returned, self.clawed, self.coupons_back, self.cards_back)
        took = (self.tenders, self.points_paid, self.earned, self.coupons, self.cards)
        if self.refunds and self.refunded_fen == self.payable_fen and whole_back != took:
            yield f"sale {self.id} was refunded wholly, but not to where it came from: {self}"

    def wish(self, random: Random) -> tuple[dict[str, Any], int, int]:
        """What is to be refunded, and the least and the most fen that this may be: an amount is exact."""
        if random.random() < 0.5:
            line = random.choice(self.lines)
            pieces = random.randint(1, line.qty)
            return {"lines": [{"line_no": line.number, "qty": pieces}]}, 1, line.share(pieces)
        amount_fen = random.choice((1, max(1, self.payable_fen // 2), max(1, self.payable_fen)))
        return {"amount_fen": amount_fen}, amount_fen, amount_fen


def by_type(items: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """What tenders come to, or what goes back by them: fen by type."""
    found: Counter[str] = Counter()
    for item in items:
        found[item["type"]] += item["amount_fen"]
    return dict(found)


def make_basket(dice: Random, order_no: str) -> dict[str, Any]:
    """What somebody buys, and how it is paid."""
    lines: list[dict[str, Any]] = [
        {
            "sku": f"X-{dice.randrange(200)}",
            "qty": dice.choice((1, 1, 2, 3)),
            "unit_price_fen": dice.randrange(50, 900),
        }
        for _ in range(dice.choice((1, 1, 2, 3, 4)))
    ]
    if dice.random() < 0.1:
        lines[0]["discount_fen"] = lines[0]["unit_price_fen"] // 3
    if dice.random() < 0.03:
        lines[0]["unit_price_fen"] = dice.randrange(SINGLE_FREE_FEN, 2 * SINGLE_FREE_FEN)
    basket: dict[str, Any] = {"order_no": order_no, "lines": lines}
    ways: tuple[Any, ...] = (
        None,
        None,
        [{"type": "points", "points": dice.randrange(1, LEAST_PAYABLE_FEN)}, {"type": "stored"}],
        [{"type": "cash"}],
        [{"type": "external", "reference": "W1"}],
        [{"type": "stored", "amount_fen": dice.randrange(1, LEAST_PAYABLE_FEN)}, {"type": "cash"}],
    )
    if (tenders := dice.choice(ways)) is not None:
        basket["tenders"] = tenders
    if dice.random() < 0.02:
        basket["code_entry"] = "typed"
    return basket
