"""The mall: carts, orders paid at once or by WeChat, cancelled, fetched, given back; and shelves that run out."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ..journal import Request
from ..world import Clerk, Member, Op, Till, encode
from . import Domain, Operation
from .coupon_sales import GONE
from .coupons import Coupons
from .order_books import (
    CLOSED,
    FACTS,
    PAID,
    PSP_FACTS,
    STANDS,
    STATES,
    WAITING,
    AfterSale,
    Asked,
    Order,
    Payment,
    compare_shelves,
)
from .pos import Pos
from .sale import Line, Sale, by_type

if TYPE_CHECKING:
    from ..oracle import Books, Document

ORDERS = "/v1/member/orders"
CART = "/v1/member/cart"
AFTER_SALES = "/v1/admin/after-sales"
SHELVES_A_STORE = 3
LEAST_PRICE_FEN, MOST_PRICE_FEN = 300, 3_000
MOST_PIECES = 3
REFUSED = frozenset({"out_of_stock", "price_changed", "insufficient_balance"})
COUPONS_REFUSED = GONE | {"coupon_locked", "coupon_given", "coupon_void"}
_OVER = frozenset({"order_not_payable"})  # placed, but its time was over before WeChat had heard of it
LATE = "L"
"""What the number of a late payment's refund ends with."""


class Orders(Domain):
    """An order takes goods, value and WeChat's money once, or gives all of it back; nobody gets what is not there."""

    order: ClassVar[int] = 29  # before the till compares: an order is a purchase like its own
    jobs: ClassVar = (
        "orders.advance_payments",
        "orders.pay_back_due",
        "orders.advance_orders",
        "orders.tell_wechat",
        "stock.move_sales",
    )
    facts: ClassVar = FACTS
    psp_facts: ClassVar = PSP_FACTS
    machines: ClassVar = {
        "order": {
            "": (WAITING, PAID),
            WAITING: (PAID, CLOSED),
            PAID: ("partly_refunded", "refunded", "cancelled"),
            "partly_refunded": ("partly_refunded", "refunded"),
            "refunded": (),
            "cancelled": (),
            CLOSED: (),
        },
        "order_payment": {
            "": ("pending",),
            "pending": ("paid", "closed"),
            "paid": (),
            "closed": ("refunding",),
            "refunding": ("refunded",),
            "refunded": (),
        },
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.orders: dict[str, Order] = {}
        self.payments: dict[str, Payment] = {}
        self.recent: deque[Order] = deque(maxlen=120)
        self.opening: dict[tuple[str, str], int] = {}
        self.scarce: dict[str, list[str]] = {}
        self.back: Counter[tuple[str, str]] = Counter()
        self.brought: set[str] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones, stores and thieves do."""
        return (
            Operation("order", 8, self.buy),
            Operation("order by WeChat", 5, self.buy_by_wechat),
            Operation("order paid late", 0.7, self.pay_late),
            Operation("order cancelled", 2, self.cancel),
            Operation("order made ready", 4, self.make_ready),
            Operation("order fetched", 3, self.fetch),
            Operation("after-sale", 4, self.give_back),
            Operation("order look", 1, self.look),
            Operation("other's order", 0.7, self.meddle),
            Operation("cart", 1, self.fill_cart),
        )

    @property
    def _admin(self) -> Clerk:
        return next(clerk for clerk in self.world.staff if clerk.role == "admin")

    @property
    def _pos(self) -> Pos:
        return self.world.domain(Pos)

    # -- buying

    async def buy(self, op: Op) -> None:
        """Paid by what the member has: stored value, points, sometimes a coupon; sometimes sent twice at once."""
        coupons, dice = self.world.domain(Coupons), op.random
        piece = coupons.pick(dice) if dice.random() < 0.25 else None
        member = coupons.holder(piece) if piece is not None else self.world.pick(dice)
        tenders: list[dict[str, Any]] = [{"type": "stored"}]
        if dice.random() < 0.2:
            tenders.insert(0, {"type": "points", "points": dice.randrange(1, 30)})
        wanted = self._wanted(dice, coupon_ids=[piece.id] if piece else [])
        if wanted:
            times = 2 if dice.random() < 0.05 else 1
            await self._buy(op, member, wanted, tenders, times=times)

    async def buy_by_wechat(self, op: Op) -> None:
        """WeChat pays what stored value and points leave; mostly it is paid, sometimes of two stores at once."""
        dice = op.random
        parts = [self._wanted(dice) for _ in range(2 if dice.random() < 0.2 else 1)]
        wanted = [part[0] for part in parts if part]
        if not wanted or len({part["store_id"] for part in wanted}) < len(wanted):
            return
        tenders: list[dict[str, Any]] = [{"type": "wechat"}]
        if dice.random() < 0.6:
            tenders.insert(0, {"type": "stored", "amount_fen": dice.randrange(1, 200)})
        if dice.random() < 0.3:
            tenders.insert(0, {"type": "points", "points": dice.randrange(1, 30)})
        pays = dice.random() < 0.7
        for payment in await self._buy(op, self.world.pick(dice), wanted, tenders):
            if pays:
                await self._pay(payment)

    def _wanted(self, dice: Random, coupon_ids: Sequence[str] = ()) -> list[dict[str, Any]]:
        """A few pieces of what is scarce at some store."""
        if not self.scarce:
            return []
        store_id = dice.choice(sorted(self.scarce))
        skus = dice.sample(self.scarce[store_id], dice.choice((1, 1, 2)))
        lines = [{"sku": sku, "qty": dice.randint(1, MOST_PIECES)} for sku in skus]
        return [{"store_id": store_id, "lines": lines, "coupon_ids": list(coupon_ids)}]

    async def _buy(
        self, op: Op, member: Member, wanted: list[dict[str, Any]], tenders: list[dict[str, Any]], *, times: int = 1
    ) -> list[Payment]:
        """Look at the quote, and order at that price; returns what WeChat is to be paid."""
        body: dict[str, Any] = {"orders": wanted, "tenders": tenders}
        refusals = REFUSED | (COUPONS_REFUSED if wanted[0]["coupon_ids"] else frozenset())
        quoted: list[Any] = []
        request = Request(member, "POST", f"{ORDERS}/quote", encode(body))
        await self.world.ask(op, request, accept=quoted.append, refusals=refusals)
        if not quoted:
            return []
        body["payable_fen"] = quoted[-1]["payable_fen"] - (1 if op.random.random() < 0.03 else 0)
        key, made = f"{self.world.seed}-{op.number}-order", list[Payment]()

        def accept(placed: Any) -> None:
            made.extend(self._placed(placed, body, member))

        request = Request(member, "POST", ORDERS, encode(body), key, f"member/{member.id}")
        asking = (self.world.ask(op, request, accept=accept, refusals=refusals, over=_OVER) for _ in range(times))
        await asyncio.gather(*asking)
        return made

    def _placed(self, answer: Any, body: dict[str, Any], member: Member) -> list[Payment]:
        """A checkout was acknowledged: its goods and the member's part of what it costs are gone from now on."""
        if answer["orders"][0]["id"] in self.orders:
            return []  # a doubt that was settled twice, or what was sent twice
        made = [
            self._ordered(order, wanted, member, waits=answer["payment"] is not None)
            for order, wanted in zip(answer["orders"], body["orders"], strict=True)
        ]
        if sum(order.sale.payable_fen for order in made) != body["payable_fen"]:
            self.world.blame(f"a checkout seen for {body['payable_fen']} fen is {answer}")
        payment, fen = answer["payment"], sum(order.sale.tenders.get("wechat", 0) for order in made)
        if (payment["pay_fen"] if payment else 0) != fen:
            self.world.blame(f"WeChat is to pay {fen} fen of {answer}")
        if not payment:
            return []
        until = datetime.fromisoformat(payment["pay_until"]).timestamp()
        for order in made:
            order.payment_id, order.pay_until = payment["id"], until
        self.payments[payment["id"]] = Payment(payment["id"], fen, made)
        return [self.payments[payment["id"]]]

    def _ordered(self, answer: Any, wanted: dict[str, Any], member: Member, *, waits: bool) -> Order:
        tenders, coupons = by_type(answer["tenders"]), self.world.domain(Coupons).taken(answer["tenders"])
        points = sum(tender.get("points", 0) for tender in answer["tenders"])
        lines = [Line(line["line_no"], line["qty"], line["payable_fen"]) for line in answer["lines"]]
        till = next(till for till in self.world.tills if till.store_id == answer["store_id"])
        sale = Sale(
            answer["id"], member, till, answer["status"], answer["payable_fen"], tenders, points,
            answer["points_earned"], lines, coupons=Counter(coupons),
        )  # fmt: skip
        order = Order(sale, answer["store_id"], {line["line_no"]: line["sku"] for line in answer["lines"]})
        self.orders[order.id] = order
        self._pos.sales[order.id] = sale
        self.recent.append(order)
        self._check_prices(answer, wanted, sale, WAITING if waits else PAID)
        order.state = answer["status"]
        if waits:
            self.world.model.move(member.id, stored=-order.held_fen, points=-points)
        else:
            self._pos.pay(sale)
        return order

    def _check_prices(self, answer: Any, wanted: dict[str, Any], sale: Sale, status: str) -> None:
        """Steps lead from the list price to the price, tenders make the whole, and it is what was wanted."""
        lines = answer["lines"]
        right = all(
            0 < line["payable_fen"] == line["qty"] * line["list_fen"] - sum(step["off_fen"] for step in line["steps"])
            for line in lines
        )
        total = sum(line["qty"] * line["list_fen"] for line in lines)
        payable = sum(line["payable_fen"] for line in lines)
        sums = answer["total_fen"], answer["payable_fen"], sum(sale.tenders.values()), answer["discount_fen"]
        same = [(line["sku"], line["qty"]) for line in lines] == [(one["sku"], one["qty"]) for one in wanted["lines"]]
        if not (right and same and sums == (total, payable, payable, total - payable) and answer["status"] == status):
            self.world.blame(f"order {sale.id} is {answer} for {wanted}")
        self._pos.check_earned(sale)

    async def _pay(self, payment: Payment, *, force: bool = False) -> None:
        """As the payer: WeChat takes the money, and tells the backend in its own time."""
        answer = await self.world.plain("POST", f"/mock/wechat/pay/{payment.id}/pay", {"force": force})
        payment.paid = payment.paid or answer.good
        if not answer.good and answer.code not in ("ORDER_CLOSED", "ORDER_EXPIRED"):
            self.world.blame(f"the PSP answered {answer.status} {answer.code} to a payer of an order")

    async def pay_late(self, op: Op) -> None:
        """The money was on its way when the order was closed."""
        unpaid = [one for one in list(self.payments.values())[-60:] if not one.paid]
        if unpaid:
            await self._pay(op.random.choice(unpaid), force=True)

    # -- what comes after

    def _pick(self, dice: Random, *states: str) -> Order | None:
        """One of the last orders, as far as the phones know in one of these states."""
        among = [order for order in self.recent if order.state in states]
        return dice.choice(among) if among else None

    async def cancel(self, op: Op) -> None:
        """The member changes their mind; sometimes while the store packs it or WeChat is being paid."""
        order = self._pick(op.random, WAITING, PAID)
        if order is None:
            return
        payment = self.payments.get(order.payment_id)
        acts = [self._cancel(op, order)]
        if op.random.random() < 0.2:
            acts.append(self._pay(payment) if payment and not payment.paid else self._make_ready(op, order))
        await asyncio.gather(*acts)

    async def _cancel(self, op: Op, order: Order) -> None:
        payment = self.payments.get(order.payment_id)
        for one in payment.orders if payment else [order]:
            one.tried.add("cancel")

        def accept(answer: Any) -> None:
            order.told.add("cancelled")
            if answer["status"] != "cancelled":
                self.world.blame(f"order {order.id} was cancelled and is {answer['status']}")

        request = Request(order.sale.member, "POST", f"{ORDERS}/{order.id}/cancel")
        await self.world.ask(
            op, request, accept=accept, refusals=frozenset({"order_not_cancellable", "after_sale_open"})
        )

    async def make_ready(self, op: Op) -> None:
        """The store packs an order; from then on it waits to be fetched."""
        order = self._pick(op.random, PAID)
        if order is not None:
            await self._make_ready(op, order)

    async def _make_ready(self, op: Op, order: Order) -> None:
        order.tried.add("ready")
        request = Request(self._admin, "POST", f"/v1/admin/orders/{order.id}/ready")
        refusals = frozenset({"order_not_sendable", "after_sale_open", "shipment_invalid"})
        answer = await self.world.ask(op, request, refusals=refusals)
        if answer.good:
            order.told.add("ready")

    async def fetch(self, op: Op) -> None:
        """The member shows the code at the store; sometimes at two tills at once, or at another store's."""
        order = self._pick(op.random, "ready_for_pickup", "received")
        if order is None:
            return
        if not order.code:
            request = Request(order.sale.member, "GET", f"{ORDERS}/{order.id}/delivery")

            def accept(shown: Any) -> None:
                order.code = shown.get("pickup", {}).get("code", "")

            await self.world.ask(op, request, accept=accept)
        if not order.code:
            return
        if op.random.random() < 0.1:
            await self._fetch_elsewhere(op, order)
        tills = [till for till in self.world.tills if till.store_id == order.store_id]
        both = op.random.sample(tills, 2 if op.random.random() < 0.2 and len(tills) > 1 else 1)
        await asyncio.gather(*(self._fetch(op, order, till) for till in both))

    async def _fetch(self, op: Op, order: Order, till: Till) -> None:
        key = f"{self.world.seed}-{op.number}-{till.id}"
        order.tried.add(f"fetch {till.id} {key}")

        def accept(answer: Any) -> None:
            if order.handed not in (None, (till.id, key)) or answer["status"] not in ("received", "completed"):
                self.world.blame(f"order {order.id} was handed over by {order.handed} and by {till.id}: {answer}")
            order.handed = till.id, key

        path, body = f"/v1/pos/pickups/{order.id}/handover", encode({"code": order.code})
        request = Request(till, "POST", path, body, key, booked=False)
        refusals = frozenset({"pickup_done", "after_sale_open", "order_not_receivable"})
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    async def _fetch_elsewhere(self, op: Op, order: Order) -> None:
        till = op.random.choice([till for till in self.world.tills if till.store_id != order.store_id])
        path, body = f"/v1/pos/pickups/{order.id}/handover", encode({"code": order.code})
        request = Request(till, "POST", path, body, f"{self.world.seed}-{op.number}-elsewhere", booked=False)
        await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))

    async def give_back(self, op: Op) -> None:
        """Some pieces of a line: asked for, brought back where they had left, paid back, at times by two at once."""
        order = self._pick(op.random, PAID, "ready_for_pickup", "received")
        if order is None:
            return
        dice = op.random
        line = dice.choice(order.sale.lines)
        qty, key = dice.randint(1, line.qty), f"{self.world.seed}-{op.number}-back"
        kind = "refund" if order.state != "received" or dice.random() < 0.3 else "return"
        made: list[Asked] = []

        def accept(answer: Any) -> None:
            made.append(order.asked.setdefault(answer["id"], Asked(answer["id"], kind, line.number, qty)))

        body = {"kind": kind, "lines": [{"line_no": line.number, "qty": qty}], "reason": "不想要了"}
        path = f"{ORDERS}/{order.id}/after-sales"
        request = Request(order.sale.member, "POST", path, encode(body), key, booked=False)
        refusals = frozenset({"after_sale_unavailable", "refund_exceeds_paid"})
        await self.world.ask(op, request, accept=accept, refusals=refusals)
        if made:
            await self._follow(op, order, made[0])

    async def _follow(self, op: Op, order: Order, asked: Asked) -> None:
        """What staff make of a request; sometimes the member withdraws it at the same moment."""
        dice, path = op.random, f"{AFTER_SALES}/{asked.id}"
        if asked.kind == "return":
            await self._step(op, order, asked, f"{path}/approve", {}, "approve")
            goods = {"restock": dice.random() < 0.7}
            await self._step(op, order, asked, f"{path}/goods", goods, "goods")
        chance = dice.random()
        if chance < 0.1:
            await self._step(op, order, asked, f"{path}/reject", {"note": "不符"}, "reject")
            return
        pays = f"{path}/refund" if asked.kind == "return" else f"{path}/approve"
        steps = [self._step(op, order, asked, pays, {}, "pay") for _ in range(2 if dice.random() < 0.2 else 1)]
        if chance < 0.2:
            steps.append(self._withdraw(op, order, asked))
        elif chance < 0.3 and asked.kind == "refund" and order.state == PAID:
            steps.append(self._cancel(op, order))
        await asyncio.gather(*steps)

    async def _step(self, op: Op, order: Order, asked: Asked, path: str, body: Any, what: str) -> None:
        asked.tried.add(what)

        def accept(answer: Any) -> None:
            if what != "pay":
                return
            refund, most = answer.get("refund"), order.most_fen(asked.line_no, asked.qty)
            if answer["status"] != "refunded" or refund is None or not 0 < refund["refund_fen"] <= most:
                self.world.blame(f"request {asked.id} for {asked.qty} pieces of at most {most} fen is {answer}")
            else:
                asked.told = refund["id"]

        refusals = frozenset({"after_sale_conflict", "refund_exceeds_paid", "return_exceeds_sold"})
        await self.world.ask(op, Request(self._admin, "POST", path, encode(body)), accept=accept, refusals=refusals)

    async def _withdraw(self, op: Op, order: Order, asked: Asked) -> None:
        asked.tried.add("withdraw")
        request = Request(order.sale.member, "POST", f"/v1/member/after-sales/{asked.id}/cancel")
        await self.world.ask(op, request, refusals=frozenset({"after_sale_conflict"}))

    # -- looking

    async def look(self, op: Op) -> None:
        """An order as it stands: what it cost never changes."""
        if not self.recent:
            return
        order = op.random.choice(self.recent)

        def accept(shown: Any) -> None:
            seen = shown["id"], shown["payable_fen"], by_type(shown["tenders"])
            if seen != (order.id, order.sale.payable_fen, order.sale.tenders):
                self.world.blame(f"order {order.id} is shown as {shown}")

        await self.world.ask(op, Request(order.sale.member, "GET", f"{ORDERS}/{order.id}"), accept=accept)

    async def meddle(self, op: Op) -> None:
        """Somebody else's order is not there."""
        if not self.recent:
            return
        order = op.random.choice(self.recent)
        other = op.random.choice([member for member in self.world.members if member is not order.sale.member])
        method, path = op.random.choice((("GET", ""), ("POST", "/cancel"), ("GET", "/delivery"), ("POST", "/pay")))
        request = Request(other, method, f"{ORDERS}/{order.id}{path}")
        await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))

    async def fill_cart(self, op: Op) -> None:
        """A cart on two devices at once: the last word counts, and it is one of both."""
        wanted = self._wanted(op.random)
        if not wanted:
            return
        member, store_id, sku = self.world.pick(op.random), wanted[0]["store_id"], wanted[0]["lines"][0]["sku"]

        async def put(qty: int) -> None:
            request = Request(member, "PUT", f"{CART}/{store_id}/{sku}", encode({"qty": qty}))
            await self.world.ask(op, request)

        await asyncio.gather(*(put(qty) for qty in (1, 2)))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Follow every order to where the books say it is, if it may be there; then compare shelves, holds and PSP."""
        if not self.opening:
            self._open(books)
        states = {row[0]: row[1] for row in books.facts["orders of the mall"]}
        unknown = 0
        for id_, document in books.documents.items():
            if document.kind != "order":
                continue
            if id_ in self.orders:
                yield from self._follows(self.orders[id_], document, states.get(id_, ""), books)
            else:
                unknown += 1
                if document.state != CLOSED or unknown > 2 * len(self.world.journal.begun):
                    yield f"order {id_} was never acknowledged and is {document.state}"
        for id_ in self.orders.keys() - states.keys():
            yield f"order {id_} was acknowledged and is not stored"
        yield from self._refunds(books)
        yield from self._after_sales(books)
        yield from self._hand_overs(books)
        yield from compare_shelves(self.opening, list(self.orders.values()), self.back, books.facts)
        yield from self._holds(books)
        yield from self._psp(books, final=final)

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

    def _follows(self, order: Order, document: Document, state: str, books: Books) -> Iterator[str]:
        """From where the model left an order to where the books say it is."""
        if state not in STANDS.get(document.state, ()):
            yield f"order {order.id} is {state}, its document {document.state}"
        if state not in _ahead(order.state):
            yield f"order {order.id} went from {order.state} to {state}"
        sale, member_id = order.sale, order.sale.member.id
        if order.state == WAITING and document.state != WAITING:
            if document.state == CLOSED:
                self.world.model.move(member_id, stored=order.held_fen, points=sale.points_paid)
                if state == "cancelled" and "cancel" not in order.tried:
                    yield f"order {order.id} was cancelled, and nobody asked for it"
                if state == CLOSED and self.world.now() + 5 < order.pay_until:
                    yield f"order {order.id} was closed before its time"
            else:
                sale.paid = True
                self.world.model.move(member_id, points=sale.earned)
        if state == "ready_for_pickup" and "ready" not in order.tried:
            yield f"order {order.id} is ready, and nobody packed it"
        if "cancelled" in order.told and state != "cancelled":
            yield f"order {order.id} was told to be cancelled and is {state}"
        if "ready" in order.told and state in (WAITING, PAID, CLOSED):
            yield f"order {order.id} was told to be ready and is {state}"
        order.state = state

    def _refunds(self, books: Books) -> Iterator[str]:
        """Every refund is one that was asked for; it gives what it says, together with all others no more than paid."""
        paid_back = {one.told for order in self.orders.values() for one in order.asked.values() if one.told}
        rows = {row[0]: row for row in books.facts["refunds of orders"]}
        for id_ in paid_back - rows.keys():
            yield f"refund {id_} of an order was acknowledged and is not stored"
        for id_, _, text in rows.values():
            if id_ in self._pos.refunds:
                continue
            body = msgspec.json.decode(text) if isinstance(text, str) else text
            order = self.orders.get(body["sale_id"])
            if order is None or not order.sale.paid:
                yield f"refund {id_} is of an order that was never acknowledged, or not paid: {body['sale_id']}"
                continue
            asked = [one for one in order.asked.values() if "pay" in one.tried]
            if not asked and "cancel" not in order.tried:
                yield f"refund {id_} of order {order.id} was never asked for"
            self._pos.take_back(order.sale, body)
            yield from order.sale.gave_back_wrongly()

    def _after_sales(self, books: Books) -> Iterator[str]:
        """What a request gave back comes to a shelf once, if it never left or came back fit to be sold."""
        pieces: Counter[tuple[str, int]] = Counter()
        cancelled = {order.id for order in self.orders.values() if order.state == "cancelled" and order.sale.paid}
        self.back.clear()
        for row in map(AfterSale._make, books.facts["after-sales"]):
            order = self.orders.get(row.order_id)
            if order is None:
                yield f"{row} is about an order that was never acknowledged"
                continue
            asked = order.asked.get(row.id)
            if row.state == "refunded" and (asked is None or "pay" not in asked.tried):
                yield f"{row} was paid, and nobody asked for it"
            if asked is not None and asked.told and row.state != "refunded":
                yield f"{row} was told to be refunded"
            if row.state != "refunded":
                continue
            for line_no, qty in msgspec.json.decode(row.pieces).items():
                pieces[order.id, int(line_no)] += qty
                if not row.dispatched or (row.kind == "return" and row.restock):
                    self.back[order.store_id, order.skus[int(line_no)]] += qty
        for (order_id, line_no), qty in pieces.items():
            line = next(line for line in self.orders[order_id].sale.lines if line.number == line_no)
            if qty > line.qty:
                yield f"of {line.qty} pieces of line {line_no} of order {order_id} {qty} came back"
        for order_id in cancelled - {order_id for order_id, _ in pieces}:
            self.back.update(self.orders[order_id].pieces)

    def _hand_overs(self, books: Books) -> Iterator[str]:
        """An order is handed over once, by the till that was told so."""
        rows = {row[0]: (row[1], row[2]) for row in books.facts["hand-overs"]}
        for order in self.orders.values():
            handed = rows.get(order.id)
            if handed is not None and f"fetch {handed[0]} {handed[1]}" not in order.tried:
                yield f"order {order.id} was handed over by {handed}, who never asked"
            if order.handed is not None and handed != order.handed:
                yield f"order {order.id} was handed over by {handed}, acknowledged was {order.handed}"
            if (handed is not None) != (order.state in ("received", "completed")):
                yield f"order {order.id} is {order.state}, handed over by {handed}"

    def _holds(self, books: Books) -> Iterator[str]:
        """What is held is what open orders hold."""
        waiting = [order for order in self.orders.values() if order.state == WAITING]
        for (held,) in books.facts["held for orders"]:
            if held != (want := sum(order.held_fen for order in waiting)):
                yield f"{held} fen are held for orders, open ones hold {want}"
        for (held,) in books.facts["points held for orders"]:
            if held != (want := sum(order.sale.points_paid for order in waiting)):
                yield f"{held} points are held for orders, open ones hold {want}"

    def _psp(self, books: Books, *, final: bool) -> Iterator[str]:
        """WeChat's money pays orders once, or goes back; what it gives back are the shares of refunds."""
        at_psp = {row[0]: (row[1], row[2]) for row in books.facts["orders"]}
        given: dict[str, dict[str, int]] = {}
        for trade_no, refund_no, amount in books.facts["refunds at the PSP"]:
            given.setdefault(trade_no, {})[refund_no] = amount
        owed: dict[str, dict[str, int]] = {}
        for id_, state, text in books.facts["refunds of orders"]:
            body = msgspec.json.decode(text) if isinstance(text, str) else text
            order, fen = self.orders.get(body["sale_id"]), by_type(body["by_tender"]).get("wechat", 0)
            if order is not None and fen:
                owed.setdefault(order.payment_id, {})[id_] = fen
            if final and state != "posted":
                yield f"refund {id_} of an order is {state}, {fen} fen are at the PSP"
        for payment in self.payments.values():
            document = books.documents.get(payment.id)
            state, (there, fen) = document.state if document else "gone", at_psp.get(payment.id, ("none", payment.fen))
            back = given.get(payment.id, {})
            if fen != payment.fen or any(order.state == WAITING for order in payment.orders) != (state == "pending"):
                yield f"payment {payment.id} of {payment.fen} fen is {state} here, {there} with {fen} fen at the PSP"
            if (state == "paid") != all(order.sale.paid for order in payment.orders):
                yield f"payment {payment.id} is {state}, its orders are {[order.state for order in payment.orders]}"
            if state == "paid" and there not in ("SUCCESS", "REFUND"):
                yield f"payment {payment.id} paid for orders, and is {there} at the PSP"
            right = owed.get(payment.id, {}) if state == "paid" else {f"{payment.id}{LATE}": payment.fen}
            if any(right.get(refund_no) != amount for refund_no, amount in back.items()):
                yield f"payment {payment.id}: the PSP gave back {back}, owed was {right}"
            if final and there != "none" and payment.paid and back != right:
                yield f"payment {payment.id} is {state} here, the PSP gave back {back} of {right}"
            if final and there == "SUCCESS" and state in ("pending", "closed"):
                yield f"payment {payment.id} is {state}, but its money is at the PSP"


def _ahead(state: str) -> set[str]:
    """Where an order may be found next time, with any steps between."""
    found, ahead = {state}, list(STATES[state])
    while ahead:
        now = ahead.pop()
        if now not in found:
            found.add(now)
            ahead += STATES[now]
    return found
