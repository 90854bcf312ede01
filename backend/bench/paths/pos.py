"""The till: sale, quote, scan, refund; and the code that a phone shows there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from backend.auth import queries as auth
from backend.auth.types import HANDLE_AGE
from backend.bench.plans import PAST_SALES, PlanMaker
from backend.bench.population import DEVICES, Basket, Member
from backend.bench.requests import Requests
from backend.ledger import queries as ledger
from backend.ledger.plans import Plan

from . import Domain, Floor, Ground, Path, posting

LINES = 3
_TENDERS = '"tenders":['


def write_sale(requests: Requests, n: int, first: str = "") -> bytes:
    """Sale number n; ``first`` is a tender, with a comma behind it, that pays before the basket's own."""
    people = requests.population
    number, slot, lap = people.visit(requests.members, n)
    unique = requests.unique(number, slot, lap)
    basket = _as_rung_up(people.baskets[people.basket_number(number, slot)]).replace(_TENDERS, _TENDERS + first, 1)
    body = f'{{"code":"{requests.code(number, slot)}","order_no":"{unique}","cashier":"7",{basket}'.encode()
    return requests.of_till(people.till_of(people.member(number), slot), "POST", "/v1/pos/sales", body, key=unique)


def _quote(requests: Requests, n: int) -> bytes:
    people = requests.population
    number, slot, _ = people.visit(requests.members, n)
    basket = _as_rung_up(people.baskets[people.basket_number(number, slot)])
    body = f'{{"code":"{requests.code(number, slot)}",{basket}'.encode()
    return requests.of_till(people.till_of(people.member(number), slot), "POST", "/v1/pos/quotes", body)


def _scan(requests: Requests, n: int) -> bytes:
    people = requests.population
    number, slot, _ = people.visit(requests.members, n)
    body = f'{{"code":"{requests.code(number, slot)}"}}'.encode()
    return requests.of_till(people.till_of(people.member(number), slot), "POST", "/v1/pos/scan", body)


def _refund(requests: Requests, n: int) -> bytes:
    """A piece of one line after the other of the first of everybody's past sales."""
    people = requests.population
    line, number = divmod(n, requests.members)
    till = people.till_of(people.member(number), 0)
    target = f"/v1/pos/sales/{people.sale_id(number, 0)}/refunds"
    body = msgspec.json.encode({"lines": [{"line_no": line + 1, "qty": 1}], "reason": "benchmark"})
    return requests.of_till(till, "POST", target, body, key=requests.unique(number, line))


def _code(requests: Requests, n: int) -> bytes:
    return requests.of_member(n % requests.members, "GET", "/v1/member/code")


@lru_cache(maxsize=64)
def _as_rung_up(basket: Basket) -> str:
    """The end of a body, as a till writes it: what is not given is left out."""

    def given(items: tuple[msgspec.Struct, ...]) -> str:
        built = [{name: value for name, value in item.items() if value} for item in msgspec.to_builtins(items)]
        return msgspec.json.encode(built).decode()

    return f'"lines":{given(basket.lines)},"tenders":{given(basket.tenders)}}}'


def _sale_row(ground: Ground, n: int) -> tuple[int, str]:
    number, slot, lap = ground.population.visit(ground.members, n)
    return ground.plans.plan(ground.run, number, slot, ground.step(lap), ground.now)


def _scan_row(ground: Ground, n: int) -> tuple[int, str]:
    number, slot, lap = ground.population.visit(ground.members, n)
    return ground.plans.scan(number, slot, ground.step(lap), ground.now)


def _quote_row(ground: Ground, n: int) -> tuple[Any, ...]:
    return [ground.population.member(n % ground.members).id], ground.on


def _refund_row(ground: Ground, n: int) -> tuple[int, str]:
    return ground.plans.refund(n % ground.members, 1, ground.now)


def _code_row(ground: Ground, n: int) -> tuple[Any, ...]:
    people = ground.population
    number = n % ground.members
    return [people.member(number).id], [people.session_id(number, 0)], ground.now - HANDLE_AGE


def _plans(maker: PlanMaker, member: Member, now: datetime) -> Iterable[Plan]:
    """Sales to be refunded."""
    return (maker.past_sale(member.number, index, now)[0] for index in range(PAST_SALES))


DOMAIN = Domain(
    order=20,  # refunds want their sales to be first in a member's past
    paths=(
        Path(
            name="sale",
            call="POST /v1/pos/sales",
            request=write_sale,
            accepted=201,
            most=lambda members: members * DEVICES,
            needs_code=True,
            grows=True,
            floor=posting(_sale_row),
        ),
        Path(
            name="scan",
            call="POST /v1/pos/scan",
            request=_scan,
            most=lambda members: members * DEVICES,
            needs_code=True,
            grows=True,
            floor=posting(_scan_row),
        ),
        Path(
            name="quote",
            call="POST /v1/pos/quotes",
            request=_quote,
            most=lambda members: members * DEVICES,
            needs_code=True,
            floor=Floor(statements=(ledger.SNAPSHOT,), types=("bigint[]", "date"), row=_quote_row),
        ),
        Path(
            name="refund",
            call="POST /v1/pos/sales/{id}/refunds",
            request=_refund,
            accepted=201,
            most=lambda members: members * LINES,
            floor=posting(_refund_row, most=lambda members: members),
        ),
        Path(
            name="code",
            call="GET /v1/member/code",
            request=_code,
            floor=Floor(
                statements=(auth.SESSION_DEVICES,), types=("bigint[]", "bigint[]", "timestamptz"), row=_code_row
            ),
        ),
    ),
    plans=_plans,
)
