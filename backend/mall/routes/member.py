"""The phone's mall: what there is at a store, and what it costs this member."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Router
from backend.members import queries as members

from .. import queries, shown, views
from ..schemas.phone import FiltersOut, HomeOut, ProductCardsOut, ProductOut, ProductsQuery, StorePlacesOut, StoreQuery
from ..views import Buyer

router = Router(tag="mall")

_MALL = "/v1/member/mall"


async def _buyer(caller: MemberCaller) -> Buyer:
    held = await members.get_card(caller.member_id)
    benefit = held.benefit_on(clock.local_date(clock.now(), settings().timezone))
    return Buyer(held.level.code, benefit.discount_bp)


@router.get(f"{_MALL}/home", guard=member, summary="商城首页")
async def get_home(caller: MemberCaller, query: StoreQuery) -> Answer[HomeOut]:
    """Banners, categories, what is cheaper for a while and what is new at a store; at most ten seconds old."""
    return Answer(await shown.home.get((query.store_id, await _buyer(caller))))


@router.get(f"{_MALL}/filters", guard=member, summary="商城筛选条件")
async def get_filters(caller: MemberCaller) -> FiltersOut:
    """The categories, brands and attributes that products can be looked for by."""
    return views.filters(await queries.shelves())


@router.get(f"{_MALL}/stores", guard=member, summary="商城门店")
async def list_stores(caller: MemberCaller) -> StorePlacesOut:
    """The stores, with pictures and floor plans."""
    return StorePlacesOut(views.places(await queries.places()))


@router.get(f"{_MALL}/products", guard=member, summary="商城商品", errors=(ValidationFailed,))
async def list_products(caller: MemberCaller, query: ProductsQuery) -> Answer[ProductCardsOut]:
    """A page of what a store sells, with what it costs this member; at most ten seconds old."""
    return Answer(await shown.cards.get((query, await _buyer(caller))))


@router.get(f"{_MALL}/products/{{spu}}", guard=member, summary="商品详情", errors=(NotFound,))
async def get_product(caller: MemberCaller, spu: str, query: StoreQuery) -> Answer[ProductOut]:
    """A product that a store sells, with its articles and what each costs this member; at most ten seconds old."""
    found = await shown.product.get((query.store_id, spu[:64], await _buyer(caller)))
    if found is None:
        raise NotFound("there is no such product at this store")
    return Answer(found)
