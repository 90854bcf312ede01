"""Head office keeps products: every change is written down with who made it."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from backend.auth import queries as auth
from backend.kernel import clock, db, ids, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members

from .. import locks, queries, service
from ..errors import PassProductConflict
from ..records import Product, Version
from ..rules.terms import check_terms
from ..schemas import ProductIn, VersionIn
from ..types import ProductState, Terms

log = logging.get(__name__)

_MOVES: dict[str, tuple[frozenset[ProductState], ProductState]] = {
    "activate": (frozenset({ProductState.DRAFT, ProductState.PAUSED}), ProductState.ACTIVE),
    "pause": (frozenset({ProductState.ACTIVE}), ProductState.PAUSED),
    "end": (frozenset({ProductState.DRAFT, ProductState.ACTIVE, ProductState.PAUSED}), ProductState.ENDED),
}


async def get_product(product_id: str) -> tuple[Product, Version]:
    """A product with what it promises now; ``NotFound`` for none."""
    found = await queries.find_product(product_id)
    if found is None:
        raise NotFound("there is no such product")
    return found, await queries.get_version(found.id, found.version)


async def create_product(body: ProductIn, staff_id: int) -> tuple[Product, Version]:
    """Add a product as a draft, version 1; ``PassProductConflict`` where another one has the SKU."""
    terms = body.terms.terms()
    check_terms(terms)
    await auth.check_stores(terms.stores, "/terms/stores")
    await _check_level(terms)
    product_id, now = ids.new_short("K"), clock.now()
    async with db.transaction() as tx:
        if not await service.create_product(
            tx, product_id, body.sku, body.title, terms, note=body.note, staff_id=staff_id, now=now
        ):
            raise PassProductConflict("another product has this SKU")
        await queries.changes.note(tx, product_id, staff_id, "create", msgspec.to_builtins(body), now)
    return await get_product(product_id)


async def _check_level(terms: Terms) -> None:
    if terms.level is not None and terms.level not in await members.levels():
        raise invalid("/terms/level", "there is no such level")


async def add_version(product_id: str, body: VersionIn, staff_id: int) -> tuple[Product, Version]:
    """Change what is promised from now on; what was issued keeps its terms. The kind stays."""
    terms = body.terms.terms()
    check_terms(terms)
    await auth.check_stores(terms.stores, "/terms/stores")
    await _check_level(terms)
    async with db.transaction() as tx:
        now = clock.now()
        product = await locks.lock_product(tx, product_id)
        before = await queries.get_version(product.id, product.version)
        if product.state is ProductState.ENDED:
            raise PassProductConflict("the product has ended")
        if terms.kind is not before.terms.kind:
            raise PassProductConflict("a product keeps its kind; make another one")
        title = before.title if body.title is UNSET else body.title
        usage = before.note if body.note is UNSET else body.note
        version = product.version + 1
        await service.write_version(tx, product_id, version, title, terms, note=usage, staff_id=staff_id, now=now)
        await db.raw(tx).execute(
            "UPDATE pass_product SET version = $2, title = $3, updated_at = $4 WHERE id = $1",
            product_id,
            version,
            title,
            now,
        )
        await queries.changes.note(
            tx, product_id, staff_id, "version", {"version": version} | msgspec.to_builtins(body), now
        )
    queries.forget_offered()
    return await get_product(product_id)


async def move_product(product_id: str, move: str, staff_id: int) -> tuple[Product, Version]:
    """Activate, pause or end a product; repeated, it changes nothing. What was sold stays good."""
    sources, target = _MOVES[move]
    async with db.transaction() as tx:
        now = clock.now()
        product = await locks.lock_product(tx, product_id)
        if product.state in sources:
            if target is ProductState.ACTIVE:
                await _check_room(tx)
            await db.raw(tx).execute(
                "UPDATE pass_product SET state = $2, updated_at = $3 WHERE id = $1", product_id, target.value, now
            )
            await queries.changes.note(tx, product_id, staff_id, move, {}, now)
        elif product.state is not target:
            raise PassProductConflict(f"the product is {product.state.value}")
    queries.forget_offered()
    log.info("passes.product_moved", product_id=product_id, staff_id=staff_id, move=move)
    return await get_product(product_id)


async def _check_room(tx: Tx) -> None:
    (row,) = await db.fetch_in(tx, "SELECT count(*) FROM pass_product WHERE state = 'active'")
    if row[0] >= queries.MOST_OFFERED:
        raise PassProductConflict(f"{queries.MOST_OFFERED} products are active already; end or pause one")
