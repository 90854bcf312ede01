"""``bench order``: carts become paid orders; with ``flash``, many want few pieces while others look at their page."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import asyncpg
import msgspec

from backend.kernel import clock, db

from . import load, paths
from .generator import Driven
from .generator import Order as Run
from .paths import coupons, orders
from .population import Population
from .runs import PREPARE_S_EACH, SPARE, Served, drive
from .system import Say, System

GOAL_PER_S = 360.0
"""Thirty times the fastest peer on such a machine."""

GOAL_TIMES = 2.0
"""The product page's 95th percentile during the flash sale, over its own when nothing else goes on."""

PLENTY = 1_000_000
PAGE_RATE = 100.0
"""Product pages a second that are looked at all the while."""

TILL_RATE = 10.0
"""Sales a second at tills all the while: a chain of some hundred tills."""

WATCHERS = 32
"""Connections of those who look at pages, and tills."""

WATCH_S = 6.0
"""How long pages and tills are looked at when nothing else goes on."""

PREPARED_WITHIN_S = 3.0
LONGEST_S = 120.0


class Sold(msgspec.Struct, frozen=True):
    """What the books say of the flash sale's article: pieces gone from the shelf, orders, and what members paid."""

    pieces: int
    left: int
    orders: int
    paid_fen: int
    booked_fen: int


class Watched(msgspec.Struct, frozen=True):
    """How long somebody waited who buys nothing of the sale: when nothing goes on, and while it does."""

    idle: Driven
    meanwhile: Driven

    @property
    def idle_ms(self) -> float:
        """The 95th percentile alone."""
        return self.idle.latencies_ms[1]

    def selling_ms(self, sale: Driven) -> float:
        """The 95th percentile of those who came before the last piece was sold: while orders are placed."""
        return self.meanwhile.latencies_between(sale.began_at, sale.began_at + sale.last_accepted_s)[1]

    def times(self, sale: Driven) -> float:
        """How many times as long it took while orders were placed, by the 95th percentile."""
        return self.selling_ms(sale) / self.idle_ms if self.idle_ms else 0.0


class Flash(msgspec.Struct, frozen=True, kw_only=True):
    """A flash sale: so many buyers for so many pieces; the product's page and tills before and meanwhile.

    ``others`` is the share of the machine that programs took meanwhile which are no part of it.
    """

    buyers: int
    total: int
    connections: int
    within_s: float
    driven: Driven
    others: float
    page: Watched
    tills: Watched
    sold: Sold

    @property
    def exact(self) -> bool:
        """Whether as many were sold as there were: by the answers, the shelf, the orders and the money."""
        sold = self.sold
        same = {self.driven.accepted, sold.pieces, sold.orders}
        return same == {min(self.total, self.buyers)} and sold.paid_fen == sold.booked_fen and sold.left == 0

    @property
    def times(self) -> float:
        """The page's 95th percentile while pieces are sold, over its own when nothing else goes on."""
        return self.page.times(self.driven)

    @property
    def refused_otherwise(self) -> int:
        """Answers to buyers that were neither an order nor a refusal of the domain."""
        return sum(count for status, count in self.driven.statuses.items() if status != "409")


class Outcome(msgspec.Struct, kw_only=True):
    """Everything that was measured."""

    workers: int
    members: int
    connections: int
    served: Served | None = None
    flash: Flash | None = None
    findings: int = 0
    audited: int = 0

    @property
    def failures(self) -> int:
        """Orders that were not placed, and buyers who were not answered as they must be."""
        lost = self.served.driven.answered - self.served.driven.accepted if self.served else 0
        return lost + (self.flash.refused_otherwise if self.flash else 0)


class Bench:
    """The benchmark on a running system, with what was loaded into it."""

    def __init__(self, system: System, *, members: int, connections: int, watch_s: float = WATCH_S) -> None:
        self.system = system
        self._members, self._connections, self._watch_s = members, connections, watch_s
        self._seed = secrets.token_hex(8)
        self._population = Population(self._seed)
        self._runs = 0
        self._first = 0
        self._first_sale = 0

    async def load(self, say: Say, *, flash: int = 0) -> None:
        """The chain, its shelves, and the members with a session, value and coupons each."""
        settings = self.system.settings
        logins = [domain for domain in paths.domains() if any(path.name == "login" for path in domain.paths)]
        await load.load_chain(settings, self._population)
        await load.load_members(
            settings, self._population, 0, self._members, say, domains=[*logins, coupons.holding(0), orders.DOMAIN]
        )
        owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
        try:
            async with owner.transaction():
                await _fill_shelves(owner, clock.now(), flash=flash)
        finally:
            await owner.close()
        await load.settle_down(settings)

    def place(self, say: Say, *, seconds: float, expected: float, connections: int | None = None) -> Served:
        """Drive the servers once with carts that become orders, so many a second prepared."""
        count = min(round(expected * seconds), self._members * orders.EACH - self._first // 2) * 2
        first, self._first = self._first, self._first + count
        return self._drive(
            "order", say, count=count, first=first, seconds=seconds, connections=connections or self._connections
        )

    def flash(self, say: Say, *, buyers: int, total: int, connections: int, within_s: float) -> Flash:
        """Pages and tills alone, then the sale besides; buyers come ``within_s``, or (0) as fast as they can."""
        page, tills = self._page(say, self._watch_s).driven, self._tills(say, self._watch_s).driven
        watch_s = max(within_s, self._watch_s)
        begin_at = clock.now().timestamp() + PREPARED_WITHIN_S + buyers * SPARE * PREPARE_S_EACH
        with ThreadPoolExecutor(2) as pool:
            page_meanwhile = pool.submit(self._page, _silent, watch_s, begin_at)
            tills_meanwhile = pool.submit(self._tills, _silent, watch_s, begin_at)
            served = self._drive(
                "flash",
                say,
                count=round(buyers * SPARE) if within_s else buyers,
                seconds=within_s or LONGEST_S,
                connections=min(connections, buyers),
                rate=buyers / within_s if within_s else 0.0,
                begin_at=begin_at,
            )
        page_then, tills_then = page_meanwhile.result().driven, tills_meanwhile.result().driven
        clients_s = sum(one.drive_cpu_s for one in (served.driven, page_then, tills_then))
        return Flash(
            buyers=buyers,
            total=total,
            connections=connections,
            within_s=within_s,
            driven=served.driven,
            others=served.used.others(clients_s),
            page=Watched(page, page_then),
            tills=Watched(tills, tills_then),
            sold=asyncio.run(self.sold(total)),
        )

    def _page(self, say: Say, seconds: float, begin_at: float = 0.0) -> Served:
        return self._watch("flash-page", say, PAGE_RATE, seconds, begin_at)

    def _tills(self, say: Say, seconds: float, begin_at: float = 0.0) -> Served:
        first, self._first_sale = self._first_sale, self._first_sale + _spare(TILL_RATE, seconds)
        return self._watch("sale", say, TILL_RATE, seconds, begin_at, first=first)

    def _watch(self, path: str, say: Say, rate: float, seconds: float, begin_at: float, *, first: int = 0) -> Served:
        """So many a second who measure how long they wait, each at a moment of its own."""
        return self._drive(
            path,
            say,
            count=_spare(rate, seconds),
            seconds=seconds,
            connections=WATCHERS,
            first=first,
            rate=rate,
            begin_at=begin_at,
            eager=True,
        )

    def _drive(
        self,
        path: str,
        say: Say,
        *,
        count: int,
        seconds: float,
        connections: int,
        first: int = 0,
        rate: float = 0.0,
        begin_at: float = 0.0,
        eager: bool = False,
    ) -> Served:
        self._runs += 1
        run = Run(
            path=path,
            seed=self._seed,
            run=f"o{self._runs}",
            host=self.system.host,
            port=self.system.port,
            members=self._members,
            count=count,
            first=first,
            connections=connections,
            seconds=seconds,
            rate=rate,
            prepare_s=1.0 + count * PREPARE_S_EACH,
            begin_at=begin_at,
            eager=eager,
        )
        return drive(self.system, run, say)

    async def sold(self, total: int) -> Sold:
        """What became of the flash sale's article."""
        owner = await asyncpg.connect(**db.connect_args(self.system.settings.migrate_database_url))
        try:
            row = await owner.fetchrow(_SOLD, orders.FLASH_STORE, orders.FLASH_SKU, total)
        finally:
            await owner.close()
        return Sold(*row)


def _spare(rate: float, seconds: float) -> int:
    """Requests that are enough for strangers who come at that rate."""
    return round(rate * seconds * 1.5) + 10


def _silent(_: str) -> None:
    return None


_SOLD = """
WITH o AS (SELECT member_id, order_id, payable_fen FROM orders_line WHERE sku = $2)
SELECT $3::bigint - on_hand, on_hand - reserved, (SELECT count(*) FROM o),
       (SELECT coalesce(sum(payable_fen), 0) FROM o)::bigint,
       (SELECT coalesce(sum(-e.amount), 0) FROM o
          JOIN ledger_transfer t ON t.member_id = o.member_id AND t.document_id = o.order_id AND t.kind = 'order'
          JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.kind = 'stored')::bigint
  FROM stock_level WHERE place_id = $1 AND sku = $2"""

_SHELVES = (
    (
        "INSERT INTO mall_article (sku, name, category_id, unit_price_fen, active)"
        " VALUES ('{sku}', '秒杀商品', 'bench', {fen}, true)"
    ),
    (
        "INSERT INTO mall_product (id, name, subtitle, category_id, description, pictures, axes, attributes, active,"
        " name_key, version, created_at, updated_at, from_fen)"
        " SELECT 'P-' || sku, name, '', category_id, '', '[]', '[]', '{{}}', true, '', 1, '{now}', '{now}',"
        " unit_price_fen FROM mall_article"
    ),
    "UPDATE mall_article SET product_id = 'P-' || sku, spec = '[]', tracked = true, weight_g = 100",
    (
        "INSERT INTO mall_publication (channel, store_id, product_id, at) SELECT 'mall', s.id, a.product_id, '{now}'"
        " FROM mall_article a, auth_store s"
    ),
    (
        "INSERT INTO stock_level (place_id, sku, on_hand, value_fen, version)"
        " SELECT s.id, a.sku, n, n * a.unit_price_fen / 2, 1 FROM auth_store s, mall_article a,"
        " LATERAL (SELECT CASE WHEN a.sku = '{sku}' THEN {flash} ELSE {plenty} END AS n) AS q"
        " WHERE a.sku <> '{sku}' OR ({flash} > 0 AND s.id = '{store}')"
    ),
    (
        "INSERT INTO stock_movement (place_id, sku, version, at, kind, document_id, qty, cost_fen, on_hand_after,"
        " short_after, value_after)"
        " SELECT place_id, sku, 1, '{now}', 'receipt', 'BENCH-' || place_id, on_hand, value_fen,"
        " on_hand, 0, value_fen FROM stock_level"
    ),
)


async def _fill_shelves(owner: asyncpg.Connection, now: datetime, *, flash: int) -> None:
    """Every store sells every article and has plenty; of the flash sale's article one store has ``flash`` pieces."""
    for statement in _SHELVES:
        await owner.execute(
            statement.format(
                sku=orders.FLASH_SKU,
                fen=orders.FLASH_FEN,
                store=orders.FLASH_STORE,
                now=now,
                flash=flash,
                plenty=PLENTY,
            )
        )
