"""What answers say of stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from backend.mall import queries as mall

from . import queries
from .schemas.alerts import AlertOut
from .schemas.documents import DocumentHeadOut, DocumentOut, LineOut
from .schemas.levels import LevelOut, MovementOut
from .types import Alert, Document, Level, Movement


async def article_names(skus: Iterable[str]) -> dict[str, str]:
    """What articles are called, by SKU; those that the catalogue does not know are left out."""
    return {sku: name for sku, (name, _) in (await mall.find_article_names(skus)).items()}


def level(one: Level, names: Mapping[str, str]) -> LevelOut:
    """A level."""
    return LevelOut(
        one.sku,
        names.get(one.sku, ""),
        one.on_hand,
        one.reserved,
        one.available,
        one.short,
        one.value_fen,
        one.value_fen // one.on_hand if one.on_hand else 0,
        one.low_qty,
        one.low_at,
    )


def movement(one: Movement, numbers: Mapping[str, str]) -> MovementOut:
    """A line of the journal."""
    return MovementOut(
        one.at,
        one.sku,
        one.version,
        one.kind,
        numbers.get(one.document_id, one.document_id),
        numbers.get(one.about, one.about) if one.about else None,
        one.qty,
        one.short,
        one.cost_fen,
        one.on_hand_after,
        one.short_after,
        one.value_after,
        str(one.staff_id) if one.staff_id is not None else None,
    )


async def movements(found: list[Movement]) -> list[MovementOut]:
    """Lines of the journal, with the numbers of the documents they are of."""
    numbers = await queries.find_numbers(
        [one.document_id for one in found] + [one.about for one in found if one.about is not None]
    )
    return [movement(one, numbers) for one in found]


def _head(one: Document) -> dict[str, object]:
    fields = msgspec.structs.asdict(one)
    del fields["lines"]
    approved = str(one.approved_by) if one.approved_by is not None else None
    return fields | {"created_by": str(one.created_by), "approved_by": approved}


def head(one: Document) -> DocumentHeadOut:
    """A document without its lines."""
    return DocumentHeadOut(**_head(one))  # type: ignore[arg-type]


async def document(one: Document, *, receipt_id: str | None = None) -> DocumentOut:
    """A document with its lines."""
    names = await article_names(line.sku for line in one.lines)
    lines = [
        LineOut(
            line.line_no,
            line.sku,
            names.get(line.sku, ""),
            line.qty,
            line.unit_fen,
            line.amount_fen,
            line.done_qty,
            line.book_qty,
            line.cost_fen,
        )
        for line in one.lines
    ]
    return DocumentOut(**_head(one), lines=lines, receipt_id=receipt_id)  # type: ignore[arg-type]


async def alerts(found: list[Alert]) -> list[AlertOut]:
    """What staff should look at, with the articles' names."""
    names = await article_names(one.sku for one in found)
    return [
        AlertOut(
            **msgspec.structs.asdict(one)
            | {"name": names.get(one.sku, ""), "closed_by": None if one.closed_by is None else str(one.closed_by)}
        )
        for one in found
    ]
