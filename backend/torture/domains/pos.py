"""The till: scan, sale, confirmation, cancel, refund."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ..journal import Request
from ..signing import make_code
from ..world import Member, Op, Phone, Till, encode
from . import Domain, Operation
from .codes import CODE, Codes
from .coupons import Coupons
from .gift_cards import BOUND, PAYS_NOTHING, GiftCards
from .passes import KEPT, Passes
from .sale import SINGLE_FREE_FEN, Line, Sale, by_type, make_basket

if TYPE_CHECKING:
    from ..oracle import Books, Document

DAY_FREE_FEN = 100_000
BP = 10_000
TWO_TILLS, SENT_TWICE = 0.04, 0.04
"""Shares of sales whose code is shown to two tills at the same moment, or that are sent twice at once."""

MOST_POINTS_A_YUAN = 5
"""More points for a yuan no category and level of the chain give."""

_BEIJING = timedelta(hours=8)
SALE = CODE | {"insufficient_balance", "order_exists"}
_WAITED = frozenset(
    {
        "sale_completed",
        "sale_not_waiting",
        "insufficient_balance",
        "coupon_unavailable",
        "pin_locked",
        "pin_invalid",
        "pass_void",
    }
    | PAYS_NOTHING
    | BOUND
)
_DONE = ("completed", "partly_refunded", "refunded")


class Pos(Domain):
    """Every sale is paid once, and what is refunded was paid before."""

    order: ClassVar[int] = 30
    jobs: ClassVar = ("pos.expire_waiting_sales",)
    machines: ClassVar = {
        "sale": {
            "": ("completed", "awaiting_confirmation"),
            "awaiting_confirmation": ("completed", "rejected", "expired", "cancelled"),
            "completed": ("partly_refunded", "refunded"),
            "partly_refunded": ("partly_refunded", "refunded"),
            "refunded": (),
            "rejected": (),
            "expired": (),
            "cancelled": (),
        },
        "refund": {
            "": ("posted", "refunding"),
            "refunding": ("posted", "refund_failed"),
            "refund_failed": ("refunding", "posted"),
            "posted": (),
        },
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.sales: dict[str, Sale] = {}
        self.refunds: set[str] = set()
        self.recent: deque[Sale] = deque(maxlen=2000)
        self.waiting: deque[Sale] = deque(maxlen=300)
        self.touched: set[str] = set()
        self.versions: dict[str, int] = {}
        self.free: dict[tuple[int, str], int] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """What tills and phones do."""
        return (
            Operation("sale", 34, self.sell),
            Operation("scan and sale", 5, self.scan_and_sell),
            Operation("refund", 8, self.refund),
            Operation("decision", 4, self.decide),
        )

    @property
    def codes(self) -> Codes:
        """What the phones show."""
        return self.world.domain(Codes)

    # -- sales

    async def sell(self, op: Op) -> None:
        """A sale in one call, by a code that was not shown before."""
        picked = self.world.pick_phone(op.random)
        if picked is None:  # every phone has shown the code of this step
            return
        member, phone, step = picked
        till, code, key = self.till(op.random, member), (phone, step), f"{self.world.seed}-{op.number}"
        basket = self.basket(op) | {"code": self.codes.show(phone, step, till)}
        chance = op.random.random()
        if chance < TWO_TILLS:
            other, twin = self.till(op.random, member), basket | {"order_no": f"{key}-twin"}
            second = self.ring_up(op, other, member, twin, f"{key}-twin", code)
            await asyncio.gather(self.ring_up(op, till, member, basket, key, code), second)
        elif chance < TWO_TILLS + SENT_TWICE:
            await asyncio.gather(*(self.ring_up(op, till, member, basket, key, code) for _ in range(2)))
        else:
            await self.ring_up(op, till, member, basket, key, code)

    async def scan_and_sell(self, op: Op) -> None:
        """Scan first; the token buys once."""
        picked = self.world.pick_phone(op.random)
        if picked is None:  # every phone has shown the code of this step
            return
        member, phone, step = picked
        till = self.till(op.random, member)
        key = f"{self.world.seed}-{op.number}"
        token = await self.scan(op, till, member, phone, step)
        if token is None:
            return
        basket = self.basket(op) | {"scan_token": token}
        await self.ring_up(op, till, member, basket, key, None)
        if op.random.random() < 0.2:
            twice = basket | {"order_no": f"{key}-twice"}
            request = Request(till, "POST", "/v1/pos/sales", encode(twice), f"{key}-twice", f"terminal/{till.id}")
            refusals = frozenset({"code_used", "code_expired", "insufficient_balance"})
            if (request.scope, key) in self.world.journal.accepted:
                await self.world.ask_in_vain(op, request, refusals=refusals)

    async def scan(self, op: Op, till: Till, member: Member, phone: Phone, step: int) -> str | None:
        """A token for that phone's code of now, or None where it was refused."""
        tokens: list[str] = []

        def accept(scanned: Any) -> None:
            self.codes.spend(phone, step, f"scan at {till.id}")
            if scanned["member"]["id"] != str(member.id):
                self.world.blame(f"the code of {member.id} was taken for {scanned['member']['id']}")
            tokens.append(scanned["scan_token"])

        request = Request(till, "POST", "/v1/pos/scan", encode({"code": self.codes.show(phone, step, till)}))
        await self.world.ask(op, request, accept=accept, refusals=CODE)
        if not tokens:
            self.codes.perhaps_spent.add((phone.id, step))
            return None
        return tokens[0]

    async def ring_up(
        self,
        op: Op,
        till: Till,
        member: Member,
        basket: dict[str, Any],
        key: str,
        code: tuple[Phone, int] | None,
        *,
        refusals: frozenset[str] = SALE,
    ) -> None:
        """Ask for a sale; ``code`` is what it spends, None where a token stands for it."""

        def accept(sale: Any) -> None:
            if code is not None:
                self.codes.spend(*code, key)
            self._sold(sale, basket, member, till)

        request = Request(till, "POST", "/v1/pos/sales", encode(basket), key, f"terminal/{till.id}")
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    def buy_with(
        self, op: Op, member: Member, phone: Phone, *, suffix: str, basket: dict[str, Any] | None = None
    ) -> Request:
        """A purchase with that phone's code of now, for whoever wants to see it refused."""
        till, key = self.world.till_of(op.random, member.home), f"{self.world.seed}-{op.number}-{suffix}"
        code = make_code(phone.handle, phone.secret, self.world.step())
        body = encode((basket or self.basket(op)) | {"code": code, "order_no": key})
        return Request(till, "POST", "/v1/pos/sales", body, key, f"terminal/{till.id}")

    def till(self, random: Random, member: Member) -> Till:
        """Mostly at home: two stores within minutes make a sale wait."""
        return self.world.till_of(random, member.home if random.random() < 0.96 else random.choice(self.world.stores))

    def basket(self, op: Op) -> dict[str, Any]:
        """What somebody buys, and how it is paid."""
        return make_basket(op.random, f"{self.world.seed}-{op.number}")

    def _sold(self, answer: Any, basket: dict[str, Any], member: Member, till: Till) -> None:
        if answer["id"] in self.sales:
            return  # a doubt that was settled twice
        tenders, coupons = by_type(answer["tenders"]), self.world.domain(Coupons).taken(answer["tenders"])
        points = sum(tender.get("points", 0) for tender in answer["tenders"])
        lines = [Line(line["line_no"], line["qty"], line["payable_fen"]) for line in answer["lines"]]
        sale = Sale(
            answer["id"], member, till, answer["status"], answer["payable_fen"], tenders, points,
            answer["points_earned"], lines, coupons=Counter(coupons),
            passes=self.world.domain(Passes).sold_by(answer["lines"]),
            cards=self.world.domain(GiftCards).taken(answer["tenders"]),
        )  # fmt: skip
        self.sales[sale.id] = sale
        self.touched.add(sale.id)
        self._check_prices(answer, basket, sale)
        if sale.status == "completed":
            self.pay(sale)
            self.recent.append(sale)
            self.count_free(sale, answer["at"])
        elif sale.status == "awaiting_confirmation":
            sale.expires_at = datetime.fromisoformat(answer["expires_at"]).timestamp()
            self.waiting.append(sale)
        else:
            self.world.blame(f"a new sale is {sale.status}")

    def pay(self, sale: Sale) -> None:
        """It is paid: what pays it and what it earns is the member's no more, or from now on."""
        sale.paid = True
        stored, rebate = sale.tenders.get("stored", 0), sale.tenders.get("rebate", 0)
        earned = sale.earned - sale.points_paid
        self.world.model.move(sale.member.id, stored=-stored, points=earned, rebate=-rebate)
        self.world.domain(Coupons).use(sale.coupons)
        self.world.domain(Passes).issue(sale)
        self.world.domain(GiftCards).pay(sale.cards)

    def _check_prices(self, answer: Any, basket: dict[str, Any], sale: Sale) -> None:
        """One of the levels' discounts makes every line what it costs; the tenders make the whole."""
        bases = [line["qty"] * line["unit_price_fen"] - line.get("discount_fen", 0) for line in basket["lines"]]
        payables = [line["payable_fen"] for line in answer["lines"]]
        right = any(
            payables == [base - base * discount // BP for base in bases] for discount in self.world.level_discounts
        )
        total = sum(line["qty"] * line["unit_price_fen"] for line in basket["lines"])
        sums = (answer["total_fen"], answer["payable_fen"], sum(sale.tenders.values()), answer["discount_fen"])
        if not right or sums != (total, sum(payables), sum(payables), total - sum(payables)):
            self.world.blame(f"sale {sale.id} is priced {answer} for {basket}")
        self.check_earned(sale)

    def check_earned(self, sale: Sale) -> None:
        """No sale earns more points than any category and level give."""
        if not 0 <= sale.earned <= sale.payable_fen * MOST_POINTS_A_YUAN // 100:
            self.world.blame(f"sale {sale.id} of {sale.payable_fen} fen earned {sale.earned} points")

    def count_free(self, sale: Sale, at: str) -> None:
        """What goes through without confirmation stays within the limits of a sale and of a day."""
        value = sale.own_fen
        day = (datetime.fromisoformat(at).astimezone(UTC) + _BEIJING).date().isoformat()
        so_far = self.free[sale.member.id, day] = self.free.get((sale.member.id, day), 0) + value
        if value > SINGLE_FREE_FEN or so_far > DAY_FREE_FEN:
            self.world.blame(f"member {sale.member.id} paid {value}, on {day} {so_far} fen, without confirming")

    # -- what comes after a sale

    async def decide(self, op: Op) -> None:
        """The member approves or rejects on the phone, or the till cancels."""
        if not self.waiting:
            return
        sale = self.waiting.popleft()
        decisions = ["approve", "approve", "approve", "reject", "cancel"]
        both = op.random.sample(decisions[2:], 2) if op.random.random() < 0.15 else [op.random.choice(decisions)]
        await asyncio.gather(*(self._decide(op, sale, what) for what in both))

    async def _decide(self, op: Op, sale: Sale, what: str) -> None:
        sale.tried.add(what)
        self.touched.add(sale.id)

        def accept(answer: Any) -> None:
            if sale.told not in ("", what):
                self.world.blame(f"sale {sale.id} was told {sale.told} and {what}")
            sale.told = what
            if what == "approve" and answer["status"] not in _DONE:
                self.world.blame(f"sale {sale.id} was approved and is {answer['status']}")
            if what == "approve":
                self.recent.append(sale)

        if what == "cancel":
            key = f"{self.world.seed}-{op.number}"
            path = f"/v1/pos/sales/{sale.id}/cancel"
            request = Request(sale.till, "POST", path, b"", key, f"terminal/{sale.till.id}")
        else:
            body = {"decision": what} | ({"pin": sale.member.pin} if sale.member.pin else {})
            request = Request(sale.member, "POST", f"/v1/member/confirmations/{sale.id}", encode(body))
        await self.world.ask(op, request, accept=accept, refusals=_WAITED)

    async def refund(self, op: Op) -> None:
        """Pieces of a line, or an amount; the same sale may be refunded by two tills at once."""
        if not self.recent:
            return
        sale = self.recent[-1 - op.random.randrange(min(6, len(self.recent)))]
        if op.random.random() < 0.7:
            sale = op.random.choice(self.recent)
        await self.give_back(op, sale)

    async def give_back(self, op: Op, sale: Sale) -> None:
        """A refund of that sale."""
        body, least, most = sale.wish(op.random)
        till = self.world.till_of(op.random, sale.till.store_id)
        key = f"{self.world.seed}-{op.number}"

        def accept(answer: Any) -> None:
            if not least <= answer["refund_fen"] <= most:
                self.world.blame(f"refund {answer['id']} of {body} gives {answer['refund_fen']} fen")
            self.take_back(sale, answer, body.get("lines", ()))

        path = f"/v1/pos/sales/{sale.id}/refunds"
        request = Request(till, "POST", path, encode(body | {"reason": "退货"}), key, f"terminal/{till.id}")
        refusals = frozenset({"refund_exceeds_paid", "sale_not_refundable"}) | (KEPT if sale.passes else frozenset())
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    def take_back(self, sale: Sale, answer: Any, lines: Sequence[dict[str, Any]] = ()) -> None:
        """A refund of a purchase was acknowledged; ``lines`` are the pieces that were named."""
        if answer["id"] in self.refunds:
            return
        self.refunds.add(answer["id"])
        self.touched.add(sale.id)
        by_tender = by_type(answer["by_tender"])
        self.world.domain(Passes).take_back(sale, answer.get("passes_ended", ()), lines)
        sale.coupons_back.update(self.world.domain(Coupons).give_back(answer["coupons_returned"]))
        given = self.world.domain(GiftCards).taken(answer["by_tender"])
        self.world.domain(GiftCards).give_back(given)
        sale.cards_back.update(given)
        sale.refunds += 1
        sale.refunded_fen += answer["refund_fen"]
        sale.clawed += answer["points_clawed_back"]
        sale.returned += answer["points_returned"]
        for tender, fen in by_tender.items():
            sale.back[tender] = sale.back.get(tender, 0) + fen
        if sum(by_tender.values()) != answer["refund_fen"]:
            self.world.blame(f"refund {answer['id']} of {answer['refund_fen']} fen gives {by_tender}")
        self.world.model.move(
            sale.member.id,
            stored=by_tender.get("stored", 0),
            rebate=by_tender.get("rebate", 0),
            points=answer["points_returned"] - answer["points_clawed_back"],
        )

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Every sale stands where its acknowledged answers put it; refunds are those acknowledged."""
        for id_, document in books.documents.items():
            if document.kind == "refund" and id_ not in self.refunds:
                yield f"refund {id_} was never acknowledged"
            elif document.kind == "sale" and (id_ in self.touched or self.versions.get(id_) != document.version):
                self.versions[id_] = document.version
                sale = self.sales.get(id_)
                if sale is None:
                    yield f"sale {id_} was never acknowledged"
                else:
                    yield from self._stands(sale, document)
        for kind, ids in (("refund", self.refunds), ("sale", self.sales.keys())):
            for id_ in ids - books.documents.keys():
                yield f"{kind} {id_} was acknowledged and is not stored"
        self.touched.clear()

    def _stands(self, sale: Sale, document: Document) -> Iterator[str]:
        facts = msgspec.json.decode(document.facts)
        if document.state in _DONE and not sale.paid:
            if "approve" not in sale.tried:
                yield f"sale {sale.id} waited, nobody approved it, and it is {document.state}"
            sale.earned = facts["points_earned"]
            self.check_earned(sale)
            self.pay(sale)
        if sale.paid:
            yield from self._paid(sale, document, facts.get("refunded_fen") or 0)
        elif document.state != {"approve": "completed", "reject": "rejected", "cancel": "cancelled"}.get(
            sale.told, document.state
        ):
            yield f"sale {sale.id} was told {sale.told} and is {document.state}"
        elif {"rejected": "reject", "cancelled": "cancel"}.get(document.state) not in {None, *sale.tried}:
            yield f"sale {sale.id} is {document.state}, and nobody asked for it"
        elif document.state == "expired" and sale.expires_at > self.world.now() + 5:
            yield f"sale {sale.id} expired before its time"

    def _paid(self, sale: Sale, document: Document, refunded_fen: int) -> Iterator[str]:
        whole = sale.refunds and sale.refunded_fen == sale.payable_fen
        state = "refunded" if whole else "partly_refunded" if sale.refunds else "completed"
        if (document.state, refunded_fen) != (state, sale.refunded_fen):
            yield (
                f"sale {sale.id} is {document.state} with {refunded_fen} fen refunded; "
                f"acknowledged were {state} and {sale.refunded_fen} fen"
            )
        yield from sale.gave_back_wrongly()
