"""The categories, brands and attributes that pages show, as this process remembers them."""

from __future__ import annotations

import msgspec

from backend.kernel import db

from ..remembered import Remembered
from ..types import Attribute, AttributeKind, Brand, Category

KEPT_S = 5.0


class Shelves(msgspec.Struct, frozen=True):
    """How the catalogue is ordered: categories, brands and attributes by code, each in the order they are shown in."""

    categories: dict[str, Category]
    brands: dict[str, Brand]
    attributes: dict[str, Attribute]

    def parents(self) -> dict[str, str | None]:
        """Under which category each lies."""
        return {code: category.parent for code, category in self.categories.items()}


_choices = msgspec.json.Decoder(tuple[str, ...])


def _attribute(row: db.Record) -> Attribute:
    return Attribute(row[0], row[1], AttributeKind(row[2]), _choices.decode(row[3]), row[4], row[5])


async def _read(_: None) -> Shelves:
    categories = await db.fetch(
        "SELECT code, name, points_rate_bp, parent_id, sort, shown, picture FROM mall_category ORDER BY sort, code"
    )
    brands = await db.fetch("SELECT code, name, sort, picture FROM mall_brand ORDER BY sort, code")
    attributes = await db.fetch(
        "SELECT code, name, kind, choices, filtered, sort FROM mall_attribute ORDER BY sort, code"
    )
    return Shelves(
        {row[0]: Category(*row) for row in categories},
        {row[0]: Brand(*row) for row in brands},
        {
            row[0]: Attribute(row[0], row[1], AttributeKind(row[2]), _choices.decode(row[3]), *row[4:])
            for row in attributes
        },
    )


_shelves: Remembered[None, Shelves] = Remembered(_read, seconds=KEPT_S, most=2)


async def shelves() -> Shelves:
    """Categories, brands and attributes; at most five seconds old."""
    return await _shelves.get(None)


def forget_shelves() -> None:
    """Read them again at the next question: they were changed here."""
    _shelves.forget()
