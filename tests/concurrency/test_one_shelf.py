"""One shelf wanted by many at once: nobody is promised what somebody else was, and nobody waits crosswise."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest
import pytest_asyncio

from backend.kernel import clock, db
from backend.stock import queries, service
from backend.stock.types import MovementKind, Piece, Receipt, Wish

_numbers = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="session")
async def place(database) -> str:
    """A place with ten pieces each of A and B."""
    made = f"P{next(_numbers)}"
    receipts = [Receipt(made, "A", 10, 999), Receipt(made, "B", 10, 1001)]
    async with db.transaction() as tx:
        await service.receive(tx, MovementKind.RECEIPT, f"R-{made}", receipts, at=clock.now(), staff_id=None)
    return made


async def want(order_id: str, *pieces: Piece, paid: bool = False) -> bool:
    until = None if paid else clock.now() + timedelta(minutes=15)
    async with db.transaction() as tx:
        (answer,) = await service.reserve_many(tx, [Wish(order_id, pieces, until)], at=clock.now())
    return answer is None


async def books(place: str, sku: str) -> tuple[int, int, int]:
    level = await queries.find_level(place, sku)
    assert level is not None
    return level.on_hand, level.reserved, level.value_fen


@pytest.mark.parametrize("paid", [False, True])
async def test_ten_pieces_go_to_ten_of_forty(place, paid):
    answers = await asyncio.gather(*(want(f"{place}-{n}", Piece(place, "A", 1), paid=paid) for n in range(40)))

    assert sum(answers) == 10
    assert await books(place, "A") == ((0, 0, 0) if paid else (10, 10, 999))


async def test_those_who_want_the_same_two_crosswise_do_not_end_each_other(place):
    a, b = Piece(place, "A", 1), Piece(place, "B", 1)

    answers = await asyncio.gather(*(want(f"{place}-{n}", *((a, b) if n % 2 else (b, a))) for n in range(30)))

    assert sum(answers) == 10
    assert (await books(place, "A"), await books(place, "B")) == ((10, 10, 999), (10, 10, 1001))


async def test_a_first_receipt_of_many_makes_one_level(place):
    async def put(n: int) -> None:
        receipts = [Receipt(place, sku, 1, n) for sku in (("C", "D") if n % 2 else ("D", "C"))]
        async with db.transaction() as tx:
            await service.receive(tx, MovementKind.RECEIPT, f"R-{place}-{n}", receipts, at=clock.now(), staff_id=None)

    await asyncio.gather(*(put(n) for n in range(12)))

    assert await books(place, "C") == await books(place, "D") == (12, 0, sum(range(12)))


async def test_a_payment_and_a_time_out_do_not_both_have_the_pieces(place):
    orders = [f"{place}-{n}" for n in range(8)]
    for order in orders:
        assert await want(order, Piece(place, "A", 1), Piece(place, "B", 1))

    async def pay(order: str) -> int:
        async with db.transaction() as tx:
            return len(await service.deduct(tx, order, at=clock.now()))

    async def end(order: str) -> None:
        async with db.transaction() as tx:
            row = await db.fetch_in(tx, "SELECT 1 FROM stock_movement WHERE document_id = $1", order)
            if not row:
                await service.give_back_many(tx, [order], at=clock.now())

    paid = await asyncio.gather(*(call(order) for order in orders for call in (pay, end)))

    sold = sum(count == 2 for count in paid if count is not None)
    on_hand, reserved, _ = await books(place, "A")
    left = sum(line.qty for line in await queries.list_movements(place, "A"))
    assert reserved == 0
    assert on_hand == left
    assert 10 - sold <= on_hand <= 10  # what was given back after it was paid came back at its cost
    assert all(count in (0, 2, None) for count in paid)


async def test_a_document_that_is_posted_by_many_moves_once(place):
    async def give(_: int) -> int:
        async with db.transaction() as tx:
            pieces = [Piece(place, "A", 2), Piece(place, "B", 3)]
            return len(await service.issue(tx, MovementKind.WHOLESALE, "W", pieces, at=clock.now(), staff_id=1))

    moved = await asyncio.gather(*(give(n) for n in range(8)))

    assert sorted(moved) == [0] * 7 + [2]
    assert ((await books(place, "A"))[0], (await books(place, "B"))[0]) == (8, 7)
