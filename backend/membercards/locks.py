"""Row locks. Lock order: member, type, issuer, batch, move, then cards by id ascending."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import CARD, ISSUER, MOVE, TYPE, card_of, issuer_of, move_of, type_of
from .types import Card, CardType, Issuer, Move


async def lock_type(tx: Tx, code: str) -> CardType:
    """A type, locked until the transaction ends; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{TYPE} WHERE code = $1 FOR NO KEY UPDATE", code)
    if not rows:
        raise NotFound("there is no such type of card")
    return type_of(rows[0])


async def lock_issuer(tx: Tx, issuer_id: str) -> Issuer:
    """An issuer, locked; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{ISSUER} WHERE id = $1 FOR NO KEY UPDATE", issuer_id)
    if not rows:
        raise NotFound("nobody hands out cards under this id")
    return issuer_of(rows[0])


async def lock_batch(tx: Tx, batch_id: str) -> db.Record:
    """A batch's row, locked; ``NotFound`` for none."""
    rows = await db.fetch_in(
        tx,
        "SELECT id, type_code, total, made, state, staff_id FROM membercard_batch WHERE id = $1 FOR NO KEY UPDATE",
        batch_id,
    )
    if not rows:
        raise NotFound("there is no such batch")
    return rows[0]


async def lock_move(tx: Tx, move_id: str) -> Move:
    """A move, locked; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{MOVE} WHERE id = $1 FOR NO KEY UPDATE", move_id)
    if not rows:
        raise NotFound("there is no such move of cards")
    return move_of(rows[0])


async def lock_card(tx: Tx, card_id: int) -> Card:
    """A card, locked; ``NotFound`` for none."""
    return await _lock(tx, "c.id = $1", card_id)


async def lock_held(tx: Tx, member_id: int) -> Card | None:
    """The card that takes a member's one place, locked; the caller holds the member. None for none."""
    rows = await db.fetch_in(
        tx, f"{CARD} WHERE c.member_id = $1 AND c.state IN ('issued', 'lost') FOR UPDATE OF c", member_id
    )
    return card_of(rows[0]) if rows else None


async def lock_number(tx: Tx, number: str) -> Card | None:
    """The card with that number, locked; None for none."""
    rows = await db.fetch_in(tx, f"{CARD} WHERE c.number = $1 FOR UPDATE OF c", number)
    return card_of(rows[0]) if rows else None


async def _lock(tx: Tx, where: str, value: object) -> Card:
    rows = await db.fetch_in(tx, f"{CARD} WHERE {where} FOR UPDATE OF c", value)
    if not rows:
        raise NotFound("there is no such member card")
    return card_of(rows[0])
