"""One cart written by several server processes at once: its bound holds, and nobody waits crosswise."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from backend.kernel import db
from backend.orders import queries, service
from backend.orders.commands import cart
from backend.orders.errors import CartFull
from backend.orders.types import CartLine


def puts(member_id: int, *skus: str, qty: int = 1) -> list[cart._Put]:
    return [cart._Put(member_id, CartLine("S1", sku, qty)) for sku in skus]


async def test_the_last_place_goes_to_one_of_two_phones_at_two_processes(database):
    await cart._put_many(puts(1, *(f"A{n:03}" for n in range(cart.MOST_LINES - 1))))
    first_wrote = asyncio.Event()

    async def second() -> Sequence[BaseException | None]:
        await first_wrote.wait()
        return await cart._put_many(puts(1, "SECOND"))

    late = asyncio.create_task(second())
    async with db.transaction() as tx:
        written = await cart._write(tx, {(1, "S1", "FIRST"): 1})
        first_wrote.set()
        await asyncio.wait({late}, timeout=0.3)  # it waits, and would be through where it did not
    outcomes = await late

    assert written == {(1, "S1", "FIRST")}
    assert [type(outcome) for outcome in outcomes] == [CartFull]
    assert len(await queries.list_cart(1)) == cart.MOST_LINES


async def test_a_line_that_two_phones_put_in_a_full_cart_is_changed_by_both(database):
    await cart._put_many(puts(2, *(f"A{n:03}" for n in range(cart.MOST_LINES))))

    outcomes = await asyncio.gather(*(cart._put_many(puts(2, "A007", qty=qty)) for qty in (3, 5)))

    assert outcomes == [[None], [None]]
    lines = {line.sku: line.qty for line in await queries.list_cart(2)}
    assert len(lines) == cart.MOST_LINES
    assert lines["A007"] in (3, 5)


async def test_who_fills_empties_and_buys_from_two_carts_at_once_does_not_wait_crosswise(database):
    skus = [f"A{n:02}" for n in range(30)]

    async def fill(n: int) -> None:
        order = (3, 4) if n % 2 else (4, 3)
        await cart._put_many([put for member_id in order for put in puts(member_id, *skus[:: -1 if n % 3 else 1])])

    async def buy(n: int) -> None:
        async with db.transaction() as tx:
            await service.take_bought(tx, [(3 + (at + n) % 2, "S1", sku) for at, sku in enumerate(skus)])

    for _ in range(3):
        await asyncio.gather(*(fill(n) for n in range(6)), *(buy(n) for n in range(6)), cart.empty(3), cart.empty(4))

    await asyncio.gather(cart.empty(3), cart.empty(4))
    assert await queries.list_cart(3) == await queries.list_cart(4) == []
