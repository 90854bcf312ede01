"""Buying online: into the cart, then an order that a coupon and stored value pay; and the page of a product.

What is sold and lies on the shelves is loaded by ``bench order`` itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from backend.bench.plans import PlanMaker
from backend.bench.population import ZONE, Member, Population
from backend.bench.requests import Requests
from backend.coupons.plans import Wish
from backend.coupons.plans import issue as issue_coupon
from backend.kernel import clock, ids
from backend.kernel.vault import Vault
from backend.ledger import plans as ledger
from backend.ledger.plans import Plan

from . import Domain, Path, Rows
from .coupons import HELD_TEMPLATE, HELD_TERMS

EACH = 6
"""Coupons of a member for orders: so many orders a member can place."""

FLASH_SKU, FLASH_FEN, FLASH_STORE = "BFLASH", 100, "B0001"

_FIRST_COUPON = 512
"""Beyond the numbers of the coupons that tills use."""


class Buy(msgspec.Struct, frozen=True):
    """Order number k: who buys what, and what it costs."""

    number: int
    store_id: str
    lines: tuple[tuple[str, int], ...]
    payable_fen: int
    coupon_id: str


def buy(people: Population, members: int, k: int) -> Buy:
    """Two articles of the member's store, with a coupon of their own."""
    number = k % members
    member, articles = people.member(number), people.articles
    chosen = (articles[k * 7 % len(articles)], articles[(k * 7 + 1 + k % 5) % len(articles)])
    fen = [price - price * member.level.discount_bp // 10_000 for _, _, price in chosen]
    lines = tuple((sku, 1) for sku, _, _ in chosen)
    return Buy(number, member.store_id, lines, sum(fen), coupon_id(people, member, k // members))


def coupon_id(people: Population, member: Member, lap: int) -> str:
    """The coupon that pays part of a member's order."""
    return ids.document_id("C", member.id, people.coupon_random(member.number, _FIRST_COUPON + lap))


def _order(requests: Requests, n: int) -> bytes:
    """In turn: the first article goes into the cart (asked, and not counted), and all of it is ordered."""
    what = buy(requests.population, requests.members, n // 2)
    if n % 2 == 0:
        target = f"/v1/member/cart/{what.store_id}/{what.lines[0][0]}"
        return requests.of_member(what.number, "PUT", target, b'{"qty":1}')
    return requests.of_member(what.number, "POST", "/v1/member/orders", _body(what), key=requests.unique(n))


def _body(what: Buy) -> bytes:
    part = {
        "store_id": what.store_id,
        "lines": [{"sku": sku, "qty": qty} for sku, qty in what.lines],
        "coupon_ids": [what.coupon_id] if what.coupon_id else [],
    }
    return msgspec.json.encode({"orders": [part], "tenders": [{"type": "stored"}], "payable_fen": what.payable_fen})


def _flash(requests: Requests, n: int) -> bytes:
    """One piece each; the members' level takes its share off."""
    number = n % requests.members
    level = requests.population.member(number).level
    fen = FLASH_FEN - FLASH_FEN * level.discount_bp // 10_000
    what = Buy(number, FLASH_STORE, ((FLASH_SKU, 1),), fen, "")
    return requests.of_member(number, "POST", "/v1/member/orders", _body(what), key=requests.unique(n))


def _product(requests: Requests, n: int) -> bytes:
    """The page of the article of the flash sale, and of others."""
    people = requests.population
    sku = FLASH_SKU if n % 2 else people.articles[n % len(people.articles)][0]
    target = f"/v1/member/mall/products/P-{sku}?store_id={FLASH_STORE}"
    return requests.of_member(n % requests.members, "GET", target)


def rows(population: Population, members: Sequence[Member], box: Vault, now: datetime) -> Rows:
    """The coupons of a chunk of members."""
    on = clock.local_date(now, ZONE)
    until = clock.days_after(on, 29)
    pairs = [(m.id, coupon_id(population, m, lap)) for m in members for lap in range(EACH)]
    columns = ("member_id", "id", "template_id", "version", "source", "issued_at", "valid_from", "expires_on")
    return {"coupon": (columns, [(*pair, HELD_TEMPLATE, 1, "claim", now, on, until) for pair in pairs])}


def plans(maker: PlanMaker, member: Member, now: datetime) -> Iterable[Plan]:
    """What issued a member's coupons."""
    on = clock.local_date(now, ZONE)
    for lap in range(EACH):
        key = f"mall-{member.number}-{lap}"
        wish = Wish(
            member_id=member.id,
            coupon_id=coupon_id(maker.population, member, lap),
            source="claim",
            scope="bench",
            key=key,
            hash=ledger.job_hash("claim", key),
        )
        until = clock.days_after(on, 29)
        yield issue_coupon(wish, HELD_TEMPLATE, HELD_TERMS, per_member=None, expires_on=until, now=now, on=on)


DOMAIN = Domain(
    order=45,
    apart=True,
    paths=(
        Path(
            name="order",
            call="PUT /v1/member/cart/…, POST /v1/member/orders",
            request=_order,
            accepted=201,
            before=200,
            most=lambda members: members * EACH * 2,
            once=True,
        ),
        Path(name="flash", call="POST /v1/member/orders", request=_flash, accepted=201),
        Path(name="flash-page", call="GET /v1/member/mall/products/{id}", request=_product),
    ),
    rows=rows,
    plans=plans,
)
