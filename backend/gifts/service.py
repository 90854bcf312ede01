"""Writes of gifts and redemptions on an open transaction."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.vault import vault
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.orders.types import Receiver
from backend.stock import queries as stock

from . import codes, plans, rules
from .errors import GiftSoldOut
from .types import Gift, Redemption, RedemptionState

SEALED = "gifts_redemption.sealed"
"""The vault's context."""

_INSERT = """
INSERT INTO gifts_redemption (member_id, id, gift_id, kind, way, state, title, quantity, points, pay_fen, sku, store_id,
                              place_id, result, digest, due_on, at, out_at, sealed, cost_fen)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"""


async def keeper_of(made: Redemption) -> str | None:
    """The store whose staff handle a redemption: they keep the place of its piece; None is head office."""
    if made.place_id is None:
        return None
    return (await stock.get_place(made.place_id)).store_id


def coupon_source(redemption_id: str) -> str:
    """What the coupons of a redemption name as their source."""
    return f"gift:{redemption_id}"


async def take(tx: Tx, gift: Gift, quantity: int, on: date) -> None:
    """Count more pieces of a locked gift, in all and on the day; ``GiftSoldOut`` where that is too many."""
    day = await db.fetch_in(
        tx,
        "INSERT INTO gifts_day AS d (gift_id, on_date, taken) VALUES ($1, $2, $3)"
        " ON CONFLICT (gift_id, on_date) DO UPDATE SET taken = d.taken + EXCLUDED.taken RETURNING taken",
        gift.id,
        on,
        quantity,
    )
    if gift.day_total is not None and day[0]["taken"] > gift.day_total:
        raise GiftSoldOut("not so many of this gift are left today", extra={"reason": "day"})
    rules.check_left(gift, quantity)
    await db.raw(tx).execute("UPDATE gifts_gift SET taken = taken + $2 WHERE id = $1", gift.id, quantity)


async def put_back(tx: Tx, gift: Gift, quantity: int) -> None:
    """Count pieces of a locked gift less in all; the day's count stays, so that nobody empties it by turns."""
    await db.raw(tx).execute("UPDATE gifts_gift SET taken = taken - $2 WHERE id = $1", gift.id, quantity)


async def write(tx: Tx, made: Redemption, receiver: Receiver | None) -> None:
    """Add a redemption, with the digest of its code and whom it is sent to."""
    digest = codes.digest_of(codes.code_of(made.id)) if made.store_id else None
    sealed = vault().seal(msgspec.json.encode(receiver), context=SEALED) if receiver else None
    await db.raw(tx).execute(
        _INSERT,
        *(made.member_id, made.id, made.gift_id, made.kind.value, made.way.value, made.state.value, made.title),
        *(made.quantity, made.points, made.pay_fen, made.sku, made.store_id, made.place_id, made.result, digest),
        *(made.due_on, made.at, made.out_at, sealed, made.cost_fen),
    )


async def change(
    tx: Tx,
    made: Redemption,
    state: RedemptionState,
    now: datetime,
    progress: dict[str, Any] | None = None,
    **fields: object,
) -> Redemption:
    """Bring a locked redemption to a state, on its row and on its document; the columns named change with it."""
    document = await ledger_queries.find_document(made.member_id, made.id)
    if document is None:
        raise Stale
    on = clock.local_date(now, settings().timezone)
    await ledger.post_in(tx, plans.move_on(document, made, state, now=now, on=on, progress=progress))
    return await set_columns(tx, made, state, **fields)


async def set_columns(tx: Tx, made: Redemption, state: RedemptionState, **fields: object) -> Redemption:
    """The row alone: its document was moved with value."""
    names = ["state", *fields]
    places = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 3))
    await db.raw(tx).execute(
        f"UPDATE gifts_redemption SET {places} WHERE member_id = $1 AND id = $2",  # noqa: S608 - our own names
        made.member_id,
        made.id,
        state.value,
        *fields.values(),
    )
    return msgspec.structs.replace(made, state=state, **fields)


async def end(tx: Tx, made: Redemption, state: RedemptionState, *, counted: bool, **fields: object) -> Redemption:
    """The row of what came to nothing, whose document was moved with value; to whom it was sent is forgotten.

    ``counted``: its piece stays among those that were taken of the gift.
    """
    ended = await set_columns(tx, made, state, **fields)
    await db.raw(tx).execute(
        "UPDATE gifts_redemption SET counted = $3, sealed = NULL WHERE member_id = $1 AND id = $2",
        made.member_id,
        made.id,
        counted,
    )
    return ended


def open_receiver(sealed: str) -> Receiver:
    """Whom a redemption is sent to."""
    return msgspec.json.decode(vault().open(sealed, context=SEALED), type=Receiver)
