"""The one door to stock: what it promises, takes and returns, held against a model that shares nothing with it."""

from __future__ import annotations

import itertools
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.kernel import clock, db
from backend.stock import audit, queries, service
from backend.stock.errors import OutOfStock, ReturnExceedsSold
from backend.stock.types import MovementKind, Piece, Receipt, Wish

from .model import Shelf

_numbers = itertools.count(1)


def new_id(prefix: str = "O") -> str:
    return f"{prefix}{next(_numbers)}"


async def put(place: str, sku: str, qty: int, cost: int) -> None:
    async with db.transaction() as tx:
        receipts = [Receipt(place, sku, qty, cost)]
        await service.receive(tx, MovementKind.RECEIPT, new_id("R"), receipts, at=clock.now(), staff_id=None)


def wish(order_id: str, *pieces: Piece, paid: bool = False) -> Wish:
    return Wish(order_id, pieces, None if paid else clock.now() + timedelta(minutes=15))


async def reserve(*wishes: Wish) -> list[object]:
    """For each wish None, or what is available of what lacked."""
    async with db.transaction() as tx:
        answers = await service.reserve_many(tx, wishes, at=clock.now())
    return [answer and (answer.extra["sku"], answer.extra["available"]) for answer in answers]


async def books(place: str, sku: str = "A") -> tuple[int, int, int, int]:
    """(on hand, reserved, short, value)."""
    level = await queries.find_level(place, sku)
    assert level is not None
    return level.on_hand, level.reserved, level.short, level.value_fen


async def test_a_wish_is_granted_whole_or_not_at_all_and_in_the_order_given(place):
    await put(place, "A", 5, 500)
    await put(place, "B", 2, 80)
    a, b = Piece(place, "A", 2), Piece(place, "B", 2)

    answers = await reserve(
        wish("O-1", a, b), wish("O-2", a, b), wish("O-3", a), wish("O-4", Piece(place, "A", 2)), wish("O-5")
    )

    assert answers == [None, ("B", 0), None, ("A", 1), None]
    assert await books(place, "A") == (5, 4, 0, 500)
    assert await books(place, "B") == (2, 2, 0, 80)
    assert await queries.find_available([a, b, Piece(place, "C", 1)]) == {
        (place, "A"): 1,
        (place, "B"): 0,
        (place, "C"): 0,
    }


async def test_what_no_place_keeps_is_out_of_stock(place):
    assert await reserve(wish(new_id(), Piece(place, "A", 1)), wish(new_id(), Piece(place, "A", 1), paid=True)) == [
        ("A", 0),
        ("A", 0),
    ]
    assert await queries.find_level(place, "A") is None


async def test_the_same_article_in_two_lines_is_one_piece_of_a_wish(place):
    await put(place, "A", 3, 30)

    assert await reserve(wish(new_id(), Piece(place, "A", 2), Piece(place, "A", 2))) == [("A", 3)]
    with pytest.raises(ValueError, match="0 pieces"):
        await reserve(wish(new_id(), Piece(place, "A", 0)))


async def test_a_promise_is_kept_and_costs_the_average(place):
    await put(place, "A", 2, 300)
    await put(place, "A", 1, 301)
    order = new_id()
    await reserve(wish(order, Piece(place, "A", 2)))

    async with db.transaction() as tx:
        costs = await service.deduct(tx, order, at=clock.now())
        again = await service.deduct(tx, order, at=clock.now())
        nothing = await service.deduct(tx, new_id(), at=clock.now())

    assert costs == again == {(place, "A"): 400}
    assert nothing == {}
    assert await books(place) == (1, 0, 0, 201)
    sold, *_ = await queries.list_movements(place, "A")
    assert (sold.kind, sold.document_id, sold.qty, sold.cost_fen, sold.version) == ("sale", order, -2, -400, 3)
    assert (sold.on_hand_after, sold.value_after, sold.about) == (1, 201, None)


async def test_an_order_gives_back_what_it_was_promised_and_what_it_bought_once(place):
    await put(place, "A", 7, 1000)
    promised, bought = new_id(), new_id()
    await reserve(wish(promised, Piece(place, "A", 2)), wish(bought, Piece(place, "A", 3), paid=True))
    assert await books(place) == (4, 2, 0, 572)

    for _ in range(2):
        async with db.transaction() as tx:
            await service.give_back_many(tx, [promised, bought, new_id()], at=clock.now())

        assert await books(place) == (7, 0, 0, 1000)
    assert [line.kind for line in await queries.list_movements(place, "A")] == ["sale_return", "sale", "receipt"]


async def test_an_order_that_bought_and_gave_back_does_not_buy_again_for_nothing(place):
    await put(place, "A", 2, 10)
    order = new_id()
    await reserve(wish(order, Piece(place, "A", 1), paid=True))
    async with db.transaction() as tx:
        await service.give_back_many(tx, [order], at=clock.now())

    with pytest.raises(asyncpg.UniqueViolationError):
        await reserve(wish(order, Piece(place, "A", 1), paid=True))

    assert await books(place) == (2, 0, 0, 10)


async def test_returns_bring_back_exactly_what_went_out(place):
    await put(place, "A", 3, 100)
    order = new_id()
    await reserve(wish(order, Piece(place, "A", 3), paid=True))
    await put(place, "A", 1, 7)
    values = []

    async def take_back(name: str) -> None:
        async with db.transaction() as tx:
            await service.take_back(tx, order, f"{order}-{name}", [Piece(place, "A", 1)], at=clock.now())

    for name in ("X1", "X2", "X2", "X3"):
        await take_back(name)
        values.append((await books(place))[3])

    assert values == [7 + 33, 7 + 66, 7 + 66, 7 + 100]
    with pytest.raises(ReturnExceedsSold):
        await take_back("X4")
    async with db.transaction() as tx:
        await service.give_back_many(tx, [order], at=clock.now())
    assert await books(place) == (4, 0, 0, 107)


async def test_what_was_short_and_came_later_comes_back_at_the_average(place, request):
    """Three of four pieces were sold before their receipt: nobody knows what just these cost."""
    async with db.transaction() as tx:
        now = clock.now()
        await service.receive(tx, MovementKind.RECEIPT, "R1", [Receipt(place, "A", 1, 10)], at=now, staff_id=None)
        await service.post(tx, [service.Step(0, "sell", "S", place, "A", 4, MovementKind.SALE)], at=now)
        await service.receive(tx, MovementKind.RECEIPT, "R2", [Receipt(place, "A", 6, 125)], at=now, staff_id=None)
        for number, qty in enumerate((2, 2)):
            await service.take_back(tx, "S", f"X{number}", [Piece(place, "A", qty)], at=now)

    healed, first, second = (await queries.list_movements(place, "A", limit=3))[::-1]
    assert (healed.kind, healed.qty, healed.short, healed.cost_fen, healed.value_after) == ("shortage", -3, -3, -62, 63)
    assert (first.qty, first.cost_fen, first.value_after) == (2, 10 + 63 // 3, 94)
    assert (second.qty, second.cost_fen, second.value_after) == (2, 94 * 2 // 5, 131)
    books_of = db.connect_args(request.getfixturevalue("settings").migrate_database_url)
    assert [one for one in await audit.PROOF.run(books_of) if one.what.startswith(f"{place} ")] == []


async def test_a_document_takes_only_what_is_promised_to_nobody(place):
    await put(place, "A", 3, 100)
    await put(place, "B", 3, 100)
    await reserve(wish(new_id(), Piece(place, "A", 2)))

    async def sell_wholesale() -> None:
        async with db.transaction() as tx:
            pieces = [Piece(place, "B", 1), Piece(place, "A", 2)]
            await service.issue(tx, MovementKind.WHOLESALE, new_id("W"), pieces, at=clock.now(), staff_id=7)

    with pytest.raises(OutOfStock) as refused:
        await sell_wholesale()

    assert refused.value.extra == {"sku": "A", "available": 1}
    assert (await books(place, "A"), await books(place, "B")) == ((3, 2, 0, 100), (3, 0, 0, 100))


async def test_a_document_moves_once(place):
    moved = None
    for _ in range(2):
        async with db.transaction() as tx:
            moved = await service.receive(
                tx, MovementKind.RECEIPT, f"{place}-R", [Receipt(place, "A", 4, 50)], at=clock.now(), staff_id=7
            )

    assert moved == []
    assert await books(place) == (4, 0, 0, 50)


# -- against the model

SKUS = ("A", "B")
QTY = st.integers(1, 6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(SKUS), QTY, st.integers(0, 1000)),
        st.tuples(st.just("sell"), st.sampled_from(SKUS), QTY),
        st.tuples(st.just("reserve"), st.tuples(st.integers(0, 4), st.integers(0, 4)), st.booleans()),
        st.tuples(st.just("settle"), st.integers(0, 9)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
        st.tuples(st.just("put_back"), st.integers(0, 9), st.sampled_from(SKUS), QTY),
        st.tuples(st.just("count"), st.sampled_from(SKUS), st.integers(0, 9), st.integers(0, 3), st.integers(0, 99)),
    ),
    max_size=30,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_the_door_does_what_the_model_does(database, steps):
    place = new_id("Q")
    async with db.transaction() as tx:
        both = Both(tx, place)
        for act, *args in steps:
            await getattr(both, act)(*args)
    for sku, shelf in both.shelves.items():
        await _same(place, sku, shelf)


class Both:
    """The door and the model, which are told the same."""

    def __init__(self, tx: db.Tx, place: str) -> None:
        self.tx = tx
        self.place = place
        self.shelves = {sku: Shelf() for sku in SKUS}
        self.documents: list[str] = []

    def _document(self, place: int) -> str:
        return self.documents[place % len(self.documents)] if self.documents else "none"

    async def put(self, sku: str, qty: int, cost: int) -> None:
        receipts = [Receipt(self.place, sku, qty, cost)]
        await service.receive(self.tx, MovementKind.RECEIPT, new_id("R"), receipts, at=clock.now(), staff_id=None)
        self.shelves[sku].receive(qty, cost)

    async def sell(self, sku: str, qty: int) -> None:
        self.documents.append(document := new_id("S"))
        step = service.Step(0, "sell", document, self.place, sku, qty, MovementKind.SALE)
        assert (await service.post(self.tx, [step], at=clock.now())).refused == []
        if self.shelves[sku].kept:
            self.shelves[sku].take(document, qty)

    async def reserve(self, wanted: tuple[int, ...], paid: bool) -> None:
        self.documents.append(order := new_id())
        pieces = [Piece(self.place, sku, qty) for sku, qty in zip(SKUS, wanted, strict=True) if qty]
        lacking = [piece.sku for piece in pieces if self.shelves[piece.sku].available < piece.qty]

        (answer,) = await service.reserve_many(self.tx, [wish(order, *pieces, paid=paid)], at=clock.now())

        if lacking:
            assert answer is not None
            assert answer.extra == {"sku": lacking[0], "available": self.shelves[lacking[0]].available}
            return
        assert answer is None
        for piece in pieces:
            if paid:
                self.shelves[piece.sku].take(order, piece.qty)
            else:
                self.shelves[piece.sku].promised[order] = piece.qty

    async def settle(self, place: int) -> None:
        document = self._document(place)
        costs = await service.deduct(self.tx, document, at=clock.now())
        for shelf in self.shelves.values():
            if document in shelf.promised:
                shelf.take(document, shelf.promised.pop(document))
        out = {(self.place, sku): shelf.out.get(document) for sku, shelf in self.shelves.items()}
        assert costs == {key: found.cost for key, found in out.items() if found}

    async def undo(self, place: int) -> None:
        document = self._document(place)
        await service.give_back_many(self.tx, [document], at=clock.now())
        for shelf in self.shelves.values():
            shelf.promised.pop(document, None)
            if document in shelf.out and shelf.out[document].left:
                shelf.put_back(document, shelf.out[document].left)

    async def put_back(self, place: int, sku: str, qty: int) -> None:
        document = self._document(place)
        out = self.shelves[sku].out.get(document)
        if out and qty <= out.left:  # a refusal would end the transaction of them all; it has a test of its own
            await service.take_back(self.tx, document, new_id("X"), [Piece(self.place, sku, qty)], at=clock.now())
            self.shelves[sku].put_back(document, qty)

    async def count(self, sku: str, found: int, since: int, cost: int) -> None:
        seen = max(0, len(self.shelves[sku].moves) - since)
        step = service.Step(
            0, "count", new_id("T"), self.place, sku, found, MovementKind.STOCKTAKE, cost=cost, seen=seen
        )
        await service.post(self.tx, [step], at=clock.now())
        self.shelves[sku].count(found, seen, cost)


async def _same(place: str, sku: str, shelf: Shelf) -> None:
    level = await queries.find_level(place, sku)
    journal = (await queries.list_movements(place, sku, limit=100))[::-1]
    if level is None:
        assert (shelf.pieces, journal) == (0, [])
        return
    assert (level.on_hand, level.value_fen, level.short) == (shelf.pieces, shelf.value, shelf.short)
    assert level.reserved == sum(shelf.promised.values())
    assert [line.version for line in journal] == list(range(1, level.version + 1))
    on_hand = value = short = 0
    for line in journal:
        on_hand, value, short = on_hand + line.qty, value + line.cost_fen, short + line.short
        assert (line.on_hand_after, line.value_after, line.short_after) == (on_hand, value, short)
        assert min(on_hand, value, short) >= 0
    assert (on_hand, value, short) == (level.on_hand, level.value_fen, level.short)
