"""Head office's calls about products, prices and where they are shown; managers publish at their own store."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, searching
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .. import queries, views
from ..commands import costs, prices, products
from ..errors import CatalogueConflict, ProductChanged
from ..queries import rows
from ..rules import tree
from ..schemas.admin import (
    AdminProductsQuery,
    CatalogueChangeOut,
    CatalogueChangesOut,
    CatalogueChangesQuery,
    CostsIn,
    CostsOut,
    ProductAdminOut,
    ProductIn,
    ProductRowOut,
    ProductRowsOut,
    PublicationsIn,
    PublicationsOut,
    SkuIn,
    TimedPriceIdsOut,
    TimedPriceOut,
    TimedPricesIn,
    TimedPricesOut,
    TimedPricesQuery,
)
from ..schemas.phone import AxisOut
from ..schemas.words import Code40
from ..types import ArticleRow

router = Router(tag="mall")

_MALL = "/v1/admin/mall"
_PRODUCT = f"{_MALL}/products/{{spu}}"
LAST = 100


@router.put(
    "/v1/admin/articles/costs", guard=staff(Permission.PRICES_WRITE), summary="商品成本", errors=(ValidationFailed,)
)
async def change_costs(caller: StaffCaller, body: CostsIn) -> CostsOut:
    """Say what articles cost the chain, for the margins in statements; what was sold keeps the cost of then."""
    wanted = {item.sku: item.cost_fen for item in body.items}
    unknown = await costs.change_costs(wanted, caller.staff_id)
    return CostsOut(len(wanted) - len(unknown), unknown)


@router.get(
    f"{_MALL}/products", guard=staff(Permission.CATALOGUE_READ), summary="商品列表", errors=(NotFound, ValidationFailed)
)
async def list_products(caller: StaffCaller, query: AdminProductsQuery) -> ProductRowsOut:
    """Products by name, on sale or not, and the channels in which a store shows them."""
    store_id = query.store_id or caller.store_id
    if store_id is not None and not caller.reaches(store_id):
        raise NotFound("there is no such store")
    parents = (await queries.shelves()).parents()
    items, cursor = await rows.list_products(
        store_id=store_id,
        query=searching.query_of(query.q) if query.q else None,
        categories=tree.with_all_below(parents, query.category) if query.category else None,
        brand=query.brand,
        active=query.active,
        cursor=query.cursor,
        limit=query.limit,
    )
    return ProductRowsOut(
        [
            ProductRowOut(
                id=item.id,
                name=item.name,
                category=item.category,
                brand=item.brand,
                active=item.active,
                from_fen=item.from_fen,
                skus=item.skus,
                picture=views.picture(item.picture),
                published=list(item.published),
            )
            for item in items
        ],
        cursor,
    )


@router.get(_PRODUCT, guard=staff(Permission.CATALOGUE_INSPECT), summary="商品详情（后台）", errors=(NotFound,))
async def get_product(caller: StaffCaller, spu: str) -> ProductAdminOut:
    """A product with all of its articles, and where it is published."""
    kept = (await rows.read_products(db.fetch, [spu])).get(spu)
    if kept is None:
        raise NotFound("there is no such product")
    row = kept.row
    return ProductAdminOut(
        id=row.id,
        version=kept.version,
        name=row.name,
        subtitle=row.subtitle,
        category=row.category,
        brand=row.brand,
        description=row.description or "",
        pictures=list(row.pictures or ()),
        axes=[AxisOut(name, list(values)) for name, values in row.axes],
        attributes=row.attributes,
        active=row.active,
        skus=[_sku(article) for article in await rows.articles_of(db.fetch, [spu])],
        published=await rows.find_published(spu),
        created_at=kept.created_at,
        updated_at=kept.updated_at,
    )


def _sku(article: ArticleRow) -> SkuIn:
    return SkuIn(
        sku=article.sku,
        spec=article.spec or (),
        unit_price_fen=article.unit_price_fen,
        barcode=article.barcode,
        name=article.name,
        cost_fen=article.cost_fen,
        supplier=article.supplier,
        weight_g=article.weight_g,
        tracked=article.tracked,
        active=article.active,
        picture=article.picture,
        level_prices=article.levels,
    )


@router.put(
    _PRODUCT,
    guard=staff(Permission.CATALOGUE_WRITE),
    summary="保存商品",
    errors=(ValidationFailed, ProductChanged, CatalogueConflict),
)
async def put_product(caller: StaffCaller, spu: Code40, body: ProductIn) -> ProductAdminOut:
    """Add a product, or put it with all of its articles in place of what was read as ``version``."""
    await products.put_product(spu, body, caller.staff_id)
    return await get_product(caller, spu)


@router.put(
    f"{_MALL}/stores/{{store_id}}/publications",
    guard=staff(Permission.CATALOGUE_PUBLISH),
    summary="门店上下架",
    errors=(NotFound, ValidationFailed),
)
async def change_publications(caller: StaffCaller, store_id: str, body: PublicationsIn) -> PublicationsOut:
    """Show products in a channel at a store, and others no longer; a manager at the own store. Repeated, nothing."""
    await reached_store(caller, store_id)
    published, withdrawn = await products.change_publications(
        store_id, body.channel, body.publish, body.withdraw, caller.staff_id
    )
    return PublicationsOut(published, withdrawn)


async def reached_store(caller: StaffCaller, store_id: str) -> None:
    """``NotFound`` unless there is such a store and this person may change what it shows."""
    if not caller.reaches(store_id) or await auth.find_store(store_id) is None:
        raise NotFound("there is no such store")


@router.get(
    f"{_MALL}/timed-prices", guard=staff(Permission.CATALOGUE_INSPECT), summary="限时价", errors=(ValidationFailed,)
)
async def list_timed_prices(caller: StaffCaller, query: TimedPricesQuery) -> TimedPricesOut:
    """An article's timed prices that are not over."""
    found = await rows.list_timed_prices(query.sku, clock.now())
    return TimedPricesOut([TimedPriceOut(*item) for item in found])


@router.post(
    f"{_MALL}/timed-prices",
    guard=staff(Permission.PRICES_WRITE),
    status=201,
    summary="新增限时价",
    errors=(ValidationFailed,),
)
async def add_timed_prices(caller: StaffCaller, body: TimedPricesIn) -> TimedPriceIdsOut:
    """Give articles a price for a while; where several run at once, the lowest counts. All or none."""
    return TimedPriceIdsOut(await prices.add_timed_prices(body, caller.staff_id))


@router.post(
    f"{_MALL}/timed-prices/{{timed_price_id}}/end",
    guard=staff(Permission.PRICES_WRITE),
    summary="结束限时价",
    errors=(NotFound,),
)
async def end_timed_price(caller: StaffCaller, timed_price_id: str) -> None:
    """End it now; one that has not begun never will. Repeated, it changes nothing."""
    await prices.end_timed_price(timed_price_id, caller.staff_id)


@router.get(
    f"{_MALL}/changes", guard=staff(Permission.CATALOGUE_INSPECT), summary="商品变更记录", errors=(ValidationFailed,)
)
async def list_changes(caller: StaffCaller, query: CatalogueChangesQuery) -> CatalogueChangesOut:
    """Who of the staff did what to a product, a category, a store's publications …"""
    found = await rows.list_changes(query.kind, query.ref, LAST)
    return CatalogueChangesOut(
        [CatalogueChangeOut(at, str(staff_id), action, detail) for at, staff_id, action, detail in found]
    )
