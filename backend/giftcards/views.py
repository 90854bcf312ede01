"""How cards look to the till, the phone and head office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.kernel import ids, paging
from backend.ledger.types import Entry

from .records import Batch, Product
from .schemas import (
    BatchOut,
    CardOut,
    EntriesOut,
    EntryOut,
    GiftCardOut,
    ProductOut,
)
from .types import GiftCard

_TITLES = {
    "gift_activation": "激活",
    "gift_activation_undone": "撤销激活",
    "sale": "消费",
    "refund": "退款",
    "gift_charge": "消费",
    "gift_charge_refund": "退款",
    "gift_move": "补卡转入",
}


def gift_card(card: GiftCard) -> GiftCardOut:
    """A card as its member sees it."""
    return GiftCardOut(
        str(card.id), card.title, card.number_masked, card.state, card.balance_fen, card.valid_until, card.bound_at
    )


def card(found: GiftCard) -> CardOut:
    """A card as staff see it."""
    return CardOut(
        id=str(found.id),
        product_id=found.product_id,
        batch_id=found.batch_id,
        title=found.title,
        holder=found.holder,
        number_masked=found.number_masked,
        state=found.state,
        balance_fen=found.balance_fen,
        member_id=_id(found.member_id),
        bound_at=found.bound_at,
        activated_at=found.activated_at,
        activation_id=found.activation_id,
        valid_until=found.valid_until,
        replaced_by=_id(found.replaced_by),
    )


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)


def product(found: Product) -> ProductOut:
    """A product as staff see it."""
    return ProductOut(
        found.id,
        found.title,
        found.holder,
        found.min_fen,
        found.max_fen,
        found.validity_months,
        found.state,
        found.created_at,
    )


def batch(found: Batch) -> BatchOut:
    """A batch as staff see it."""
    return BatchOut(
        found.id,
        found.product_id,
        found.note,
        found.total,
        found.made,
        found.state,
        found.exported_at,
        found.created_at,
    )


def entries(found: Sequence[Entry], limit: int) -> EntriesOut:
    """A page of a card's statement, of which one line more than ``limit`` was read."""
    page = found[:limit]
    return EntriesOut(
        items=[
            EntryOut(
                f"gift-{entry.seq}",
                entry.at,
                entry.kind,
                entry.amount,
                entry.balance_after,
                "补卡转出" if entry.kind == "gift_move" and entry.amount < 0 else _TITLES.get(entry.kind, "其他"),
                entry.document_id,
            )
            for entry in page
        ],
        next_cursor=make_cursor(page[-1].seq) if len(found) > limit else None,
    )


def make_cursor(number: int) -> str:
    """Where the next page begins: below, or beyond, that number."""
    return paging.make_cursor(str(number))


def read_cursor(cursor: str) -> int | None:
    """The number in a cursor, or None for what is none."""
    parts = paging.read_cursor(cursor, 1)
    return ids.read_bigint(parts[0]) if parts else None


def product_cursor(last: Product) -> str:
    """Where the page after that product begins."""
    return paging.make_cursor(paging.instant_part(last.created_at), last.id)


def read_product_cursor(cursor: str) -> tuple[datetime, str] | None:
    """When the last product of the page before was made, and its id; None for what is no cursor."""
    parts = paging.read_cursor(cursor, 2)
    at = paging.read_instant(parts[0]) if parts else None
    return (at, parts[1]) if parts and at is not None else None
