"""Spots: tables and shelves of a store whose QR code orders are placed by."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class SpotKind(StrEnum):
    """Where a code hangs: on a ``table`` that goods are brought to, at a ``shelf`` beside one article."""

    TABLE = "table"
    SHELF = "shelf"


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A table or shelf of a store. ``product_id`` is what its code opens; ``edition`` counts its codes: a new one ends
    those that were printed before."""

    id: str
    store_id: str
    kind: SpotKind
    name: str
    product_id: str | None
    edition: int
    active: bool
    updated_at: datetime
