"""How passes look to members and staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.auth import queries as auth
from backend.kernel.changes import Change, change_out

from .records import Card, Product, Version
from .schemas import PassDetail, PassOut, ProductOut, StaffPassDetail, StaffPassOut, UseOut
from .types import Held, PassKind, PassUse


def product(found: Product, version: Version) -> ProductOut:
    """A product as staff see it."""
    return ProductOut(
        id=found.id,
        sku=found.sku,
        version=found.version,
        title=found.title,
        note=version.note,
        state=found.state,
        terms=version.terms,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )


def one(held: Held) -> PassOut:
    """A pass in a list."""
    return PassOut(**_fields(held))


async def detail(held: Held, uses: Sequence[PassUse]) -> PassDetail:
    """A pass with its uses."""
    return PassDetail(**_fields(held), store_names=await _store_names(held.terms.stores), uses_made=await _uses(uses))


def staff_one(held: Held, card: Card | None) -> StaffPassOut:
    """A pass in a list of staff's; ``card`` is its row, if it has one yet."""
    return StaffPassOut(**_fields(held), **_staff_fields(held, card))


async def staff_detail(
    held: Held, card: Card | None, uses: Sequence[PassUse], changes: Sequence[Change]
) -> StaffPassDetail:
    """The same with uses and changes."""
    return StaffPassDetail(
        **_fields(held),
        **_staff_fields(held, card),
        uses_made=await _uses(uses),
        changes=[change_out(item) for item in changes],
    )


def _fields(held: Held) -> dict[str, Any]:
    terms = held.terms
    counted = terms.kind is PassKind.COUNTED
    return {
        "id": held.id,
        "product_id": held.product_id,
        "title": held.title,
        "note": held.note,
        "kind": terms.kind,
        "state": held.state,
        "uses": held.uses if counted else None,
        "uses_left": held.uses_left if counted else None,
        "per_day": terms.per_day if terms.kind is PassKind.TIMED else None,
        "discount_bp": terms.discount_bp,
        "points_multiplier_bp": terms.points_multiplier_bp,
        "services": terms.services,
        "stores": terms.stores,
        "valid_from": held.valid_from,
        "expires_on": held.expires_on,
        "issued_at": held.issued_at,
        "ended_at": held.ended_at,
    }


def _staff_fields(held: Held, card: Card | None) -> dict[str, Any]:
    return {
        "member_id": str(held.member_id),
        "source": card.source if card else None,
        "store_id": held.store_id,
        "paid_fen": held.paid_fen,
        "value_fen": held.value_fen,
    }


async def _store_names(store_ids: Sequence[str]) -> list[str]:
    """Stores by name, in this order; one that is no more is left out."""
    names = {store.id: store.name for store in await auth.list_stores()} if store_ids else {}
    return [names[store_id] for store_id in store_ids if store_id in names]


async def _uses(uses: Sequence[PassUse]) -> list[UseOut]:
    names = {}
    for store_id in {use.store_id for use in uses}:
        store = await auth.find_store(store_id)
        names[store_id] = {"id": store_id, "name": store.name if store else store_id}
    return [UseOut(use.id, use.at, names[use.store_id], use.qty, use.service, use.undone) for use in uses]
