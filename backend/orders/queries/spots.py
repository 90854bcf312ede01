"""Reads of spots (public)."""

from __future__ import annotations

from backend.kernel import db

from ..types.spots import Spot, SpotKind

_SPOT = "SELECT id, store_id, kind, name, product_id, edition, active, updated_at FROM orders_spot"
_OF_STORE = f"{_SPOT} WHERE store_id = $1 AND (active OR NOT $2) ORDER BY name, id LIMIT $3"

MOST_SPOTS = 500
"""Of a store."""


def spot_of(row: db.Record) -> Spot:
    """A row of ``orders_spot``."""
    return Spot(**{**dict(row), "kind": SpotKind(row["kind"])})


async def find_spot(spot_id: str) -> Spot | None:
    """A spot, or None."""
    row = await db.fetchrow(f"{_SPOT} WHERE id = $1", spot_id)
    return spot_of(row) if row else None


async def list_spots(store_id: str, *, active: bool = False) -> list[Spot]:
    """A store's spots by their names; only those in use, or all."""
    return [spot_of(row) for row in await db.fetch(_OF_STORE, store_id, active, MOST_SPOTS)]
