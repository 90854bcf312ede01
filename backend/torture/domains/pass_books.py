"""Passes as they were acknowledged, and as they are stored: whether the two agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

FACTS = {
    "pass uses": """
SELECT id, member_id, body->>'pass_id', state, (body->>'qty')::int, (body->>'value_fen')::bigint
  FROM ledger_document WHERE kind = 'pass_use'""",
    "passes sold": """
SELECT d.id, (p->>'line_no')::int, d.member_id, p->>'id', (p->>'paid_fen')::bigint FROM ledger_document d
 CROSS JOIN LATERAL jsonb_array_elements(d.body->'passes') AS p
 WHERE d.kind = 'sale' AND d.state IN ('completed', 'partly_refunded', 'refunded') AND d.body ? 'passes'""",
    "pass books": """
SELECT e.member_id, e.ref, t.kind, coalesce(sum(e.amount) FILTER (WHERE e.kind = 'service'), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.kind = 'service_value'), 0)::bigint
  FROM ledger_entry e JOIN ledger_transfer t USING (member_id, seq)
 WHERE e.kind IN ('service', 'service_value') GROUP BY 1, 2, 3""",
}

BY_CLOCK = frozenset({"pass_expiry", "pass_recognition"})
"""Transfers that nobody asked for; the oracle counts them as what expired."""


class Offer(NamedTuple):
    """A product as head office made it."""

    id: str
    sku: str
    kind: str
    uses: int


@dataclass
class Piece:
    """A pass that its holder was shown, or was given."""

    id: str
    member_id: int
    product_id: str


@dataclass
class Made:
    """A use that was acknowledged."""

    pass_id: str
    qty: int
    counted: bool
    undone: bool = False


Facts = Mapping[str, Sequence[Sequence[Any]]]


@dataclass
class Told:
    """Everything that was acknowledged. ``bought`` by sale and line: who, what and for how much."""

    offers: dict[str, Offer] = field(default_factory=dict)
    bought: dict[tuple[str, int], tuple[int, Offer, int]] = field(default_factory=dict)
    pieces: dict[str, Piece] = field(default_factory=dict)
    given: dict[str, Offer] = field(default_factory=dict)
    uses: dict[str, Made] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    earned: Counter[int] = field(default_factory=Counter)

    def use(self, use_id: str, pass_id: str, qty: int, *, counted: bool) -> None:
        """A use was acknowledged."""
        self.uses.setdefault(use_id, Made(pass_id, qty, counted))

    def undo(self, use_id: str) -> bool:
        """An undo was acknowledged; False where one was before."""
        made = self.uses[use_id]
        if made.undone:
            return False
        made.undone = True
        return True

    def earned_since(self, facts: Facts) -> Counter[int]:
        """What uses, undos and refunds took from each member's passes since the last time; judged before."""
        now: Counter[int] = Counter()
        for member_id, _, kind, _, fen in facts["pass books"]:
            if kind not in BY_CLOCK | {"sale"}:
                now[member_id] -= fen
        since = Counter({member: now[member] - self.earned[member] for member in now.keys() | self.earned.keys()})
        self.earned = now
        return since


def compare(told: Told, facts: Facts) -> Iterator[str]:
    """What does not agree, in words."""
    yield from _sold(told, facts)
    yield from _uses(told, facts)
    yield from _worth(told, facts)


def _sold(told: Told, facts: Facts) -> Iterator[str]:
    """Each line that sold a card issued one, for what it cost."""
    stored = {(row[0], row[1]): (row[2], row[4]) for row in facts["passes sold"]}
    for where in told.bought.keys() - stored.keys():
        yield f"sale {where[0]} sold a card in line {where[1]} and keeps none"
    for where, (member_id, paid) in stored.items():
        bought = told.bought.get(where)
        if bought is None or (bought[0], bought[2]) != (member_id, paid):
            yield f"sale {where[0]} keeps a card for {paid} fen in line {where[1]}, acknowledged was {bought}"


def _uses(told: Told, facts: Facts) -> Iterator[str]:
    """Each use that is stored was acknowledged, and undone if and only if that was."""
    rows = {row[0]: row for row in facts["pass uses"]}
    for use_id in told.uses.keys() - rows.keys():
        yield f"use {use_id} was acknowledged and is not stored"
    for use_id, (_, _, pass_id, state, qty, _) in rows.items():
        made = told.uses.get(use_id)
        if made is None:
            yield f"use {use_id} of pass {pass_id} was never acknowledged"
        elif (made.pass_id, made.qty, "undone" if made.undone else "used") != (pass_id, qty, state):
            yield f"use {use_id} is {state}, {qty} of pass {pass_id}; acknowledged was {made}"


def _worth(told: Told, facts: Facts) -> Iterator[str]:
    """A pass gave what was bought; its uses earned their shares, all of them what was paid, and an end ends it."""
    offers = {offer.id: offer for offer in told.offers.values()}
    used: Counter[str] = Counter()
    undone: Counter[str] = Counter()
    for made in told.uses.values():
        if made.counted:
            (undone if made.undone else used)[made.pass_id] += made.qty
    sold = {row[3]: (told.bought[row[0], row[1]][1], row[4]) for row in facts["passes sold"]
            if (row[0], row[1]) in told.bought}  # fmt: skip
    moved: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for _, pass_id, kind, uses, fen in facts["pass books"]:
        moved[pass_id][kind] = uses, fen
    for pass_id, kinds in moved.items():
        offer, paid = sold.get(pass_id) or (told.given.get(pass_id), 0)
        if offer is None or offer.id not in offers:
            yield f"pass {pass_id} was neither sold nor given"
            continue
        taken, earned = (-sum(kinds.get(kind, (0, 0))[n] for kind in ("pass_use", "pass_undo")) for n in (0, 1))
        uses, fen = (sum(kind[n] for kind in kinds.values()) for n in (0, 1))
        if taken != used[pass_id]:
            yield f"pass {pass_id}: {taken} uses were taken, acknowledged were {used[pass_id]}"
        # A share is less than a fen off its place; each undo out of turn may add as much.
        if abs(earned * offer.uses - paid * taken) > offer.uses * (1 + undone[pass_id]):
            yield f"pass {pass_id}: {taken} of {offer.uses} uses earned {earned} of {paid} fen"
        if not 0 <= uses <= offer.uses or not 0 <= fen <= paid or (not uses and fen):
            yield f"pass {pass_id} of {offer.uses} uses for {paid} fen holds {uses} and {fen}"
        if pass_id in told.ended and (uses or fen):
            yield f"pass {pass_id} was ended and holds {uses} uses and {fen} fen"
