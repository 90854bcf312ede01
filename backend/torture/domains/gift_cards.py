"""Gift cards: sold, shown, bound, spent in sales and by passers-by, refunded, frozen; many want one card at once."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Member, Op, Till, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books

BASE = "/v1/admin/gift-cards"
MEMBER = "/v1/member/gift-cards"
PRINTED = 1500
"""Cards of a run; once all are sold nobody sells more."""

LEAST_FEN, MOST_FEN = 500, 20_000
PAYS_NOTHING = frozenset({"gift_card_not_active", "gift_card_frozen", "gift_card_closed"})
BOUND = frozenset({"gift_card_named"})
TRIED = frozenset({"gift_card_invalid", "gift_card_locked"})
DEAD = frozenset({"gift_card_token_expired"})
REFUSALS = PAYS_NOTHING | DEAD | BOUND | {"insufficient_balance"}
"""Of a sale or a charge that a card is to pay: others may have spent or bound it, and staff may have frozen it."""


@dataclass
class Card:
    """A card as it was printed, and what was told of it; ``charges`` are what its charges took, by id."""

    number: str
    pin: str
    id: str = ""
    loaded: int = 0
    paid: int = 0
    back: int = 0
    activation: str = ""
    sold_at: str = ""
    member_id: int = 0
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """What must be on it."""
        return self.loaded - self.paid + self.back


@dataclass
class Charge:
    """What a passer-by paid, and what came back of it."""

    card: Card
    store_id: str
    fen: int
    back: int = 0


class GiftCards(Domain):
    """What is on a card is what was loaded, less what it paid, plus what came back; and never anything else."""

    order: ClassVar[int] = 36  # compares when it is known which sales were paid
    sums: ClassVar = {"gift_card": {"gift_card": 1}}
    facts: ClassVar = {
        "gift cards": "SELECT id::text, state, member_id FROM giftcard WHERE state <> 'made'",
        "gift clearing": "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry WHERE kind = 'house.gift_clearing'",
    }
    machines: ClassVar = {
        "gift_activation": {"": ("active",), "active": ("undone",), "undone": ()},
        "gift_charge": {
            "": ("charged",),
            "charged": ("partly_refunded", "refunded"),
            "partly_refunded": ("partly_refunded", "refunded"),
            "refunded": (),
        },
        "gift_charge_refund": {"": ("posted",), "posted": ()},
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.unsold: deque[Card] = deque()
        self.cards: dict[str, Card] = {}
        self.recent: deque[Card] = deque(maxlen=60)
        self.charges: dict[str, Charge] = {}
        self.told: set[str] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What tills, phones, thieves and head office do."""
        return (
            Operation("gift card sold", 1.5, self.sell),
            Operation("gift card undone", 0.3, self.undo),
            Operation("gift card bound", 1, self.bind),
            Operation("gift card charge", 2, self.charge),
            Operation("gift card charge back", 1, self.refund),
            Operation("gift card guessed", 0.3, self.guess),
            Operation("gift card frozen", 0.2, self.freeze),
            Operation("gift cards looked at", 0.5, self.look),
        )

    async def prepare(self) -> None:
        """Head office has cards printed; that goes wrong nowhere, nothing is broken yet."""
        op = Op(-1, "gift cards printed", Random(0))
        made: list[Any] = []
        terms = {"title": "礼品卡", "min_fen": LEAST_FEN, "max_fen": MOST_FEN}
        await self.world.ask(
            op, Request(self.world.admin, "POST", f"{BASE}/products", encode(terms)), accept=made.append
        )
        path = f"{BASE}/products/{made[0]['id']}/batches"
        body = encode({"total": PRINTED})
        await self.world.ask(op, Request(self.world.admin, "POST", path, body), accept=made.append)
        file = await self.world.ask(op, Request(self.world.admin, "POST", f"{BASE}/batches/{made[1]['id']}/export"))
        for line in file.body.decode("utf-8-sig").splitlines()[1:]:
            number, pin, *_ = line.split(",")
            self.unsold.append(Card(number.replace(" ", ""), pin.removeprefix("'")))
        numbers = {card.number for card in self.unsold}
        if len(numbers) != PRINTED:
            self.world.blame(f"a batch of {PRINTED} gift cards has {len(numbers)} numbers")

    # -- sold, and taken back

    async def sell(self, op: Op) -> None:
        """A card is loaded; sometimes by two tills at once, of which one does it."""
        if not self.unsold:
            return
        card, fen = self.unsold.popleft(), op.random.randrange(LEAST_FEN, MOST_FEN)
        twice = op.random.random() < 0.1
        await asyncio.gather(*(self._sell(op, card, fen, twin) for twin in ("a", "b")[: 2 if twice else 1]))

    async def _sell(self, op: Op, card: Card, fen: int, twin: str) -> None:
        till, key = op.random.choice(self.world.tills), f"g{self.world.seed}-{op.number}{twin}"

        def accept(sold: Any) -> None:
            if self._heard(sold["id"]):
                return
            if sold["amount_fen"] != fen or card.loaded:
                self.world.blame(f"a gift card with {card.loaded} fen was loaded with {sold} for {fen}")
            card.id, card.loaded, card.activation, card.sold_at = sold["card_id"], fen, sold["id"], till.store_id
            self.cards[card.id] = card
            self.recent.append(card)

        body = {"card_no": card.number, "order_no": key, "amount_fen": fen}
        request = Request(till, "POST", "/v1/pos/gift-cards/activate", encode(body), key, f"terminal/{till.id}")
        await self.world.ask(op, request, accept=accept, refusals=frozenset({"gift_card_activated"}))

    async def undo(self, op: Op) -> None:
        """The sale of a card is taken back, if nothing was done with it; it is not sold again."""
        card = self._pick(op.random)
        if card is None:
            return
        till, key = self.world.till_of(op.random, card.sold_at), f"g{self.world.seed}-{op.number}"

        def accept(undone: Any) -> None:
            if self._heard(f"undone {undone['id']}"):
                return
            if undone["amount_fen"] != card.loaded or card.member_id:
                self.world.blame(f"a gift card loaded with {card.loaded} fen was taken back as {undone}")
            card.loaded -= undone["amount_fen"]

        path = f"/v1/pos/gift-cards/activations/{card.activation}/undo"
        request = Request(till, "POST", path, b"", key, f"terminal/{till.id}")
        refusals = PAYS_NOTHING | {"gift_card_spent", "gift_card_bound", "gift_card_undone"}
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    # -- whose it is

    async def bind(self, op: Op) -> None:
        """A member makes a card their own; sometimes two want it, and one gets it."""
        card = self._pick(op.random)
        if card is None:
            return
        wanting = [self.world.pick(op.random) for _ in range(2 if op.random.random() < 0.2 else 1)]
        await asyncio.gather(*(self._bind(op, card, member) for member in wanting))

    async def _bind(self, op: Op, card: Card, member: Member) -> None:
        def accept(bound: Any) -> None:
            if card.member_id not in (0, member.id) or bound["id"] != card.id:
                self.world.blame(f"gift card {card.id} of member {card.member_id} was bound by {member.id}")
            card.member_id = member.id

        body = encode({"card_no": card.number, "pin": card.pin})
        refusals = TRIED - {"gift_card_invalid"} | PAYS_NOTHING | {"gift_card_bound", "gift_card_limit"}
        request = Request(member, "POST", MEMBER, body)
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    async def look(self, op: Op) -> None:
        """A member's cards are their own."""
        member = self.world.pick(op.random)

        def accept(shown: Any) -> None:
            for item in shown["items"]:
                card = self.cards.get(item["id"])
                if card is not None and card.member_id not in (0, member.id):
                    self.world.blame(f"member {member.id} is shown the gift card of {card.member_id}")

        await self.world.ask(op, Request(member, "GET", MEMBER), accept=accept)

    # -- spent

    async def tender(self, op: Op, till: Till, member: Member, most_fen: int) -> dict[str, Any] | None:
        """A gift card to pay up to so much with at that till: a card of the member's own, or one whose PIN is shown."""
        own = [card for card in self.recent if card.member_id == member.id]
        card = op.random.choice(own) if own and op.random.random() < 0.7 else self._pick(op.random)
        if card is None:
            return None
        reference = card.id if card.member_id == member.id else await self._token(op, till, card)
        if not reference:
            return None
        fen = max(1, min(most_fen, card.left if op.random.random() < 0.9 else most_fen))
        return {"type": "gift_card", "reference": reference, "amount_fen": fen}

    async def tender_online(self, op: Op, member: Member, most_fen: int) -> dict[str, Any] | None:
        """A gift card to pay up to so much of an order with: the member's own, or one whose PIN they type."""
        own = [card for card in self.recent if card.member_id == member.id]
        card = op.random.choice(own) if own and op.random.random() < 0.8 else self._pick(op.random)
        if card is None:
            return None
        reference = card.id if card.member_id == member.id else await self._token(op, member, card)
        if not reference:
            return None
        fen = max(1, min(most_fen, card.left if op.random.random() < 0.9 else most_fen))
        return {"type": "gift_card", "reference": reference, "amount_fen": fen}

    def whose(self, dice: Random) -> Member | None:
        """Somebody who has bound a card, mostly."""
        bound = [card for card in self.recent if card.member_id]
        if not bound or dice.random() < 0.2:
            return None
        owner = dice.choice(bound).member_id
        return next((member for member in self.world.members if member.id == owner), None)

    async def charge(self, op: Op) -> None:
        """A passer-by pays; sometimes at two tills at once, of a card that has enough for one."""
        card = self._pick(op.random)
        if card is None:
            return
        fen = max(1, card.left if op.random.random() < 0.2 else card.left // 3)
        tills = op.random.sample(self.world.tills, 2 if op.random.random() < 0.2 else 1)
        await asyncio.gather(*(self._charge(op, till, card, fen) for till in tills))

    async def _charge(self, op: Op, till: Till, card: Card, fen: int) -> None:
        token = await self._token(op, till, card)
        if not token:
            return
        key, owner = f"g{self.world.seed}-{op.number}-{till.id}", card.member_id

        def accept(paid: Any) -> None:
            if self._heard(paid["id"]):
                return
            if owner:
                self.world.blame(f"gift card {card.id} of member {owner} paid for a passer-by: {paid}")
            if (paid["card_id"], paid["amount_fen"]) != (card.id, fen):
                self.world.blame(f"a charge of {fen} to {card.id} is {paid}")
            card.paid += fen
            self.charges[paid["id"]] = Charge(card, till.store_id, fen)

        body = encode({"card_token": token, "order_no": key, "amount_fen": fen})
        request = Request(till, "POST", "/v1/pos/gift-cards/charges", body, key, f"terminal/{till.id}")
        await self.world.ask(op, request, accept=accept, refusals=REFUSALS)

    async def _token(self, op: Op, where: Till | Member, card: Card) -> str:
        """What stands for the card at that till or on that phone; an earlier one as long as it is good."""
        place, path = str(where.id), "/v1/pos/gift-cards/check" if isinstance(where, Till) else f"{MEMBER}/check"
        kept, until = card.tokens.get(place, ("", 0.0))
        if until > self.world.now() + 30:
            return kept

        def accept(shown: Any) -> None:
            if shown["card_id"] != card.id:
                self.world.blame(f"gift card {card.id} was taken for {shown['card_id']}")
            card.tokens[place] = shown["card_token"], self.world.now() + 240

        body = encode({"card_no": card.number, "pin": card.pin})
        request = Request(where, "POST", path, body)
        refusals = PAYS_NOTHING | BOUND | {"gift_card_locked"}
        answer = await self.world.ask(op, request, accept=accept, refusals=refusals)
        return card.tokens[place][0] if answer.good else ""

    async def refund(self, op: Op) -> None:
        """Part or all of a charge comes back, at a till of the store that took it."""
        if not self.charges:
            return
        charge_id = op.random.choice(list(self.charges)[-100:])
        charge = self.charges[charge_id]
        fen = op.random.choice((1, max(1, charge.fen // 2), charge.fen))
        till, key = self.world.till_of(op.random, charge.store_id), f"g{self.world.seed}-{op.number}"

        def accept(given: Any) -> None:
            if self._heard(given["id"]):
                return
            charge.back += fen
            charge.card.back += fen
            if charge.back > charge.fen or given["amount_fen"] != fen:
                self.world.blame(f"charge {charge_id} of {charge.fen} gave back {charge.back}: {given}")

        path = f"/v1/pos/gift-cards/charges/{charge_id}/refunds"
        body = encode({"amount_fen": fen, "reason": "退货"})
        request = Request(till, "POST", path, body, key, f"terminal/{till.id}")
        await self.world.ask(op, request, accept=accept, refusals=frozenset({"refund_exceeds_paid"}))

    # -- what the till's sales do to them

    def taken(self, tenders: Iterable[Mapping[str, Any]]) -> Counter[str]:
        """What the gift cards of a sale or of a refund are of it, by card."""
        found: Counter[str] = Counter()
        for tender in tenders:
            if tender["type"] == "gift_card":
                found[tender["reference"]] += tender["amount_fen"]
                if tender["reference"] not in self.cards:
                    self.world.blame(f"a gift card {tender['reference']} was taken that nobody sold")
        return found

    def pay(self, taken: Mapping[str, int]) -> None:
        """A sale was paid with them."""
        for card_id, fen in taken.items():
            self.cards[card_id].paid += fen

    def give_back(self, given: Mapping[str, int]) -> None:
        """A refund went back to them."""
        for card_id, fen in given.items():
            self.cards[card_id].back += fen

    # -- thieves and head office

    async def guess(self, op: Op) -> None:
        """A number with a wrong PIN, at a till."""
        card = self._pick(op.random)
        if card is not None:
            wrong = f"{(int(card.pin) + op.random.randrange(1, 10**6)) % 10**6:06d}"
            body = encode({"card_no": card.number, "pin": wrong})
            request = Request(op.random.choice(self.world.tills), "POST", "/v1/pos/gift-cards/check", body)
            await self.world.ask_in_vain(op, request, refusals=TRIED)

    async def freeze(self, op: Op) -> None:
        """A card is frozen and thawed again; what it paid meanwhile it did not pay."""
        card = self._pick(op.random)
        if card is None:
            return
        body = encode({"reason": "报失"})
        for what in ("freeze", "thaw"):
            request = Request(self.world.admin, "POST", f"{BASE}/cards/{card.id}/{what}", body)
            await self.world.ask(op, request, refusals=frozenset({"gift_card_conflict"}))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Every card holds what it must, nobody else holds any, and every sale met its cards."""
        held = {str(member_id): left for (member_id, kind), left in books.balances.items() if kind == "gift_card"}
        for card_id in held.keys() - self.cards.keys():
            yield f"gift card {card_id} was loaded, and nobody was told"
        for card in self.cards.values():
            if held.get(card.id, 0) != card.left:
                yield f"gift card {card.id} has {held.get(card.id, 0)}, acknowledged was {card.left}"
            if not 0 <= card.left <= card.loaded:
                yield f"gift card {card.id} was loaded with {card.loaded} and has {card.left}"
        for card_id, state, member_id in books.facts.get("gift cards", ()):
            told = self.cards[card_id].member_id if card_id in self.cards else 0
            if (member_id or 0) != told:
                yield f"gift card {card_id}, {state}, belongs to {member_id}, acknowledged was {told}"
        for (left,) in books.facts.get("gift clearing", ()):
            if left:
                yield f"gift cards gave {left} fen more than sales took of them"

    def _pick(self, random: Random) -> Card | None:
        """A card that was sold, mostly one of the last."""
        living = [card for card in self.recent if card.loaded]
        return random.choice(living) if living else None

    def _heard(self, what: str) -> bool:
        """Whether this success was told before: a doubt that was settled twice, or a request that was sent twice."""
        known = what in self.told
        self.told.add(what)
        return known
