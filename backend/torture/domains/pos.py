"""The till: scan, sale, confirmation, cancel, refund."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ..journal import Request
from ..signing import make_code
from ..world import Member, Op, Phone, Till, encode
from . import Domain, Operation
from .sale import Sale

if TYPE_CHECKING:
    from ..oracle import Books, Document

SINGLE_FREE_FEN, DAY_FREE_FEN = 20_000, 100_000
BP = 10_000
LEAST_PAYABLE_FEN = 30
"""No basket costs less, with every discount: what a tender with an amount may pay at most."""

REVOKED = 1 << 62
"""A device's last step once it is revoked."""

TWO_TILLS, SENT_TWICE = 0.04, 0.04
"""Shares of sales whose code is shown to two tills at the same moment, or that are sent twice at once."""

MOST_POINTS_A_YUAN = 5
"""More points for a yuan no category and level of the chain give."""

_BEIJING = timedelta(hours=8)
CODE = frozenset({"code_expired", "code_used", "code_invalid"})
SALE = CODE | {"insufficient_balance", "order_exists"}
_WAITED = frozenset({"sale_completed", "sale_not_waiting", "insufficient_balance", "pin_locked", "pin_invalid"})
_DONE = ("completed", "partly_refunded", "refunded")


class Pos(Domain):
    """Every code step is spent once, every sale is paid once, and what is refunded was paid before."""

    order: ClassVar[int] = 30
    jobs: ClassVar = ("pos.expire_waiting_sales",)
    facts: ClassVar = {
        "device marks": "SELECT substr(name, 8), value FROM ledger_guard WHERE name LIKE 'device:%'",
        "growth": "SELECT id, growth_fen FROM member",
    }
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
        "refund": {"": ("posted",), "posted": ()},
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.sales: dict[str, Sale] = {}
        self.refunds: set[str] = set()
        self.recent: deque[Sale] = deque(maxlen=2000)
        self.waiting: deque[Sale] = deque(maxlen=300)
        self.touched: set[str] = set()
        self.versions: dict[str, int] = {}
        self.spent: dict[tuple[str, int], str] = {}
        self.last_spent: dict[str, int] = {}
        self.perhaps_spent: set[tuple[str, int]] = set()
        self.shown: deque[tuple[str, Phone, int, Till]] = deque(maxlen=500)
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

    # -- sales

    async def sell(self, op: Op) -> None:
        """A sale in one call, by a code that was not shown before."""
        picked = self.world.pick_phone(op.random)
        if picked is None:  # every phone has shown the code of this step
            return
        member, phone, step = picked
        till, code, key = self.till(op.random, member), (phone, step), f"{self.world.seed}-{op.number}"
        basket = self.basket(op) | {"code": make_code(phone.handle, phone.secret, step)}
        self.shown.append((basket["code"], phone, step, till))
        chance = op.random.random()
        if chance < TWO_TILLS:
            other, twin = self.till(op.random, member), basket | {"order_no": f"{key}-twin"}
            second = self._sell(op, other, member, twin, f"{key}-twin", code)
            await asyncio.gather(self._sell(op, till, member, basket, key, code), second)
        elif chance < TWO_TILLS + SENT_TWICE:
            await asyncio.gather(*(self._sell(op, till, member, basket, key, code) for _ in range(2)))
        else:
            await self._sell(op, till, member, basket, key, code)

    async def scan_and_sell(self, op: Op) -> None:
        """Scan first; the token buys once."""
        picked = self.world.pick_phone(op.random)
        if picked is None:  # every phone has shown the code of this step
            return
        member, phone, step = picked
        till = self.till(op.random, member)
        key = f"{self.world.seed}-{op.number}"
        tokens: list[str] = []

        def accept(scanned: Any) -> None:
            self._spend(phone, step, f"scan at {till.id}")
            if scanned["member"]["id"] != str(member.id):
                self.world.blame(f"the code of {member.id} was taken for {scanned['member']['id']}")
            tokens.append(scanned["scan_token"])

        code = make_code(phone.handle, phone.secret, step)
        self.shown.append((code, phone, step, till))
        request = Request(till, "POST", "/v1/pos/scan", encode({"code": code}))
        await self.world.ask(op, request, accept=accept, refusals=CODE)
        if not tokens:
            self.perhaps_spent.add((phone.id, step))
            return
        basket = self.basket(op) | {"scan_token": tokens[0]}
        await self._sell(op, till, member, basket, key, None)
        if op.random.random() < 0.2:
            twice = basket | {"order_no": f"{key}-twice"}
            request = Request(till, "POST", "/v1/pos/sales", encode(twice), f"{key}-twice", f"terminal/{till.id}")
            refusals = frozenset({"code_used", "code_expired", "insufficient_balance"})
            if (request.scope, key) in self.world.journal.accepted:
                await self.world.ask_in_vain(op, request, refusals=refusals)

    async def _sell(
        self, op: Op, till: Till, member: Member, basket: dict[str, Any], key: str, code: tuple[Phone, int] | None
    ) -> None:
        def accept(sale: Any) -> None:
            if code is not None:
                self._spend(*code, key)
            self._sold(sale, basket, member, till)

        request = Request(till, "POST", "/v1/pos/sales", encode(basket), key, f"terminal/{till.id}")
        await self.world.ask(op, request, accept=accept, refusals=SALE)

    def buy_with(self, op: Op, member: Member, phone: Phone, *, suffix: str) -> Request:
        """A purchase with that phone's code of now, for whoever wants to see it refused."""
        till, key = self.world.till_of(op.random, member.home), f"{self.world.seed}-{op.number}-{suffix}"
        code = make_code(phone.handle, phone.secret, self.world.step())
        body = encode(self.basket(op) | {"code": code, "order_no": key})
        return Request(till, "POST", "/v1/pos/sales", body, key, f"terminal/{till.id}")

    def till(self, random: Random, member: Member) -> Till:
        """Mostly at home: two stores within minutes make a sale wait."""
        return self.world.till_of(random, member.home if random.random() < 0.96 else random.choice(self.world.stores))

    def basket(self, op: Op) -> dict[str, Any]:
        """What somebody buys, and how it is paid."""
        dice = op.random
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
        basket: dict[str, Any] = {"order_no": f"{self.world.seed}-{op.number}", "lines": lines}
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

    def _spend(self, phone: Phone, step: int, by: str) -> None:
        self.last_spent[phone.id] = max(step, self.last_spent.get(phone.id, 0))
        before = self.spent.setdefault((phone.id, step), by)
        if before != by:
            self.world.blame(f"the code of step {step} of device {phone.id} was spent by {before} and by {by}")

    def _sold(self, answer: Any, basket: dict[str, Any], member: Member, till: Till) -> None:
        if answer["id"] in self.sales:
            return  # a doubt that was settled twice
        tenders = {tender["type"]: tender["amount_fen"] for tender in answer["tenders"]}
        points = sum(tender.get("points", 0) for tender in answer["tenders"])
        sale = Sale(
            answer["id"], member, till, answer["status"], answer["payable_fen"], tenders, points,
            answer["points_earned"], [(line["line_no"], line["qty"]) for line in answer["lines"]],
        )  # fmt: skip
        self.sales[sale.id] = sale
        self.touched.add(sale.id)
        self._check_prices(answer, basket, sale)
        if sale.status == "completed":
            self._pay(sale)
            self.recent.append(sale)
            self._count_free(sale, answer["at"])
        elif sale.status == "awaiting_confirmation":
            sale.expires_at = datetime.fromisoformat(answer["expires_at"]).timestamp()
            self.waiting.append(sale)
        else:
            self.world.blame(f"a new sale is {sale.status}")

    def _pay(self, sale: Sale) -> None:
        sale.paid = True
        stored = sale.tenders.get("stored", 0)
        self.world.model.move(sale.member.id, stored=-stored, points=sale.earned - sale.points_paid)

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
        if not 0 <= sale.earned <= sale.payable_fen * MOST_POINTS_A_YUAN // 100:
            self.world.blame(f"sale {sale.id} of {sale.payable_fen} fen earned {sale.earned} points")

    def _count_free(self, sale: Sale, at: str) -> None:
        """What goes through without confirmation stays within the limits of a sale and of a day."""
        value = sale.tenders.get("stored", 0) + sale.tenders.get("points", 0)
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
        if op.random.random() < 0.5:
            line_no, qty = op.random.choice(sale.lines)
            body: dict[str, Any] = {"lines": [{"line_no": line_no, "qty": op.random.randint(1, qty)}]}
        else:
            body = {"amount_fen": op.random.choice((1, max(1, sale.payable_fen // 2), max(1, sale.payable_fen)))}
        till = self.world.till_of(op.random, sale.till.store_id)
        key = f"{self.world.seed}-{op.number}"

        def accept(answer: Any) -> None:
            self._refunded(sale, answer)

        path = f"/v1/pos/sales/{sale.id}/refunds"
        request = Request(till, "POST", path, encode(body | {"reason": "退货"}), key, f"terminal/{till.id}")
        refusals = frozenset({"refund_exceeds_paid", "sale_not_refundable"})
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    def _refunded(self, sale: Sale, answer: Any) -> None:
        if answer["id"] in self.refunds:
            return
        self.refunds.add(answer["id"])
        self.touched.add(sale.id)
        by_tender = {item["type"]: item["amount_fen"] for item in answer["by_tender"]}
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
        yield from self._marks(books)
        if final:
            yield from self._growth(books)

    def _marks(self, books: Books) -> Iterator[str]:
        """A device's last spent step is the last one acknowledged: a refusal spends nothing, a success always."""
        for device, mark in books.facts["device marks"]:
            last = self.last_spent.get(device, 0)
            if mark not in (last, REVOKED) and (mark < last or (device, mark) not in self.perhaps_spent):
                yield f"the last spent step of device {device} is {mark}, acknowledged was {last}"

    def _growth(self, books: Books) -> Iterator[str]:
        """Every event was handled once: what members bought, less what they gave back, made their growth."""
        if books.events:
            yield f"{books.events} events were not handled"
            return
        bought: dict[int, int] = {}
        for sale in self.sales.values():
            if sale.paid:
                bought[sale.member.id] = bought.get(sale.member.id, 0) + sale.payable_fen - sale.refunded_fen
        growth = {row[0]: row[1] for row in books.facts["growth"]}
        for member in self.world.members:
            have, want = growth.get(member.id, 0), bought.get(member.id, 0)
            if have != want:
                yield f"member {member.id} grew by {have}, bought for {want} fen"

    def _stands(self, sale: Sale, document: Document) -> Iterator[str]:
        facts = msgspec.json.decode(document.facts)
        if document.state in _DONE and not sale.paid:
            if "approve" not in sale.tried:
                yield f"sale {sale.id} waited, nobody approved it, and it is {document.state}"
            sale.earned = facts["points_earned"]
            self._pay(sale)
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
        if sale.refunded_fen > sale.payable_fen or sale.clawed > sale.earned or sale.returned > sale.points_paid:
            yield f"sale {sale.id} gave back more than it took: {sale}"
        if whole and (sale.back != sale.tenders or sale.returned != sale.points_paid or sale.clawed != sale.earned):
            yield f"sale {sale.id} was refunded wholly, but not to where it came from: {sale}"
