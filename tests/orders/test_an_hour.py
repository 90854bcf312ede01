"""An hour of the mall from a seed: orders, cancels, payments, late ones, returns; a second account of it agrees.

The account knows what was asked and what things cost, and says of every request beforehand how it must end.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from backend.kernel import clock, outbox
from backend.orders import plans
from backend.orders.commands import payments, pickups, place, psp_refunds
from backend.wechat import service as wechat
from tests.support.gift_cards import bound_card, cards_of
from tests.support.mall import order, put, shelf
from tests.support.members import Phone, register
from tests.support.recharge import pay
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give

PRICES = {"6901": 200, "6902": 1_250}
STORES = ("S1", "S2")
OPENING = 12
STORED, POINTS, ON_CARD = 30_000, 600, 20_000
PAY_WITHIN_S = 900
STEPS = 240
RENEW_EVERY = 30
STEP_S = 30
"""The longest pause between two of them: together about an hour."""


@dataclass
class Bought:
    """An order in the account: what it took by tender, what came back, and how it stands."""

    id: str
    buyer: Buyer
    store_id: str
    sku: str
    qty: int
    paid: dict[str, int]
    earned: int
    state: str
    payment_id: str | None
    pay_until: float
    back: Counter[str] = field(default_factory=Counter)
    pieces_back: int = 0
    returned: int = 0
    clawed: int = 0

    @property
    def fen(self) -> int:
        return self.qty * PRICES[self.sku]


@dataclass
class Buyer:
    """A member, and what the account says they have."""

    phone: Phone
    card_id: str
    stored: int = STORED
    points: int = POINTS
    on_card: int = ON_CARD

    async def renew(self) -> None:
        """A session lives shorter than an hour."""
        body = {"refresh_token": self.phone.refresh_token}
        tokens = (await self.phone.client.post("/v1/member/token", json=body)).json()
        self.phone.access_token, self.phone.refresh_token = tokens["access_token"], tokens["refresh_token"]


class Hour:
    """What happens and what must come of it."""

    def __init__(self, seed: int, buyers: list[Buyer], tills: dict[str, Any]) -> None:
        self.dice = random.Random(seed)
        self.buyers, self.tills = buyers, tills
        self.staff: dict[str, StaffSession] = {}
        self.orders: list[Bought] = []
        self.lies: Counter[tuple[str, str]] = Counter({(store, sku): OPENING for store in STORES for sku in PRICES})
        self.promised: Counter[tuple[str, str]] = Counter()
        self.at_psp: Counter[str] = Counter()
        self.refund_ids: dict[str, int] = {}
        self.seen: Counter[str] = Counter()
        self.answers: list[tuple[Phone, dict[str, Any], int, str, Any]] = []

    async def step(self) -> None:
        acts = {
            self.buy: 8,
            self.ask_again: 2,
            self.pay: 5,
            self.pay_late: 2,
            self.cancel: 3,
            self.fetch: 3,
            self.give_back: 4,
            self.tick: 2,
        }
        await self.dice.choices(list(acts), list(acts.values()))[0]()
        clock.shift(timedelta(seconds=self.dice.uniform(0, STEP_S)))

    def one(self, *states: str, payment: bool = False) -> Bought | None:
        among = [one for one in self.orders if one.state in states and (one.payment_id or not payment)]
        return self.dice.choice(among) if among else None

    # -- buying

    async def buy(self) -> None:
        buyer, store_id, sku = self.dice.choice(self.buyers), self.dice.choice(STORES), self.dice.choice(list(PRICES))
        qty = self.dice.randint(1, 4)
        fen = qty * PRICES[sku]
        points = self.dice.choice((0, 0, self.dice.randint(1, 80)))
        on_card = self.dice.choice((0, 0, self.dice.randint(1, fen - points - 1)))
        by_wechat, left = self.dice.random() < 0.5, fen - points - on_card
        stored = self.dice.randint(0, left - 1) if by_wechat else left
        paid = {"points": points, "gift_card": on_card, "stored": stored, "wechat": left - stored}
        paid = {tender: amount for tender, amount in paid.items() if amount}
        tenders = [
            {"type": tender}
            | ({"points": amount} if tender == "points" else {"amount_fen": amount})
            | ({"reference": buyer.card_id} if tender == "gift_card" else {})
            for tender, amount in paid.items()
        ]
        lines = [{"sku": sku, "qty": qty}]
        body, key = {"orders": [{"store_id": store_id, "lines": lines}], "tenders": tenders}, uuid.uuid4().hex
        place.forget_gone()

        answer = await order(buyer.phone, body, fen, key=key)

        self.seen[answer.json().get("code", "placed")] += 1
        if points > buyer.points or stored > buyer.stored or on_card > buyer.on_card:
            assert answer.json()["code"] == "insufficient_balance"
        elif qty > self.lies[store_id, sku] - self.promised[store_id, sku]:
            assert answer.json()["code"] == "out_of_stock"
        else:
            assert answer.status_code == 201, answer.text
            await self._bought(answer.json(), buyer, store_id, sku, qty, paid)
            self.answers.append((buyer.phone, body, fen, key, answer.json()))

    async def _bought(
        self, made: dict[str, Any], buyer: Buyer, store_id: str, sku: str, qty: int, paid: dict[str, int]
    ) -> None:
        (shown,), payment = made["orders"], made["payment"]
        assert {one["type"]: one["amount_fen"] for one in shown["tenders"]} == paid
        assert (payment["pay_fen"] if payment else None) == paid.get("wechat")
        bought = Bought(
            shown["id"], buyer, store_id, sku, qty, paid, shown["points_earned"], "awaiting_payment",
            payment["id"] if payment else None, clock.now().timestamp() + PAY_WITHIN_S,
        )  # fmt: skip
        self.orders.append(bought)
        buyer.stored -= paid.get("stored", 0)
        buyer.points -= paid.get("points", 0)
        buyer.on_card -= paid.get("gift_card", 0)
        self.promised[store_id, sku] += qty
        if payment is None:
            self._paid(bought)

    def _paid(self, bought: Bought) -> None:
        bought.state = "paid"
        bought.buyer.points += bought.earned
        self.promised[bought.store_id, bought.sku] -= bought.qty
        self.lies[bought.store_id, bought.sku] -= bought.qty

    async def ask_again(self) -> None:
        """A retry gets the first answer, whatever has become of the order."""
        if self.answers:
            phone, body, fen, key, first = self.dice.choice(self.answers)
            again = await order(phone, body, fen, key=key)
            assert (again.json(), again.headers["idempotency-replayed"]) == (first, "true")

    # -- WeChat's part

    async def pay(self) -> None:
        if bought := self.one("awaiting_payment"):
            await self._tell(bought)
            self._paid(bought)

    async def _tell(self, bought: Bought) -> None:
        """WeChat takes the money, and tells it twice besides what it notifies by itself."""
        assert bought.payment_id
        taken = await pay(bought.buyer.phone.client, bought.payment_id, force=True)
        assert taken.status_code == 200, taken.text
        self.at_psp[bought.payment_id] += bought.paid["wechat"]
        there = (await wechat.query_order(bought.payment_id)).payment
        assert there is not None
        for _ in range(2):
            await payments.settle_payment(there)

    async def pay_late(self) -> None:
        ended = [one for one in self.orders if one.payment_id and one.state in ("closed", "given up")]
        late = [one for one in ended if one.payment_id not in self.at_psp]
        if late:
            bought = self.dice.choice(late)
            await self._tell(bought)
            await payments.advance_due(clock.now())
            assert bought.payment_id
            self.refund_ids[plans.late_refund_no(bought.payment_id)] = bought.paid["wechat"]
            self.at_psp[bought.payment_id] -= bought.paid["wechat"]

    async def tick(self) -> None:
        """What the clock does: payments that nobody made are closed, refunds that are owed are asked for."""
        await payments.advance_due(clock.now())
        await psp_refunds.advance_due(clock.now())
        for bought in self.orders:
            if bought.state == "awaiting_payment" and clock.now().timestamp() > bought.pay_until:
                self._released(bought, "closed")

    def _released(self, bought: Bought, state: str) -> None:
        bought.state = state
        bought.buyer.stored += bought.paid.get("stored", 0)
        bought.buyer.points += bought.paid.get("points", 0)
        bought.buyer.on_card += bought.paid.get("gift_card", 0)
        self.promised[bought.store_id, bought.sku] -= bought.qty

    # -- afterwards

    async def cancel(self) -> None:
        bought = self.one("awaiting_payment", "paid", "received")
        if bought is None:
            return

        answer = await bought.buyer.phone.call("POST", f"/v1/member/orders/{bought.id}/cancel")

        self.seen[answer.json().get("code", "cancelled")] += 1
        if bought.state == "received" or bought.pieces_back:
            assert answer.json()["code"] == "order_not_cancellable"
        elif bought.state == "awaiting_payment":
            assert answer.json()["status"] == "cancelled"
            self._released(bought, "given up")
        else:
            assert (answer.json()["status"], answer.json()["refunded_fen"]) == ("cancelled", bought.fen)
            bought.state = "cancelled"
            self._gave_back(bought, bought.qty, bought.paid, bought.paid.get("points", 0), bought.earned, shelf=True)

    async def fetch(self) -> None:
        bought = self.one("paid")
        if bought is None:
            return
        ready = await self.staff[bought.store_id].post(f"/v1/admin/orders/{bought.id}/ready")
        assert ready.status_code == 200, ready.text
        shown = (await bought.buyer.phone.call("GET", f"/v1/member/orders/{bought.id}/delivery")).json()
        path, body = f"/v1/pos/pickups/{bought.id}/handover", {"code": shown["pickup"]["code"]}
        handed = await self.tills[bought.store_id][0].post(bought.buyer.phone.client, path, body)
        assert handed.json()["status"] == "received"
        bought.state = "received"

    async def give_back(self) -> None:
        bought = self.one("paid", "received")
        if bought is None:
            return
        left, qty, gone = bought.qty - bought.pieces_back, self.dice.randint(1, 4), bought.state == "received"
        body = {"kind": "return" if gone else "refund", "lines": [{"line_no": 1, "qty": qty}], "reason": "不合适"}
        path = f"/v1/member/orders/{bought.id}/after-sales"
        asked = await bought.buyer.phone.call("POST", path, body, key=uuid.uuid4().hex)
        if qty > left:
            assert asked.json()["code"] == "after_sale_unavailable"
            return
        restock = self.dice.random() < 0.7
        request = f"/v1/admin/after-sales/{asked.json()['id']}"
        manager = self.staff[bought.store_id]
        done = await manager.post(f"{request}/approve", {})
        if gone:
            await manager.post(f"{request}/goods", {"restock": restock})
            done = await manager.post(f"{request}/refund", {})
        assert done.status_code == 200, done.text
        refund = done.json()["refund"]
        self.seen["returned" if gone else "refunded"] += 1
        assert refund["refund_fen"] == qty * PRICES[bought.sku]
        by_tender = {one["type"]: one["amount_fen"] for one in refund["by_tender"]}
        self._gave_back(
            bought, qty, by_tender, refund["points_returned"], refund["points_clawed_back"], shelf=restock or not gone
        )
        if by_tender.get("wechat"):
            self.refund_ids[refund["id"]] = by_tender["wechat"]
        if not gone and bought.pieces_back == bought.qty:
            bought.state = "cancelled"

    def _gave_back(
        self, bought: Bought, qty: int, by_tender: dict[str, int], returned: int, clawed: int, *, shelf: bool
    ) -> None:
        """A part never more than was paid by each tender; all of it to where it came from, to the fen and the point."""
        bought.pieces_back += qty
        bought.back.update(by_tender)
        bought.returned += returned
        bought.clawed += clawed
        bought.buyer.stored += by_tender.get("stored", 0)
        bought.buyer.points += returned - clawed
        bought.buyer.on_card += by_tender.get("gift_card", 0)
        if bought.payment_id:
            self.at_psp[bought.payment_id] -= by_tender.get("wechat", 0)
        if shelf:
            self.lies[bought.store_id, bought.sku] += qty
        assert sum(bought.back.values()) == bought.pieces_back * PRICES[bought.sku]
        if bought.pieces_back == bought.qty:
            assert dict(bought.back) == bought.paid
            assert (bought.returned, bought.clawed) == (bought.paid.get("points", 0), bought.earned)
        assert all(fen <= bought.paid[tender] for tender, fen in bought.back.items())

    # -- at the end

    async def compare(self) -> None:
        for place_id, sku in self.lies:
            on_hand, reserved, _ = await shelf(place_id, sku)
            assert (on_hand, reserved) == (self.lies[place_id, sku], self.promised[place_id, sku]), (place_id, sku)
        for buyer in self.buyers:
            wallet = await buyer.phone.wallet()
            assert (wallet["stored"]["total_fen"], wallet["points"]["available"]) == (buyer.stored, buyer.points)
            assert [card["balance_fen"] for card in await cards_of(buyer.phone)] == [buyer.on_card]
        for bought in self.orders:
            shown = (await bought.buyer.phone.call("GET", f"/v1/member/orders/{bought.id}")).json()
            assert shown["status"] == {"given up": "cancelled"}.get(bought.state, bought.state)
            assert shown["refunded_fen"] == bought.pieces_back * PRICES[bought.sku]

    async def compare_psp(self) -> None:
        for refund_id, fen in self.refund_ids.items():
            done = await wechat.query_refund(refund_id)
            assert (done.amount_fen, done.status) == (fen, "SUCCESS")
        for bought in self.orders:
            kept = sum(bought.paid.values()) - sum(bought.back.values())
            assert self.at_psp[bought.payment_id or ""] >= 0 <= kept


@pytest.mark.parametrize("seed", [9])
async def test_an_hour_of_the_mall_is_accounted_for(client, settings, clock, chain, office, admin, seed):
    pickups._blocked_until.clear()
    for store_id in STORES:
        for sku in PRICES:
            await put(store_id, sku, OPENING, 777)
    phones = [await register(client) for _ in range(4)]
    buyers = [Buyer(one, (await bound_card(admin, chain.till, one, ON_CARD))["id"]) for one in phones]
    for buyer in buyers:
        await give(buyer.phone.member_id, principal=STORED, points=POINTS)
    hour = Hour(seed, buyers, chain.tills)
    begun = clock.now()

    for number in range(STEPS):
        if number % RENEW_EVERY == 0:
            for buyer in buyers:
                await buyer.renew()
            hour.staff = {store_id: await log_in(office, chain, f"manager-{store_id}") for store_id in STORES}
        await hour.step()
    await hour.compare()
    assert await findings(settings) == []
    took = clock.now() - begun
    clock.shift(timedelta(seconds=PAY_WITHIN_S + 1))
    for _ in range(3):
        await hour.tick()
        clock.shift(timedelta(minutes=5))
    await outbox.drain()
    for buyer in buyers:
        await buyer.renew()

    await hour.compare()
    await hour.compare_psp()
    assert not +hour.promised
    assert await findings(settings) == []
    assert timedelta(minutes=40) < took < timedelta(minutes=90)
    assert {"placed", "out_of_stock", "cancelled", "order_not_cancellable", "returned", "refunded"} <= hour.seen.keys()
    assert {"received", "cancelled", "closed", "given up"} <= {bought.state for bought in hour.orders}
    assert any(refund_id.endswith("L") for refund_id in hour.refund_ids)
