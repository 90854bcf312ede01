"""A member's address book: at most twenty, one of which is offered first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TypeVar

import asyncpg
import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, Unavailable
from backend.members import service as members
from backend.members.types import ProfileField

from .. import addresses
from ..errors import AddressBookFull
from ..rules import delivery
from ..schemas.delivery import AddressIn
from ..types import Address, Receiver

MOST_ADDRESSES = 20
"""The database holds to it too, by the places of a book."""

TRIES = 3
_AGAIN = (
    asyncpg.IntegrityConstraintViolationError,  # the place or the default of a book was taken at this moment
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)
T = TypeVar("T")

_LOCK = "SELECT FROM orders_address WHERE member_id = $1 ORDER BY id FOR UPDATE"
_INSERT = """
INSERT INTO orders_address (member_id, id, slot, region, province, city, district, sealed, is_default, created_at,
                            updated_at)
SELECT $1, $2, (SELECT min(s) FROM generate_series(1, 20) AS s
                 WHERE NOT EXISTS (SELECT FROM orders_address a WHERE a.member_id = $1 AND a.slot = s)),
       $3, $4, $5, $6, $7, $8, $9, $9"""
_REPLACE = """
UPDATE orders_address SET region = $3, province = $4, city = $5, district = $6, sealed = $7, is_default = $8,
       updated_at = $9
 WHERE member_id = $1 AND id = $2"""


async def add(member_id: int, body: AddressIn) -> Address:
    """Add an address; one that is in the book already is only made the default, where that is asked."""
    receiver, now = _read(body), clock.now()
    await members.check_own_change(member_id, ProfileField.ADDRESSES)

    async def once(tx: Tx) -> Address:
        book = await _lock(tx, member_id)
        same = next((one for one in book if one.receiver == receiver), None)
        if same is None and len(book) >= MOST_ADDRESSES:
            raise AddressBookFull(extra={"most": MOST_ADDRESSES})
        first = body.is_default or not book or (same is not None and same.is_default)
        made = Address(same.id if same else ids.new_short("L"), receiver, first)
        await _write(tx, member_id, made, book, now)
        return made

    return await _in_turn(once)


async def replace(member_id: int, address_id: str, body: AddressIn) -> Address:
    """Change an address as a whole; orders keep the one they were placed with. The default stays one."""
    receiver, now = _read(body), clock.now()
    await members.check_own_change(member_id, ProfileField.ADDRESSES)

    async def once(tx: Tx) -> Address:
        book = await _lock(tx, member_id)
        was = next((one for one in book if one.id == address_id), None)
        if was is None:
            raise NotFound("there is no such address")
        made = Address(address_id, receiver, body.is_default or was.is_default)
        await _write(tx, member_id, made, book, now)
        return made

    return await _in_turn(once)


async def drop(member_id: int, address_id: str) -> None:
    """Take an address out of the book; of those that stay, the one that was changed last is the default then."""

    async def once(tx: Tx) -> None:
        book = await _lock(tx, member_id)
        gone = next((one for one in book if one.id == address_id), None)
        if gone is None:
            raise NotFound("there is no such address")
        await db.raw(tx).execute("DELETE FROM orders_address WHERE member_id = $1 AND id = $2", member_id, address_id)
        rest = [one for one in book if one.id != address_id]
        if gone.is_default and rest:
            await _set_default(tx, member_id, rest[0].id, True)

    await _in_turn(once)


def _read(body: AddressIn) -> Receiver:
    fields = msgspec.structs.asdict(body)
    del fields["is_default"]
    receiver = Receiver(**{name: delivery.clean(text, f"/{name}") for name, text in fields.items()})
    delivery.check_region(receiver.region, receiver.province, receiver.city)
    return receiver


async def _lock(tx: Tx, member_id: int) -> list[Address]:
    """The book, locked. It is read anew then: what another phone added while this one waited belongs to it too."""
    await db.raw(tx).execute(_LOCK, member_id)
    return [addresses.address_of(row) for row in await db.fetch_in(tx, addresses.BOOK, member_id)]


async def _write(tx: Tx, member_id: int, made: Address, book: Iterable[Address], now: datetime) -> None:
    for one in book:
        if made.is_default and one.is_default and one.id != made.id:
            await _set_default(tx, member_id, one.id, False)
    to, there = made.receiver, any(one.id == made.id for one in book)
    await db.raw(tx).execute(
        _REPLACE if there else _INSERT,
        *(member_id, made.id, to.region, to.province, to.city, to.district),
        *(addresses.seal(to, addresses.IN_BOOK), made.is_default, now),
    )


async def _set_default(tx: Tx, member_id: int, address_id: str, is_default: bool) -> None:
    await db.raw(tx).execute(
        "UPDATE orders_address SET is_default = $3 WHERE member_id = $1 AND id = $2", member_id, address_id, is_default
    )


async def _in_turn(work: Callable[[Tx], Awaitable[T]]) -> T:
    """Do it in a transaction; anew where another phone of the member wrote to the book at the same moment."""
    for _ in range(TRIES):
        try:
            async with db.transaction() as tx:
                return await work(tx)
        except _AGAIN:
            continue
    raise Unavailable("the address book is being changed; try again", retry_after_s=1)
