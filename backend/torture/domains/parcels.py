"""Orders that are sent: parcels in parts and twice at once, receipts here and inside WeChat, reviews with pictures."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ..journal import Request
from ..world import Member, Op, encode
from . import Domain, Operation
from .order_books import PAID, Order
from .orders import ORDERS, Orders
from .shelves import Shelves

if TYPE_CHECKING:
    from ..oracle import Books

HOME = {
    "name": "收货人",
    "phone": "13700000000",
    "region": "310104",
    "province": "上海市",
    "city": "上海市",
    "district": "徐汇区",
    "street": "漕溪路一号",
}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""One pixel."""


class Parcels(Domain):
    """What is sent was bought, once; a review shows pictures that its member uploaded, and each picture once."""

    order: ClassVar[int] = 28  # compares when it is known where every order stands
    facts: ClassVar = {
        "parcels": "SELECT order_id, tracking_no, pieces::text, about FROM orders_parcel",
        "reviews": "SELECT order_id, line_no, member_id, pictures::text FROM orders_review",
        "uploads": "SELECT id, member_id, used_for FROM mall_upload",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.homes: dict[int, str] = {}
        self.sent: dict[str, set[str]] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """What members and those who pack for them do."""
        return (
            Operation("order by express", 3, self.buy),
            Operation("order sent", 4, self.send),
            Operation("order received", 1.5, self.receive),
            Operation("order received at WeChat", 1, self.receive_at_wechat),
            Operation("review", 0.7, self.review),
        )

    @property
    def _orders(self) -> Orders:
        return self.world.domain(Orders)

    def _pick(self, op: Op, *states: str) -> Order | None:
        among = [order for order in self._orders.recent if order.delivery == "express" and order.state in states]
        return op.random.choice(among) if among else None

    async def _home(self, op: Op, member: Member) -> str:
        """The member's address; they write it down once."""
        if member.id not in self.homes:

            def accept(made: Any) -> None:
                self.homes[member.id] = made["id"]

            request = Request(member, "POST", "/v1/member/addresses", encode(HOME))
            await self.world.ask(op, request, accept=accept, refusals=frozenset({"address_book_full"}))
        return self.homes.get(member.id, "")

    async def buy(self, op: Op) -> None:
        """Something to be sent, paid by what the member has or by WeChat."""
        dice, member = op.random, self.world.pick(op.random)
        wanted, home = self.world.domain(Shelves).wanted(dice), await self._home(op, member)
        if not wanted or not home:
            return
        wanted[0]["delivery"] = {"kind": "express", "address_id": home}
        tenders = [{"type": "stored"}] if dice.random() < 0.5 else [{"type": "wechat"}]
        for payment in await self._orders.place(op, member, wanted, tenders):
            await self._orders.pay(payment)

    async def send(self, op: Op) -> None:
        """A parcel leaves with all that is left or with a piece of it; noted twice at once at times."""
        dice, order = op.random, self._pick(op, PAID, "shipped")
        if order is None:
            return
        number = f"T{self.world.seed}-{op.number}"
        body: dict[str, Any] = {"carrier": "YTO", "tracking_no": number}
        if dice.random() < 0.3:
            body["lines"] = [{"line_no": dice.choice(order.sale.lines).number, "qty": 1}]
        order.tried.add(f"send {number}")

        def accept(_: Any) -> None:
            self.sent.setdefault(order.id, set()).add(number)

        refusals = frozenset({"order_not_sendable", "after_sale_open", "shipment_invalid"})
        request = Request(self.world.admin, "POST", f"/v1/admin/orders/{order.id}/parcels", encode(body))
        times = 2 if dice.random() < 0.2 else 1
        await asyncio.gather(*(self.world.ask(op, request, accept=accept, refusals=refusals) for _ in range(times)))

    async def receive(self, op: Op) -> None:
        """The member has it."""
        order = self._pick(op, PAID, "shipped", "received")
        if order is None:
            return

        def accept(shown: Any) -> None:
            order.told.add("received")
            if shown["status"] not in ("received", "completed"):
                self.world.blame(f"order {order.id} was received and is {shown['status']}")

        request = Request(order.sale.member, "POST", f"{ORDERS}/{order.id}/receipt")
        await self.world.ask(op, request, accept=accept, refusals=frozenset({"order_not_receivable"}))

    async def receive_at_wechat(self, op: Op) -> None:
        """The member confirms inside WeChat, if WeChat knows that the goods have left; it may say so twice."""
        order = self._pick(op, "shipped")
        if order is None or not order.payment_id:
            return
        how = {"mode": op.random.choice(("safe", "plain")), "format": op.random.choice(("xml", "json"))}
        for _ in range(2):
            path = f"/mock/wechat/shipping/{order.payment_id}/receipt"
            answer = await self.world.plain("POST", path, how)
            if not answer.good and answer.code != "NOT_SHIPPED":
                self.world.blame(f"WeChat answered {answer.status} {answer.code} to who received an order")

    async def review(self, op: Op) -> None:
        """A member says what they think, with a picture; at times with one that is another's."""
        order = self._orders.pick(op.random, "received", "completed")
        if order is None:
            return
        member, line_no = order.sale.member, op.random.choice(order.sale.lines).number
        uploaded: list[str] = []
        request = Request(member, "POST", "/v1/member/media", PICTURE, media_type="image/png")
        await self.world.ask(
            op, request, accept=lambda made: uploaded.append(made["id"]), refusals=frozenset({"rate_limited"})
        )
        path, said = f"{ORDERS}/{order.id}/reviews", {"line_no": line_no, "stars": 5, "pictures": uploaded[-1:]}
        refusals = frozenset({"review_unavailable", "not_found"})  # what two requests show is the first one's
        await self.world.ask(op, Request(member, "POST", path, encode(said)), refusals=refusals)

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Parcels hold what was bought, and left because somebody sent them; pictures are shown once, by their own."""
        yield from self._parcels(books.facts["parcels"])
        yield from _pictures(books.facts["reviews"], books.facts["uploads"])
        for order in self._orders.orders.values():
            if "received" in order.told and order.state not in ("received", "completed"):
                yield f"order {order.id} was told to be received and is {order.state}"

    def _parcels(self, rows: Sequence[Sequence[Any]]) -> Iterator[str]:
        packed: Counter[tuple[str, int]] = Counter()
        there: dict[str, set[str]] = {}
        orders: Mapping[str, Order] = self._orders.orders
        for order_id, number, text, about in rows:
            if about is not None or order_id not in orders:
                continue  # what an exchange sent; what the demo's own members bought
            if f"send {number}" not in orders[order_id].tried:
                yield f"parcel {number} of order {order_id} left, and nobody sent it"
            there.setdefault(order_id, set()).add(number)
            for line_no, qty in msgspec.json.decode(text).items():
                packed[order_id, int(line_no)] += qty
        for order_id, numbers in self.sent.items():
            if lost := numbers - there.get(order_id, set()):
                yield f"parcels {lost} of order {order_id} were acknowledged and are not stored"
        for (order_id, line_no), qty in packed.items():
            line = next(line for line in orders[order_id].sale.lines if line.number == line_no)
            if qty > line.qty:
                yield f"of {line.qty} pieces of line {line_no} of order {order_id} {qty} were sent"
        for order in orders.values():
            if order.delivery == "express" and order.state == "shipped" and order.id not in there:
                yield f"order {order.id} is shipped, and nothing was sent"


def _pictures(reviews: Sequence[Sequence[Any]], uploads: Sequence[Sequence[Any]]) -> Iterator[str]:
    by_id = {row[0]: (row[1], row[2]) for row in uploads}
    shown: Counter[str] = Counter()
    for order_id, line_no, member_id, text in reviews:
        for picture in msgspec.json.decode(text):
            shown[picture] += 1
            if picture in by_id and by_id[picture] != (member_id, f"{order_id}-{line_no}"):
                yield f"the review of line {line_no} of order {order_id} shows a picture of {by_id[picture]}"
            if picture not in by_id:
                yield f"the review of line {line_no} of order {order_id} shows a picture that is not there"
    for picture, times in shown.items():
        if times > 1:
            yield f"picture {picture} is shown {times} times"
    for picture, (_, used_for) in by_id.items():
        if used_for is not None and "-" in used_for and not shown[picture]:
            yield f"picture {picture} was used for {used_for}, which does not show it"
