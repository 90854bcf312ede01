"""Passes: sold by tills, used by two of them at once, undone, given back, ended by staff and by the clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Member, Op, Till, World, encode
from . import Domain, Operation
from .pass_books import FACTS, Offer, Piece, Told, compare

if TYPE_CHECKING:
    from ..oracle import Books
    from .sale import Sale

PRODUCTS = "/v1/admin/pass-products"
DISCOUNT_BP = 600
PRICES_FEN = (100, 333, 1_001)
LAST = 300
SEEN_AFTER_S = 2.1
"""What was made is known to every process."""

COUNTED, TIMED, CARD = "counted", "timed", "discount"
GONE = frozenset({"pass_used_up", "pass_expired", "pass_void", "pass_too_few_uses", "pass_day_limit"})
PRESENT = frozenset({"code_expired", "pass_needs_phone"})
KEPT = frozenset({"pass_used", "pass_expired", "pass_void", "pass_refund_by_line"})
"""What a refund of a sale that sold a pass may meet."""


class Passes(Domain):
    """Each use is taken once, a pass gives what was bought, and what was paid is earned to the last fen."""

    order: ClassVar[int] = 32  # compares when it is known which sales were paid
    jobs: ClassVar = ("passes.age_passes",)
    sums: ClassVar = {"passes": {"service": 1}, "pass_value": {"service_value": 1}}
    facts: ClassVar = FACTS
    machines: ClassVar = {
        "pass_use": {"": ("used",), "used": ("undone",), "undone": ()},
        "pass_end": {"": ("posted",), "posted": ()},
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.told = Told()
        self._uses: deque[tuple[Till, Member, str]] = deque(maxlen=LAST)

    @property
    def operations(self) -> Sequence[Operation]:
        """What tills, phones and staff do."""
        return (
            Operation("pass sale", 4, self.sell),
            Operation("pass use", 6, self.use),
            Operation("pass undone", 2, self.undo),
            Operation("pass refund", 1, self.refund),
            Operation("pass list", 2, self.list_own),
            Operation("other's pass", 0.7, self.steal),
            Operation("pass given", 0.5, self.give),
            Operation("pass ended", 0.4, self.end),
        )

    @property
    def _pos(self) -> Any:
        from .pos import Pos

        return self.world.domain(Pos)

    async def prepare(self) -> None:
        """Head office makes the products."""
        for kind, terms in (
            (COUNTED, {"uses": 3, "days": 4}),
            (COUNTED, {"uses": 7}),
            (COUNTED, {"uses": 1, "days": 1}),
            (TIMED, {"days": 3, "per_day": 2}),
            (TIMED, {"days": 40, "per_day": 1}),
            (CARD, {"days": 2, "discount_bp": DISCOUNT_BP}),
        ):
            await self._make(kind, terms)
        self.world.level_discounts.add(DISCOUNT_BP)
        await asyncio.sleep(SEEN_AFTER_S)

    async def _make(self, kind: str, terms: dict[str, Any]) -> None:
        op, sku = Op(-1, "pass product", Random(0)), f"K-{len(self.told.offers)}"
        body = encode({"sku": sku, "title": "卡", "terms": {"kind": kind} | terms})
        made = await self.world.send_until_decided(op, Request(self.world.admin, "POST", PRODUCTS, body, "", "staff"))
        if not made.good:
            self.world.blame(f"a product was answered {made.status} {made.code}")
            return
        path = f"{PRODUCTS}/{made.json['id']}/activate"
        await self.world.send_until_decided(op, Request(self.world.admin, "POST", path, b"", "", "staff"))
        self.told.offers[sku] = Offer(made.json["id"], sku, kind, terms.get("uses", 1))

    # -- sold, and given back with the line

    async def sell(self, op: Op) -> None:
        """A basket with a card in it, sometimes two."""
        picked = self.world.pick_phone(op.random)
        if picked is None:
            return
        member, phone, step = picked
        till, key = self._pos.till(op.random, member), f"{self.world.seed}-{op.number}-card"
        basket = self._pos.basket(op) | {"code": self._pos.codes.show(phone, step, till), "order_no": key}
        for _ in range(op.random.choice((1, 1, 2))):
            sku = op.random.choice(list(self.told.offers))
            basket["lines"].append({"sku": sku, "qty": 1, "unit_price_fen": op.random.choice(PRICES_FEN)})
        await self._pos.ring_up(op, till, member, basket, key, (phone, step))

    def sold_by(self, lines: Sequence[dict[str, Any]]) -> dict[int, tuple[Offer, int]]:
        """Which of a sale's lines sell a card, and what each cost."""
        return {
            line["line_no"]: (self.told.offers[line["sku"]], line["payable_fen"])
            for line in lines
            if line.get("sku") in self.told.offers
        }

    def issue(self, sale: Sale) -> None:
        """The sale was paid: the member has its cards."""
        for line_no, (offer, fen) in sale.passes.items():
            self.told.bought[sale.id, line_no] = (sale.member.id, offer, fen)
            self.world.model.move(sale.member.id, passes=offer.uses, pass_value=fen)

    def take_back(self, sale: Sale, ended: Sequence[str], lines: Sequence[dict[str, Any]]) -> None:
        """A refund of these lines ended these passes: each with all of its uses."""
        offers = [sale.passes[line["line_no"]][0] for line in lines if line["line_no"] in sale.passes]
        if len(ended) != len(offers):
            self.world.blame(f"a refund of {lines} of sale {sale.id} ended the passes {ended}")
        self.world.model.move(sale.member.id, passes=-sum(offer.uses for offer in offers))
        self.told.ended.update(ended)

    async def refund(self, op: Op) -> None:
        """Of a sale that sold a card."""
        sales = [sale for sale in self._pos.recent if sale.passes]
        if sales:
            await self._pos.give_back(op, op.random.choice(sales[-20:]))

    # -- used and undone

    async def _scan(self, op: Op, member: Member) -> tuple[Till, str] | None:
        step = self.world.step()
        phone = next((phone for phone in member.phones if phone.last_step < step), None)
        if phone is None:
            return None
        phone.last_step = step
        till = self._pos.till(op.random, member)
        token = await self._pos.scan(op, till, member, phone, step)
        return (till, token) if token else None

    async def use(self, op: Op) -> None:
        """One pass, by two requests at once as often as not; sometimes beside the refund of what sold it."""
        piece = self._pick(op)
        if piece is None:
            return
        member = self._holder(piece)
        scanned = await self._scan(op, member)
        if scanned is None:
            return
        till, token = scanned
        await asyncio.gather(
            *(self._use(op, n, till, member, token, piece) for n in range(op.random.choice((1, 1, 2, 3))))
        )

    def _pick(self, op: Op) -> Piece | None:
        pieces = list(self.told.pieces.values())[-LAST:]
        return op.random.choice(pieces) if pieces else None

    def _holder(self, piece: Piece) -> Member:
        return next(member for member in self.world.members if member.id == piece.member_id)

    async def _use(self, op: Op, number: int, till: Till, member: Member, token: str, piece: Piece) -> None:
        key, qty = f"{self.world.seed}-{op.number}-use{number}", op.random.choice((1, 1, 1, 2))

        def accept(answer: Any) -> None:
            if (answer["pass_id"], answer["qty"]) != (piece.id, qty):
                self.world.blame(f"a use of {qty} of pass {piece.id} was answered {answer}")
            self.told.use(answer["id"], piece.id, qty, counted=answer["uses_left"] is not None)
            self._uses.append((till, member, answer["id"]))
            if answer["uses_left"] is not None:
                self.world.model.move(member.id, passes=-qty)

        path = f"/v1/pos/passes/{piece.id}/uses"
        request = Request(till, "POST", path, encode({"scan_token": token, "qty": qty}), key, f"terminal/{till.id}")
        refusals = GONE | PRESENT | {"pass_not_for_use"}
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    async def undo(self, op: Op) -> None:
        """A use is taken back, by two tills of the store at once as often as not: once."""
        if not self._uses:
            return
        till, member, use_id = op.random.choice(self._uses)
        tills = [self.world.till_of(op.random, till.store_id) for _ in range(op.random.choice((1, 2)))]
        await asyncio.gather(*(self._undo(op, n, by, member, use_id) for n, by in enumerate(tills)))

    async def _undo(self, op: Op, number: int, till: Till, member: Member, use_id: str) -> None:
        def accept(answer: Any) -> None:
            if not self.told.undo(use_id):
                self.world.blame(f"the use {use_id} was undone twice")
            elif answer["uses_left"] is not None:
                self.world.model.move(member.id, passes=answer["qty"])

        key, path = f"{self.world.seed}-{op.number}-undo{number}", f"/v1/pos/pass-uses/{use_id}/undo"
        request = Request(till, "POST", path, b"", key, f"terminal/{till.id}")
        refusals = frozenset({"pass_use_undone", "pass_undo_too_late", "pass_expired", "pass_void"})
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    async def steal(self, op: Op) -> None:
        """Whoever is scanned uses nobody else's pass."""
        piece, member = self._pick(op), self.world.pick(op.random)
        if piece is None or piece.member_id == member.id:
            return
        scanned = await self._scan(op, member)
        if scanned is not None:
            till, token = scanned
            key, path = f"{self.world.seed}-{op.number}-stolen", f"/v1/pos/passes/{piece.id}/uses"
            request = Request(till, "POST", path, encode({"scan_token": token}), key, f"terminal/{till.id}")
            await self.world.ask_in_vain(op, request, refusals=PRESENT | {"not_found"})

    # -- looking, and staff

    async def list_own(self, op: Op) -> None:
        """What a member can use: their own, and so they learn of it."""
        member = self.world.pick(op.random)

        def accept(shown: Any) -> None:
            for item in shown["items"]:
                piece = self.told.pieces.setdefault(item["id"], Piece(item["id"], member.id, item["product_id"]))
                if piece.member_id != member.id:
                    self.world.blame(f"member {member.id} was shown the pass {item['id']}")

        await self.world.ask(op, Request(member, "GET", "/v1/member/passes"), accept=accept)

    async def give(self, op: Op) -> None:
        """Head office gives somebody a card; nothing was paid for it."""
        member, offer = self.world.pick(op.random), op.random.choice(list(self.told.offers.values()))
        body = encode({"member_id": str(member.id), "reason": "补偿"})
        path, key = f"{PRODUCTS}/{offer.id}/passes", f"p{self.world.seed}-{op.number}"
        answer = await self.world.send_until_decided(op, Request(self.world.admin, "POST", path, body, key, "staff"))
        if answer.good:
            self.told.pieces.setdefault(answer.json["id"], Piece(answer.json["id"], member.id, offer.id))
            self.told.given[answer.json["id"]] = offer
            self.world.model.move(member.id, passes=offer.uses)
        elif answer.code not in {"member_inactive", "rate_limited"}:
            self.world.blame(f"a gift of a pass was answered {answer.status} {answer.code}")

    async def end(self, op: Op) -> None:
        """Head office gives back what is left of a pass, or takes it away."""
        piece = self._pick(op)
        if piece is None:
            return
        way, key = op.random.choice(("refund", "void")), f"e{self.world.seed}-{op.number}"
        path, body = f"/v1/admin/passes/{piece.id}/{way}", encode({"reason": "顾客要求"})
        answer = await self.world.send_until_decided(op, Request(self.world.admin, "POST", path, body, key, "staff"))
        if answer.good:
            self.told.ended.add(piece.id)
            self.world.model.move(piece.member_id, passes=-answer.json["uses"])
        elif answer.code not in GONE | {"stale", "rate_limited"}:
            self.world.blame(f"the end of pass {piece.id} was answered {answer.status} {answer.code}")

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Everything that was acknowledged with everything stored; what uses earned is read and judged."""
        yield from compare(self.told, books.facts)
        for member_id, fen in self.told.earned_since(books.facts).items():
            self.world.model.move(member_id, pass_value=-fen)
