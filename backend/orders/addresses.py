"""Address books, and whom orders are sent to: name, phone and street lie sealed, the region in clear for the rules."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.vault import vault

from .types import Address, Order, Receiver

IN_BOOK = "orders_address.sealed"
ON_ORDER = "orders_receiver.sealed"
"""The vault's contexts."""

_BOOK = "SELECT id, is_default, region, province, city, district, sealed FROM orders_address WHERE member_id = $1"
BOOK = f"{_BOOK} ORDER BY is_default DESC, updated_at DESC, id"
ONE_OF_BOOK = f"{_BOOK} AND id = $2"
MAIN_OF_BOOKS = (
    "SELECT DISTINCT ON (member_id) member_id, region, province, city, district, sealed FROM orders_address"
    " WHERE member_id = ANY($1) ORDER BY member_id, is_default DESC, updated_at DESC, id"
)
_RECEIVER = (
    "SELECT region, province, city, district, sealed FROM orders_receiver WHERE member_id = $1 AND order_id = $2"
)
_WRITE = """
INSERT INTO orders_receiver (member_id, order_id, region, province, city, district, sealed)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])"""


class _Sealed(msgspec.Struct, frozen=True):
    name: str
    phone: str
    street: str


_sealed = msgspec.json.Decoder(_Sealed)


def seal(receiver: Receiver, context: str) -> str:
    """What is personal of a receiver, for a column."""
    personal = _Sealed(receiver.name, receiver.phone, receiver.street)
    return vault().seal(msgspec.json.encode(personal), context=context)


def _receiver(row: db.Record, context: str) -> Receiver:
    opened = _sealed.decode(vault().open(row["sealed"], context=context))
    return Receiver(
        name=opened.name,
        phone=opened.phone,
        street=opened.street,
        region=row["region"],
        province=row["province"],
        city=row["city"],
        district=row["district"],
    )


def address_of(row: db.Record) -> Address:
    """A row of an address book."""
    return Address(row["id"], _receiver(row, IN_BOOK), row["is_default"])


async def list_addresses(member_id: int) -> list[Address]:
    """A member's address book: the one that is offered first, then those that were changed last."""
    return [address_of(row) for row in await db.fetch(BOOK, member_id)]


async def main_receivers(member_ids: Sequence[int]) -> dict[int, Receiver]:
    """Whom each of these members is sent things to: the first of the address book; those without one are left out."""
    rows = await db.fetch(MAIN_OF_BOOKS, list(member_ids))
    return {row["member_id"]: _receiver(row, IN_BOOK) for row in rows}


async def get_address(member_id: int, address_id: str) -> Address:
    """One of a member's addresses; ``NotFound`` for none and for another's."""
    rows = await db.fetch(ONE_OF_BOOK, member_id, address_id)
    if not rows:
        raise NotFound("there is no such address")
    return address_of(rows[0])


async def write_receivers(tx: Tx, sent: Sequence[tuple[Order, Receiver]]) -> None:
    """Keep with new orders whom they are sent to; one statement, whatever the number."""
    if not sent:
        return
    rows = [
        (
            *(order.member_id, order.id, one.region, one.province, one.city, one.district),
            seal(one, ON_ORDER),
        )
        for order, one in sent
    ]
    await db.raw(tx).execute(_WRITE, *(list(column) for column in zip(*rows, strict=True)))


async def find_receiver(order: Order) -> Receiver | None:
    """Whom an order is sent to; None where its member fetches it."""
    rows = await db.fetch(_RECEIVER, order.member_id, order.id)
    return _receiver(rows[0], ON_ORDER) if rows else None
