"""Staff's calls about passes: products are head office's; a manager gives back what their store sold."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, ids, paging
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict, MemberInactive, Stale
from backend.members import queries as members
from backend.merging import queries as merging

from .. import queries, service, views
from ..commands import cards, products
from ..errors import PassExpired, PassProductConflict, PassUsedUp, PassVoid
from ..records import Card
from ..schemas import (
    EndIn,
    EndOut,
    GiveIn,
    ProductIn,
    ProductOut,
    ProductsOut,
    ProductsQuery,
    StaffPassDetail,
    StaffPassesOut,
    StaffPassesQuery,
    StaffPassOut,
    VersionIn,
)
from ..types import Held, PassState

router = Router(tag="passes")

_PRODUCTS = "/v1/admin/pass-products"
_PRODUCT = f"{_PRODUCTS}/{{pass_product_id}}"
_PASSES = "/v1/admin/passes"
_PASS = f"{_PASSES}/{{pass_id}}"
LAST = 100


@router.get(
    _PRODUCTS, guard=staff(Permission.PASS_PRODUCTS_READ), summary="次卡与折扣卡商品", errors=(ValidationFailed,)
)
async def list_products(caller: StaffCaller, query: ProductsQuery) -> ProductsOut:
    """A page of products, newest first."""
    before = paging.read_place(query.cursor)
    found = await queries.list_products(query.state, before=before, limit=query.limit + 1)
    page, last = found[: query.limit], None
    if len(found) > query.limit:
        last = paging.place_cursor(page[-1].created_at, page[-1].id)
    versions = await queries.list_versions((item.id, item.version) for item in page)
    return ProductsOut([views.product(item, versions[item.id, item.version]) for item in page], last)


@router.post(
    _PRODUCTS,
    guard=staff(Permission.PASS_PRODUCTS_WRITE),
    status=201,
    summary="新建卡商品",
    errors=(ValidationFailed, PassProductConflict),
)
async def create_product(caller: StaffCaller, body: ProductIn) -> ProductOut:
    """Add a product as a draft; nothing is sold before it is activated."""
    return views.product(*await products.create_product(body, caller.staff_id))


@router.get(_PRODUCT, guard=staff(Permission.PASS_PRODUCTS_READ), summary="卡商品详情", errors=(NotFound,))
async def get_product(caller: StaffCaller, pass_product_id: str) -> ProductOut:
    """One product with its current terms."""
    return views.product(*await products.get_product(pass_product_id))


@router.post(
    f"{_PRODUCT}/versions",
    guard=staff(Permission.PASS_PRODUCTS_WRITE),
    status=201,
    summary="修改条款（新版本）",
    errors=(NotFound, ValidationFailed, PassProductConflict),
)
async def add_version(caller: StaffCaller, pass_product_id: str, body: VersionIn) -> ProductOut:
    """New terms for what is issued from now on; what was issued keeps its own."""
    return views.product(*await products.add_version(pass_product_id, body, caller.staff_id))


@router.post(
    f"{_PRODUCT}/activate",
    guard=staff(Permission.PASS_PRODUCTS_WRITE),
    summary="启用",
    errors=(NotFound, PassProductConflict),
)
async def activate(caller: StaffCaller, pass_product_id: str) -> ProductOut:
    """Let it be sold."""
    return views.product(*await products.move_product(pass_product_id, "activate", caller.staff_id))


@router.post(
    f"{_PRODUCT}/pause",
    guard=staff(Permission.PASS_PRODUCTS_WRITE),
    summary="暂停",
    errors=(NotFound, PassProductConflict),
)
async def pause(caller: StaffCaller, pass_product_id: str) -> ProductOut:
    """Stop selling for a while; what was issued stays good."""
    return views.product(*await products.move_product(pass_product_id, "pause", caller.staff_id))


@router.post(
    f"{_PRODUCT}/end",
    guard=staff(Permission.PASS_PRODUCTS_WRITE),
    summary="结束",
    errors=(NotFound, PassProductConflict),
)
async def end(caller: StaffCaller, pass_product_id: str) -> ProductOut:
    """Stop selling for good; what was issued stays good."""
    return views.product(*await products.move_product(pass_product_id, "end", caller.staff_id))


@router.get(f"{_PRODUCT}/changes", guard=staff(Permission.PASS_PRODUCTS_READ), summary="变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, pass_product_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found, _ = await products.get_product(pass_product_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.post(
    f"{_PRODUCT}/passes",
    guard=staff(Permission.PASSES_MANAGE),
    status=201,
    idempotent=True,
    summary="赠送卡",
    errors=(NotFound, ValidationFailed, PassProductConflict, IdempotencyConflict, MemberInactive),
)
async def give(caller: StaffCaller, pass_product_id: str, body: GiveIn, idem: Idempotency) -> Answer[StaffPassOut]:
    """Give a member one for nothing."""
    held, replayed = await cards.give(pass_product_id, body, caller, idem)
    return Answer(views.staff_one(held, None), replayed=replayed)


@router.get(_PASSES, guard=staff(Permission.PASSES_READ), summary="会员的卡", errors=(ValidationFailed,))
async def list_passes(caller: StaffCaller, query: StaffPassesQuery) -> StaffPassesOut:
    """Passes of a member or of a product, newest first; a manager sees those that their store sold.

    A member's are also those that had ended when somebody was merged into them; what was good then is the member's own.
    """
    member_id = ids.read_bigint(query.member_id) if query.member_id else None
    if (query.member_id is None) == (query.product_id is None):
        raise invalid("/query/member_id", "give either member_id or product_id")
    before, most = paging.read_place(query.cursor), query.limit + 1

    async def of_book(book: int | None) -> list[tuple[Held, Card]]:
        return await queries.list_issued(
            service.today(clock.now()),
            member_id=book,
            product_id=query.product_id,
            store_id=caller.store_id,
            before=before,
            limit=most,
            until=await merging.find_moment(book) if book and book != member_id else None,
        )

    if query.member_id is None:
        found = await of_book(None)
    else:
        found = await members.newest_of_books(member_id or 0, of_book, lambda one: (one[0].issued_at, one[0].id), most)
    page, last = found[: query.limit], None
    if len(found) > query.limit:
        last = paging.place_cursor(page[-1][0].issued_at, page[-1][0].id)
    return StaffPassesOut([views.staff_one(held, card) for held, card in page], last)


@router.get(_PASS, guard=staff(Permission.PASSES_READ), summary="卡详情", errors=(NotFound,))
async def get_pass(caller: StaffCaller, pass_id: str) -> StaffPassDetail:
    """One pass with its uses and what staff did to it; a manager's own store's only."""
    held = await cards.get_pass(pass_id, caller)
    return await views.staff_detail(
        held,
        await queries.find_card(held.member_id, held.id),
        await queries.list_uses(held.member_id, held.id, limit=LAST),
        await queries.changes.list_of(held.id, LAST),
    )


_ENDING = (NotFound, ValidationFailed, PassUsedUp, PassExpired, PassVoid, IdempotencyConflict, Stale, Unavailable)


@router.post(f"{_PASS}/refund", guard=staff(Permission.PASSES_REFUND), idempotent=True, summary="退卡", errors=_ENDING)
async def refund(caller: StaffCaller, pass_id: str, body: EndIn, idem: Idempotency) -> Answer[EndOut]:
    """Close a pass and say what is to be paid out: what of its price was not earned."""
    found, replayed = await cards.end(pass_id, PassState.REFUNDED, body.reason, caller, idem)
    return Answer(found, replayed=replayed)


@router.post(f"{_PASS}/void", guard=staff(Permission.PASSES_MANAGE), idempotent=True, summary="作废卡", errors=_ENDING)
async def void(caller: StaffCaller, pass_id: str, body: EndIn, idem: Idempotency) -> Answer[EndOut]:
    """Take a pass away; nothing is paid out."""
    found, replayed = await cards.end(pass_id, PassState.VOID, body.reason, caller, idem)
    return Answer(found, replayed=replayed)
