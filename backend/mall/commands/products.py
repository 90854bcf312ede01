"""Staff keep products and their articles: each is written whole, by who saw it as it was."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import asyncpg
import msgspec

from backend.kernel import clock, db, logging
from backend.kernel.errors import FieldError, NotFound, ValidationFailed

from .. import service, shown
from ..errors import CatalogueConflict, ProductChanged
from ..queries import rows
from ..rules import checking
from ..rules.checking import same
from ..schemas.admin import ProductIn, SkuIn
from ..types import ArticleRow, Channel, Flaw, ProductRow

log = logging.get(__name__)


async def put_product(product_id: str, body: ProductIn, staff_id: int) -> None:
    """Add a product (``version`` None), or put it in place of what was read as that version; with all its articles.

    What is there already in just this way is left as it is, whatever the version: the answer to the first try was lost.

    Refused: ``ProductChanged``, ``ValidationFailed``, ``CatalogueConflict``; nothing is written then.
    """
    product, articles = rows_of(product_id, body)
    try:
        async with db.transaction() as tx:
            now = clock.now()
            known = await service.lock_known(tx, [product], articles)
            fetch = partial(db.fetch_in, tx)
            kept = (await rows.read_products(fetch, [product_id])).get(product_id)
            if kept is not None and same(kept.row, await rows.articles_of(fetch, [product_id]), product, articles):
                return
            if (kept.version if kept is not None else None) != body.version:
                raise ProductChanged
            flaws = [*checking.flaws_of_product(product, articles, known), *checking.flaws_of_articles(articles, known)]
            refuse(flaws)
            await service.write(tx, [product], articles, at=now, whole=True)
            await service.note(tx, "product", product_id, staff_id, "put", msgspec.to_builtins(body), now)
    except asyncpg.UniqueViolationError as error:
        raise CatalogueConflict("another change of the catalogue was quicker; look again") from error
    shown.forget()
    log.info("mall.product_put", product_id=product_id, staff_id=staff_id, articles=len(articles))


def rows_of(product_id: str, body: ProductIn) -> tuple[ProductRow, list[ArticleRow]]:
    """The rows that a product's body describes; an article without a name is called as its product and choice."""
    product = ProductRow(
        id=product_id,
        name=body.name,
        subtitle=body.subtitle,
        category=body.category,
        brand=body.brand,
        description=body.description,
        pictures=body.pictures,
        axes=tuple((axis.name, axis.values) for axis in body.axes),
        attributes=body.attributes,
        active=body.active,
    )
    return product, [_article(product, sku) for sku in body.skus]


def _article(product: ProductRow, sku: SkuIn) -> ArticleRow:
    return ArticleRow(
        sku=sku.sku,
        barcode=sku.barcode,
        name=sku.name or " ".join((product.name, *sku.spec))[:80],
        category=product.category,
        brand=product.brand,
        product_id=product.id,
        spec=sku.spec,
        unit_price_fen=sku.unit_price_fen,
        cost_fen=sku.cost_fen,
        supplier=sku.supplier,
        weight_g=sku.weight_g,
        tracked=sku.tracked,
        active=sku.active,
        picture=sku.picture,
        levels=sku.level_prices,
    )


def refuse(flaws: Iterable[Flaw]) -> None:
    """``ValidationFailed`` with what is wrong, if anything is."""
    errors = [
        FieldError(f"/{flaw.field}" if flaw.article is None else f"/skus/{flaw.article}/{flaw.field}", flaw.message)
        for flaw in flaws
    ]
    if errors:
        raise ValidationFailed(f"{errors[0].pointer}: {errors[0].message}", errors=tuple(errors[:20]))


async def change_publications(
    store_id: str, channel: Channel, publish: tuple[str, ...], withdraw: tuple[str, ...], staff_id: int
) -> tuple[int, int]:
    """Show products in a channel at a store, and others no longer; returns how many of each that changed."""
    async with db.transaction() as tx:
        now = clock.now()
        known = await db.fetch_in(
            tx, "SELECT id FROM mall_product WHERE id = ANY($1) ORDER BY id FOR KEY SHARE", list(publish)
        )
        if len(known) < len(set(publish)):
            raise NotFound("there is no such product")
        added = await service.publish(tx, publish, channel, store_id, staff_id=staff_id, at=now)
        taken = await service.withdraw(tx, withdraw, channel, store_id)
        detail = {"channel": channel.value, "publish": publish, "withdraw": withdraw}
        await service.note(tx, "store", store_id, staff_id, "publish", detail, now)
    shown.forget()
    log.info("mall.published", store_id=store_id, staff_id=staff_id, channel=channel.value, added=added, taken=taken)
    return added, taken
