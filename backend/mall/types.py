"""What the other domains know of the catalogue."""

from __future__ import annotations

import msgspec


class Article(msgspec.Struct, frozen=True):
    """An article on sale."""

    sku: str
    name: str
    category_name: str
    unit_price_fen: int
    barcode: str | None
