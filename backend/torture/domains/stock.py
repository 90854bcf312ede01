"""Papers of stock in many hands, and tills that sell what they move: goods come and go once for each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..wire import Answer
from ..world import Op, World, encode
from . import Domain, Operation
from .pos import SALE, Pos
from .stock_books import FACTS, PREFIX, Key, Paper, compare_levels, compare_moves, compare_papers, compare_tills

if TYPE_CHECKING:
    from ..oracle import Books

DOCUMENTS = "/v1/admin/stock/documents"
CATALOGUE = "/v1/admin/mall"
CATEGORY, SUPPLIER = "torture-stock", "TORTURE"
ARTICLES = 4
OPENING = 60
LIST_FEN = 500
REFUSED = frozenset({"stock_document_conflict"})
"""Somebody else was quicker; ``stale`` may always be."""


class Stock(Domain):
    """What was acknowledged of a paper moved once, what was refused moved nothing, and tills are never blocked."""

    order: ClassVar[int] = 39  # sales and their refunds are compared by then
    facts: ClassVar = FACTS

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.papers: dict[str, Paper] = {}
        self.told: dict[Key, int] = {}
        self.under_way: dict[Key, int] = {}
        self.skus: dict[str, list[str]] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """What head office enters and moves on, and what tills sell meanwhile."""
        return (
            Operation("purchase", 1.2, self.purchase),
            Operation("stock receipt", 0.8, self.receive),
            Operation("stock sent away", 1, self.send_away),
            Operation("transfer", 1, self.transfer),
            Operation("stocktake", 0.6, self.count),
            Operation("sale of stock", 4, self.sell),
        )

    async def prepare(self) -> None:
        """Articles that nobody else moves, and some of each in every store."""
        op = Op(-1, "stock", Random(0))
        shelves: tuple[tuple[str, Any], ...] = (
            (f"categories/{CATEGORY}", {"name": "仓储"}),
            (f"suppliers/{SUPPLIER}", {"name": "供应商"}),
        )
        for path, body in shelves:
            await self._ask(op, "PUT", f"{CATALOGUE}/{path}", body)
        names = [f"{PREFIX}{number}" for number in range(ARTICLES)]
        for sku in names:
            article = {"sku": sku, "unit_price_fen": LIST_FEN, "tracked": True}
            made = {"name": sku, "category": CATEGORY, "skus": [article]}
            await self._ask(op, "PUT", f"{CATALOGUE}/products/{sku}", made)
        for store_id in self.world.stores:
            lines = dict.fromkeys(names, OPENING)
            await self._walk(op, await self._enter(op, "receipt", store_id, lines), "submit", "approve", "post")

    async def _ask(
        self, op: Op, method: str, path: str, body: Any, refusals: frozenset[str] = frozenset(), *, key: str = ""
    ) -> Answer:
        request = Request(self.world.admin, method, path, encode(body) if body is not None else b"", key, booked=False)
        return await self.world.ask(op, request, refusals=refusals)

    # -- papers

    def _lines(self, dice: Random, most: int = 9) -> dict[str, int]:
        skus = dice.sample([f"{PREFIX}{number}" for number in range(ARTICLES)], dice.choice((1, 2, ARTICLES)))
        return {sku: dice.randint(1, most) for sku in skus}

    async def _enter(self, op: Op, kind: str, place_id: str, lines: dict[str, int], **more: Any) -> Paper:
        """Entered by head office, once: where the answer was lost the same draft is asked for again."""
        wanted = [{"sku": sku, "qty": qty, "unit_fen": 7} for sku, qty in lines.items()]
        body = {"kind": kind, "place_id": place_id, "lines": wanted} | more
        key = f"{self.world.seed}-{op.number}-{place_id}"
        made = (await self._ask(op, "POST", DOCUMENTS, body, key=key)).json
        paper = Paper(made["id"], kind, place_id, more.get("other_place_id"), dict(lines), "draft", made["version"])
        self.papers[paper.id] = paper
        return paper

    async def _walk(self, op: Op, paper: Paper, *actions: str) -> None:
        """One action after the other, as long as it goes."""
        for action in actions:
            if not await self._act(op, paper, action):
                return

    async def _act(
        self,
        op: Op,
        paper: Paper,
        action: str,
        *,
        lines: dict[str, int] | None = None,
        also: frozenset[str] = frozenset(),
    ) -> bool:
        """Move a paper on, sometimes with four hands; whether it is where that leads. What is lost is looked up."""
        body: dict[str, Any] = {"action": action, "version": paper.version}
        if lines is not None:
            numbers = {sku: number for number, sku in enumerate(paper.lines, 1)}
            body["lines"] = [{"line_no": numbers[sku], "qty": qty} for sku, qty in lines.items()]
        moves = paper.moves(action, lines)
        hands = 2 if op.random.random() < 0.3 else 1
        with self._under_way(moves):
            ask = (self._ask(op, "POST", f"{DOCUMENTS}/{paper.id}/actions", body, REFUSED | also) for _ in range(hands))
            answers = await asyncio.gather(*ask)
            good = [answer.json for answer in answers if answer.good]
            if len(good) > 1:
                self.world.blame(
                    f"{paper.kind} {paper.id}: {action} at version {paper.version} was done {len(good)} times"
                )
            now = good[0] if good else (await self._ask(op, "GET", f"{DOCUMENTS}/{paper.id}", None)).json
            done: bool = now["version"] > paper.version
            if done:
                for key, pieces in moves.items():
                    self.told[key] = self.told.get(key, 0) + pieces
            paper.state, paper.version = now["state"], now["version"]
        return done

    @contextmanager
    def _under_way(self, moves: dict[Key, int]) -> Iterator[None]:
        for key, pieces in moves.items():
            self.under_way[key] = self.under_way.get(key, 0) + pieces
        try:
            yield
        finally:
            for key, pieces in moves.items():
                self.under_way[key] -= pieces

    async def purchase(self, op: Op) -> None:
        """Ordered, approved, received in parts; now and then the rest never comes."""
        dice = op.random
        paper = await self._enter(
            op, "purchase_order", dice.choice(self.world.stores), self._lines(dice), supplier_id=SUPPLIER
        )
        await self._walk(op, paper, "submit", "approve")
        left = dict(paper.lines)
        while left and paper.state == "approved":
            if dice.random() < 0.2:
                await self._act(op, paper, "close")
                return
            came = {sku: dice.randint(1, qty) for sku, qty in left.items()}
            if not await self._act(op, paper, "receive", lines=came):
                return
            left = {sku: qty - came[sku] for sku, qty in left.items() if qty > came[sku]}

    async def receive(self, op: Op) -> None:
        """Goods without an order."""
        paper = await self._enter(op, "receipt", op.random.choice(self.world.stores), self._lines(op.random))
        await self._walk(op, paper, "submit", "approve", "post")

    async def send_away(self, op: Op) -> None:
        """Back to the supplier, or sold in one piece: all of it, or nothing where it is not there."""
        dice = op.random
        kind = dice.choice(("purchase_return", "wholesale"))
        more = {"supplier_id": SUPPLIER} if kind == "purchase_return" else {"customer": "x"}
        lines = self._lines(dice, most=9 if dice.random() < 0.8 else 9_000)
        paper = await self._enter(op, kind, dice.choice(self.world.stores), lines, **more)
        await self._walk(op, paper, "submit", "approve")
        if paper.state == "approved":
            await self._act(op, paper, "post", also=frozenset({"out_of_stock"}))

    async def transfer(self, op: Op) -> None:
        """From one store to another; a few pieces are lost on the way."""
        dice = op.random
        source, target = dice.sample(self.world.stores, 2)
        paper = await self._enter(op, "transfer", source, self._lines(dice), other_place_id=target)
        await self._act(op, paper, "ship", also=frozenset({"out_of_stock"}))
        if paper.state == "shipped":
            came = {sku: max(0, qty - (dice.random() < 0.2)) for sku, qty in paper.lines.items()}
            await self._act(op, paper, "receive", lines=came)

    async def count(self, op: Op) -> None:
        """Counted while goods move: what was found is some number, and what moved since is added."""
        dice = op.random
        store_id, lines = dice.choice(self.world.stores), self._lines(dice)
        body = {"place_id": store_id, "skus": sorted(lines)}
        answer = await self._ask(op, "POST", "/v1/admin/stock/stocktakes", body, frozenset({"stocktake_open"}))
        if not answer.good:
            await self._call_off_a_count(op, store_id)
            return
        made = answer.json
        paper = Paper(made["id"], "stocktake", store_id, None, {}, made["state"], made["version"])
        self.papers[paper.id] = paper
        found = [{"sku": sku, "qty": dice.randint(30, 90)} for sku in sorted(lines)]
        await self._ask(op, "POST", f"{DOCUMENTS}/{paper.id}/counts", {"items": found}, REFUSED)
        paper.version = (await self._ask(op, "GET", f"{DOCUMENTS}/{paper.id}", None)).json["version"]
        await self._walk(op, paper, "submit", "approve", "post")

    async def _call_off_a_count(self, op: Op, store_id: str) -> None:
        """A count whose beginning was not answered would stop all others of its store."""
        listed = await self._ask(op, "GET", f"{DOCUMENTS}?place_id={store_id}&kind=stocktake&state=draft", None)
        for one in listed.json["items"]:
            if one["id"] not in self.papers:
                paper = Paper(one["id"], "stocktake", store_id, None, {}, one["state"], one["version"])
                await self._act(op, paper, "cancel")

    # -- tills

    async def sell(self, op: Op) -> None:
        """What a till sells it sells, whatever the books say: now and then far more than they have."""
        picked, pos = self.world.pick_phone(op.random), self.world.domain(Pos)
        if picked is None:
            return
        member, phone, step = picked
        till = pos.till(op.random, member)
        lines: list[dict[str, Any]] = [
            {"sku": sku, "qty": qty, "unit_price_fen": 50}
            for sku, qty in self._lines(op.random, most=3 if op.random.random() < 0.95 else 60).items()
        ]
        key = f"{self.world.seed}-{op.number}-stock"
        code = pos.codes.show(phone, step, till)
        basket = {"order_no": key, "lines": lines, "tenders": [{"type": "cash"}], "code": code}
        self.skus[key] = [line["sku"] for line in lines]
        await pos.ring_up(op, till, member, basket, key, (phone, step), refusals=SALE)

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Each paper stands where it was told to stand, and moved what it says; levels are the sums of what moved."""
        yield from compare_papers(self.papers, books.facts)
        yield from compare_moves(self.papers, self.told, self.under_way, books.facts)
        yield from compare_levels(books.facts)
        settled = final and not books.events and not books.facts["stock due"]
        yield from compare_tills(self.skus, books.facts, settled=settled)
