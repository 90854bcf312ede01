"""The mall: orders paid at once or by WeChat, cancelled, packed, closed."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ..journal import Request
from ..world import Member, Op, encode
from . import Domain, Operation
from .coupon_sales import GONE
from .coupons import Coupons
from .gift_cards import GiftCards
from .order_books import (
    CLOSED,
    PAID,
    STANDS,
    WAITING,
    Order,
    Payment,
    ahead,
    compare_holds,
    compare_payments,
)
from .pos import Pos
from .sale import Line, Sale, by_type
from .shelves import Shelves

if TYPE_CHECKING:
    from ..oracle import Books, Document

ORDERS = "/v1/member/orders"
PIN = ("pin_required", "pin_invalid", "pin_locked")
REFUSED = frozenset({"out_of_stock", "price_changed", "insufficient_balance", *PIN})
COUPONS_REFUSED = GONE | {"coupon_locked", "coupon_given", "coupon_void"}
_OVER = frozenset({"order_not_payable"})  # placed, but its time was over before WeChat had heard of it


class Orders(Domain):
    """An order takes goods, value and WeChat's money once, or gives all of it back; nobody gets what is not there."""

    order: ClassVar[int] = 26  # before the till compares: an order is a purchase like its own
    jobs: ClassVar = (
        "orders.advance_payments",
        "orders.pay_back_due",
        "orders.advance_orders",
        "orders.tell_wechat",
    )
    facts: ClassVar = {
        "orders of the mall": "SELECT id, state FROM orders_order",
        "refunds of orders": (
            "SELECT id, state, body FROM ledger_document WHERE kind = 'refund' AND starts_with(body->>'sale_id', 'D')"
        ),
        "held for orders": (
            "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry WHERE kind = 'house.order_held'"
        ),
        "points held for orders": (
            "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry WHERE kind = 'house.order_points_held'"
        ),
    }
    psp_facts: ClassVar = {"refunds at the PSP": "SELECT out_trade_no, out_refund_no, amount FROM refund"}
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

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones, stores and thieves do."""
        return (
            Operation("order", 8, self.buy),
            Operation("order by WeChat", 5, self.buy_by_wechat),
            Operation("order paid late", 0.7, self.pay_late),
            Operation("order cancelled", 2, self.cancel),
            Operation("order made ready", 4, self.make_ready),
            Operation("order look", 1, self.look),
            Operation("other's order", 0.7, self.meddle),
        )

    @property
    def _shelves(self) -> Shelves:
        return self.world.domain(Shelves)

    @property
    def _cards(self) -> GiftCards:
        return self.world.domain(GiftCards)

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
        wanted = self._shelves.wanted(dice, coupon_ids=[piece.id] if piece else [])
        if wanted:
            times = 2 if dice.random() < 0.05 else 1
            less = frozenset({"tenders_mismatch"} if piece else ())  # than the points, where the coupon pays nearly all
            await self.place(op, member, wanted, tenders, times=times, refusals=less)

    async def buy_by_wechat(self, op: Op) -> None:
        """WeChat pays what stored value and points leave; mostly it is paid, sometimes of two stores at once."""
        dice = op.random
        parts = [self._shelves.wanted(dice) for _ in range(2 if dice.random() < 0.2 else 1)]
        wanted = [part[0] for part in parts if part]
        if not wanted or len({part["store_id"] for part in wanted}) < len(wanted):
            return
        tenders: list[dict[str, Any]] = [{"type": "wechat"}]
        if dice.random() < 0.6:
            tenders.insert(0, {"type": "stored", "amount_fen": dice.randrange(1, 200)})
        if dice.random() < 0.3:
            tenders.insert(0, {"type": "points", "points": dice.randrange(1, 30)})
        pays = dice.random() < 0.7
        for payment in await self.place(op, self.world.pick(dice), wanted, tenders):
            if pays:
                await self.pay(payment)

    async def place(
        self,
        op: Op,
        member: Member,
        wanted: list[dict[str, Any]],
        tenders: list[dict[str, Any]],
        *,
        times: int = 1,
        refusals: frozenset[str] = frozenset(),
    ) -> list[Payment]:
        """Look at the quote, and order at that price; returns what WeChat is to be paid."""
        body: dict[str, Any] = {"orders": wanted, "tenders": tenders}
        refusals |= REFUSED | (COUPONS_REFUSED if wanted[0]["coupon_ids"] else frozenset())
        quoted: list[Any] = []
        request = Request(member, "POST", f"{ORDERS}/quote", encode(body))
        await self.world.ask(op, request, accept=quoted.append, refusals=refusals)
        if not quoted:
            return []
        body["payable_fen"] = quoted[-1]["payable_fen"] - (1 if op.random.random() < 0.03 else 0)
        if member.pin and op.random.random() < 0.5:
            body["pin"] = member.pin
        unconfirmed = bool(member.pin) and "pin" not in body
        key, made = f"{self.world.seed}-{op.number}-order", list[Payment]()

        def accept(placed: Any) -> None:
            before = len(self.orders)
            made.extend(self._placed(placed, body, member))
            if unconfirmed and len(self.orders) > before:
                for order in placed["orders"]:
                    self._pos.count_free(self.orders[order["id"]].sale, order["placed_at"])

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
            answer["points_earned"], lines, coupons=Counter(coupons), cards=self._cards.taken(answer["tenders"]),
        )  # fmt: skip
        order = Order(sale, answer["store_id"], {line["line_no"]: line["sku"] for line in answer["lines"]})
        order.freight_fen, order.delivery = answer["freight_fen"], answer["delivery"]
        self.orders[order.id] = order
        self._pos.sales[order.id] = sale
        self._shelves.orders.append(order)
        self.recent.append(order)
        self._check_prices(answer, wanted, sale, WAITING if waits else PAID)
        order.state = answer["status"]
        if waits:
            self.world.model.move(member.id, stored=-tenders.get("stored", 0), points=-points)
            self._cards.pay(sale.cards)
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
        total = sum(line["qty"] * line["list_fen"] for line in lines) + answer["freight_fen"]
        payable = sum(line["payable_fen"] for line in lines) + answer["freight_fen"]
        sums = answer["total_fen"], answer["payable_fen"], sum(sale.tenders.values()), answer["discount_fen"]
        same = [(line["sku"], line["qty"]) for line in lines] == [(one["sku"], one["qty"]) for one in wanted["lines"]]
        if not (right and same and sums == (total, payable, payable, total - payable) and answer["status"] == status):
            self.world.blame(f"order {sale.id} is {answer} for {wanted}")
        self._pos.check_earned(sale)

    async def pay(self, payment: Payment, *, force: bool = False) -> None:
        """As the payer: WeChat takes the money, and tells the backend in its own time."""
        answer = await self.world.plain("POST", f"/mock/wechat/pay/{payment.id}/pay", {"force": force})
        payment.paid = payment.paid or answer.good
        if not answer.good and answer.code not in ("ORDER_CLOSED", "ORDER_EXPIRED"):
            self.world.blame(f"the PSP answered {answer.status} {answer.code} to a payer of an order")

    async def pay_late(self, op: Op) -> None:
        """The money was on its way when the order was closed."""
        unpaid = [one for one in list(self.payments.values())[-60:] if not one.paid]
        if unpaid:
            await self.pay(op.random.choice(unpaid), force=True)

    # -- what comes after

    def pick(self, dice: Random, *states: str) -> Order | None:
        """One of the last orders, as far as the phones know in one of these states."""
        among = [order for order in self.recent if order.state in states]
        return dice.choice(among) if among else None

    async def cancel(self, op: Op) -> None:
        """The member changes their mind; sometimes while the store packs it or WeChat is being paid."""
        order = self.pick(op.random, WAITING, PAID)
        if order is None:
            return
        payment = self.payments.get(order.payment_id)
        acts = [self.cancel_one(op, order)]
        if op.random.random() < 0.2:
            acts.append(self.pay(payment) if payment and not payment.paid else self._make_ready(op, order))
        await asyncio.gather(*acts)

    async def cancel_one(self, op: Op, order: Order) -> None:
        """As the member who ordered it; with it go the orders of the same payment."""
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
        order = self.pick(op.random, PAID)
        if order is not None:
            await self._make_ready(op, order)

    async def _make_ready(self, op: Op, order: Order) -> None:
        order.tried.add("ready")
        request = Request(self.world.admin, "POST", f"/v1/admin/orders/{order.id}/ready")
        refusals = frozenset({"order_not_sendable", "after_sale_open", "shipment_invalid"})
        answer = await self.world.ask(op, request, refusals=refusals)
        if answer.good:
            order.told.add("ready")

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

    # -- what must hold

    def pending(self, books: Books) -> bool:
        """Whether an order waits that was refused when its time was over (``_OVER``): nobody was told its number."""
        unknown = (books.documents[id_] for id_ in books.documents.keys() - self.orders.keys())
        return any(document.kind == "order" and document.state == WAITING for document in unknown)

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Follow every order to where the books say it is, if it may be there; then compare holds and PSP."""
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
        yield from compare_holds(self.orders.values(), books.facts)
        yield from compare_payments(self.payments.values(), self.orders, books, final=final)

    def _follows(self, order: Order, document: Document, state: str, books: Books) -> Iterator[str]:
        """From where the model left an order to where the books say it is."""
        if state not in STANDS.get(document.state, ()):
            yield f"order {order.id} is {state}, its document {document.state}"
        if state not in ahead(order.state):
            yield f"order {order.id} went from {order.state} to {state}"
        sale, member_id = order.sale, order.sale.member.id
        if order.state == WAITING and document.state != WAITING:
            if document.state == CLOSED:
                self.world.model.move(member_id, stored=sale.tenders.get("stored", 0), points=sale.points_paid)
                self._cards.give_back(sale.cards)
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
