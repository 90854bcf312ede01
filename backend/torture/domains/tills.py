"""Looking at the till, and what must be refused there: codes shown twice, keys used twice, others' sales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..journal import Request
from ..signing import check_digit, make_code
from ..world import Op, encode
from . import Domain, Operation
from .codes import Codes
from .pos import SALE, Pos
from .sale import by_type


class Tills(Domain):
    """Nothing here moves anything: it is looking, asking again, or not allowed."""

    @property
    def operations(self) -> Sequence[Operation]:
        """What tills do besides selling, and what thieves do."""
        return (
            Operation("quote", 4, self.quote),
            Operation("sale look", 5, self.look),
            Operation("own code", 1, self.own_code),
            Operation("waiting sales", 1, self.list_waiting),
            Operation("key again", 4, self.repeat),
            Operation("key, other body", 1.5, self.repeat_otherwise),
            Operation("code again", 2, self.show_again),
            Operation("wrong code", 1, self.guess),
            Operation("nonsense at the till", 1, self.talk_nonsense),
            Operation("other's sale", 1, self.meddle),
        )

    @property
    def _pos(self) -> Pos:
        return self.world.domain(Pos)

    # -- looking

    async def quote(self, op: Op) -> None:
        """Prices without a sale: neither the code nor anything else is spent."""
        picked = self.world.pick_phone(op.random)
        if picked is None:
            return
        member, phone, step = picked
        basket = self._pos.basket(op) | {"code": make_code(phone.handle, phone.secret, step)}
        request = Request(self._pos.till(op.random, member), "POST", "/v1/pos/quotes", encode(basket))
        await self.world.ask(op, request, refusals=SALE)

    async def look(self, op: Op) -> None:
        """A sale as it stands: what it cost never changes."""
        if not self._pos.recent:
            return
        sale = op.random.choice(self._pos.recent)

        def accept(shown: Any) -> None:
            tenders = by_type(shown["tenders"])
            if (shown["id"], shown["payable_fen"], tenders) != (sale.id, sale.payable_fen, sale.tenders):
                self.world.blame(f"sale {sale.id} is shown as {shown}")

        request = Request(self.world.till_of(op.random, sale.till.store_id), "GET", f"/v1/pos/sales/{sale.id}")
        await self.world.ask(op, request, accept=accept)

    async def own_code(self, op: Op) -> None:
        """The code that the server makes for a session."""

        def accept(shown: Any) -> None:
            code = shown["code"]
            if len(code) != 20 or not code.startswith("70") or check_digit(code[:-1]) != code[-1]:
                self.world.blame("a member was given a code that is none")

        await self.world.ask(op, Request(self.world.pick(op.random), "GET", "/v1/member/code"), accept=accept)

    async def list_waiting(self, op: Op) -> None:
        """The sales that wait for a member: their own, and nobody else's."""
        member = self.world.pick(op.random)

        def accept(shown: Any) -> None:
            for item in shown["items"]:
                sale = self._pos.sales.get(item["sale_id"])
                if sale is not None and (sale.member is not member or sale.payable_fen != item["payable_fen"]):
                    self.world.blame(f"member {member.id} is asked to confirm {item}")

        await self.world.ask(op, Request(member, "GET", "/v1/member/confirmations"), accept=accept)

    # -- what must be refused, or answered as before

    async def repeat(self, op: Op) -> None:
        """The same request with the same key: the first answer, whatever happened since."""
        if self.world.journal.recent:
            await self.world.ask_again(op, op.random.choice(self.world.journal.recent))

    async def repeat_otherwise(self, op: Op) -> None:
        """The same key for something else."""
        if not self.world.journal.recent:
            return
        request = op.random.choice(self.world.journal.recent).request
        body = msgspec.json.decode(request.body) if request.body else {}
        if "lines" not in body or "order_no" not in body:
            return
        body["order_no"] += "x"
        other = Request(request.who, request.method, request.path, encode(body), request.key, request.scope)
        answer = await self.world.send_until_decided(op, other)
        if answer.good or answer.code not in ("idempotency_conflict", "rate_limited"):
            self.world.blame(f"key {request.key} with another body was answered {answer.status} {answer.code}")

    async def show_again(self, op: Op) -> None:
        """A code that was shown before, at another till: it is spent, or it has died."""
        codes = self.world.domain(Codes)
        spent = [item for item in codes.shown if (item[1].id, item[2]) in codes.spent]
        if not spent:
            return
        code, _, _, first = op.random.choice(spent)
        till = op.random.choice([till for till in self.world.tills if till is not first])
        key = f"{self.world.seed}-{op.number}"
        body = encode(self._pos.basket(op) | {"code": code})
        request = Request(till, "POST", "/v1/pos/sales", body, key, f"terminal/{till.id}")
        await self.world.ask_in_vain(op, request, refusals=SALE)

    async def guess(self, op: Op) -> None:
        """Codes that are none: wrong length, wrong check digit, somebody's digits."""
        digits = "".join(str(op.random.randrange(10)) for _ in range(17))
        code = op.random.choice((digits, f"71{digits}0", f"70{digits}{(int(check_digit('70' + digits)) + 1) % 10}"))
        till, key = op.random.choice(self.world.tills), f"{self.world.seed}-{op.number}"
        body = encode(self._pos.basket(op) | {"code": code})
        request = Request(till, "POST", "/v1/pos/sales", body, key, f"terminal/{till.id}")
        await self.world.ask_in_vain(op, request, refusals=frozenset({"code_invalid"}))

    async def talk_nonsense(self, op: Op) -> None:
        """Sales that are none; they are refused before anybody is asked for."""
        key, till = f"{self.world.seed}-{op.number}", op.random.choice(self.world.tills)
        line = {"sku": "X-1", "qty": 1, "unit_price_fen": 100}
        wrong = op.random.choice(
            ({"qty": 0}, {"qty": 1.5}, {"unit_price_fen": -1}, {"unit_price_fen": 10**12}, {"x": 1})
        )
        body = {"code": "70", "order_no": key, "lines": [line | wrong]}
        request = Request(till, "POST", "/v1/pos/sales", encode(body), key, f"terminal/{till.id}")
        await self.world.ask_in_vain(op, request, refusals=frozenset({"validation_failed"}))

    async def meddle(self, op: Op) -> None:
        """Another store's sale, or another member's confirmation, is not there."""
        if not self._pos.recent:
            return
        sale, key = op.random.choice(self._pos.recent), f"{self.world.seed}-{op.number}"
        till = op.random.choice([till for till in self.world.tills if till.store_id != sale.till.store_id])
        other = op.random.choice([member for member in self.world.members if member is not sale.member])
        body = encode({"amount_fen": 1, "reason": "退货"})
        path = f"/v1/pos/sales/{sale.id}"
        request = op.random.choice(
            (
                Request(till, "GET", path),
                Request(till, "POST", f"{path}/refunds", body, key, f"terminal/{till.id}"),
                Request(till, "POST", f"{path}/cancel", b"", key, f"terminal/{till.id}"),
                Request(other, "POST", f"/v1/member/confirmations/{sale.id}", encode({"decision": "approve"})),
            )
        )
        await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))
