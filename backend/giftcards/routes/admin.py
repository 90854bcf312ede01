"""Head office's calls: products, batches, cards; managers may find a card by its number."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import ids
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Reply, Router

from .. import errors, numbers, queries, views
from ..commands import batches, care, products
from ..schemas import (
    BatchesOut,
    BatchIn,
    BatchOut,
    CardOut,
    CardsOut,
    CardsQuery,
    EntriesOut,
    EntriesQuery,
    ExtendIn,
    PinOut,
    ProductIn,
    ProductOut,
    ProductsOut,
    ProductsQuery,
    ReasonIn,
    ReplaceIn,
    SearchIn,
)

router = Router(tag="gift-cards")

_PRODUCTS = "/v1/admin/gift-cards/products"
_PRODUCT = f"{_PRODUCTS}/{{product_id}}"
_BATCH = "/v1/admin/gift-cards/batches/{batch_id}"
_CARDS = "/v1/admin/gift-cards/cards"
_CARD = f"{_CARDS}/{{card_id}}"
LAST = 100


@router.get(_PRODUCTS, guard=staff(Permission.GIFT_CARDS_READ), summary="礼品卡产品", errors=(ValidationFailed,))
async def list_gift_products(caller: StaffCaller, query: ProductsQuery) -> ProductsOut:
    """A page of products, newest first."""
    before = None
    if query.cursor is not None and (before := views.read_product_cursor(query.cursor)) is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    found = await queries.list_products(query.state, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    last = views.product_cursor(page[-1]) if len(found) > query.limit else None
    return ProductsOut([views.product(item) for item in page], last)


@router.post(
    _PRODUCTS,
    guard=staff(Permission.GIFT_CARDS_WRITE),
    status=201,
    summary="新建礼品卡产品",
    errors=(ValidationFailed,),
)
async def create_gift_product(caller: StaffCaller, body: ProductIn) -> ProductOut:
    """Add a product within the legal limits for its kind of holder."""
    return views.product(await products.create_product(body, caller.staff_id))


@router.get(_PRODUCT, guard=staff(Permission.GIFT_CARDS_READ), summary="礼品卡产品详情", errors=(NotFound,))
async def get_gift_product(caller: StaffCaller, product_id: str) -> ProductOut:
    """One product."""
    return views.product(await queries.get_product(product_id))


@router.post(f"{_PRODUCT}/end", guard=staff(Permission.GIFT_CARDS_WRITE), summary="停售", errors=(NotFound,))
async def end_gift_product(caller: StaffCaller, product_id: str) -> ProductOut:
    """Sell no more of its cards; what was sold stays good."""
    return views.product(await products.end_product(product_id, caller.staff_id))


@router.get(f"{_PRODUCT}/changes", guard=staff(Permission.GIFT_CARDS_READ), summary="变更记录", errors=(NotFound,))
async def list_gift_product_changes(caller: StaffCaller, product_id: str) -> ChangesOut:
    """Who of the staff did what to it and its batches."""
    found = await queries.get_product(product_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.post(
    f"{_PRODUCT}/batches",
    guard=staff(Permission.GIFT_CARDS_PRINT),
    status=201,
    summary="制卡",
    errors=(NotFound, ValidationFailed, errors.GiftCardProductEnded),
)
async def create_gift_batch(caller: StaffCaller, product_id: str, body: BatchIn) -> BatchOut:
    """Make cards; a large batch is made in the background, see ``made``. They are worth nothing until activated."""
    return views.batch(await batches.create_batch(product_id, body, caller.staff_id))


@router.get(f"{_PRODUCT}/batches", guard=staff(Permission.GIFT_CARDS_READ), summary="制卡批次", errors=(NotFound,))
async def list_gift_batches(caller: StaffCaller, product_id: str) -> BatchesOut:
    """The batches of a product, newest first."""
    found = await queries.get_product(product_id)
    return BatchesOut([views.batch(item) for item in await queries.list_batches(found.id, LAST)])


@router.get(_BATCH, guard=staff(Permission.GIFT_CARDS_READ), summary="制卡批次详情", errors=(NotFound,))
async def get_gift_batch(caller: StaffCaller, batch_id: str) -> BatchOut:
    """How far a batch is made."""
    return views.batch(await queries.get_batch(batch_id))


@router.post(
    f"{_BATCH}/export",
    guard=staff(Permission.GIFT_CARDS_PRINT),
    summary="导出卡号卡密（仅一次）",
    errors=(NotFound, errors.GiftBatchConflict),
)
async def export_gift_batch(caller: StaffCaller, batch_id: str) -> Reply:
    """Numbers and PINs as CSV, once: afterwards nobody can read them again. A file that was lost: void the batch."""
    file = await batches.export_batch(batch_id, caller.staff_id)
    headers = {"Content-Disposition": f'attachment; filename="{batch_id}.csv"', "Cache-Control": "no-store"}
    return Reply(file, media_type="text/csv; charset=utf-8", headers=headers)


@router.post(f"{_BATCH}/void", guard=staff(Permission.GIFT_CARDS_PRINT), summary="作废未售出的卡", errors=(NotFound,))
async def void_gift_batch(caller: StaffCaller, batch_id: str) -> BatchOut:
    """Close the cards of a batch that were not sold; the others stay good."""
    return views.batch(await batches.void_batch(batch_id, caller.staff_id))


@router.get(_CARDS, guard=staff(Permission.GIFT_CARDS_READ), summary="礼品卡列表", errors=(ValidationFailed,))
async def list_cards(caller: StaffCaller, query: CardsQuery) -> CardsOut:
    """Cards of a batch or of a member."""
    after = views.read_cursor(query.cursor) if query.cursor is not None else 0
    if after is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    found = await queries.list_cards(
        _batch_or_member(query), state=query.state, last4=query.last4, after=after, limit=query.limit + 1
    )
    page = found[: query.limit]
    return CardsOut(
        [views.card(item) for item in page], views.make_cursor(page[-1].id) if len(found) > query.limit else None
    )


def _batch_or_member(query: CardsQuery) -> str | int:
    if (query.batch_id is None) == (query.member_id is None):
        raise invalid("/query/batch_id", "say which batch, or which member")
    if query.batch_id is not None:
        return query.batch_id
    member_id = ids.read_bigint(query.member_id or "")
    if member_id is None:
        raise invalid("/query/member_id", "not an id of a member")
    return member_id


@router.post(f"{_CARDS}/search", guard=staff(Permission.GIFT_CARDS_SEARCH), summary="按卡号查找", errors=(NotFound,))
async def search_card(caller: StaffCaller, body: SearchIn) -> CardOut:
    """The card with this number."""
    number = numbers.read_number(body.card_no)
    found = await queries.find_by_number(number) if number is not None else None
    if found is None:
        raise NotFound("there is no such gift card")
    return views.card(found)


@router.get(_CARD, guard=staff(Permission.GIFT_CARDS_READ), summary="礼品卡详情", errors=(NotFound,))
async def get_card(caller: StaffCaller, card_id: str) -> CardOut:
    """One card."""
    return views.card(await queries.get_card(card_id))


@router.get(
    f"{_CARD}/entries",
    guard=staff(Permission.GIFT_CARDS_READ),
    summary="礼品卡台账",
    errors=(NotFound, ValidationFailed),
)
async def list_card_entries(caller: StaffCaller, card_id: str, query: EntriesQuery) -> EntriesOut:
    """A page of what was done to a card, newest first."""
    card = await queries.get_card(card_id)
    before = views.read_cursor(query.cursor) if query.cursor is not None else None
    if query.cursor is not None and before is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return views.entries(await queries.list_entries(card.id, before=before, limit=query.limit + 1), query.limit)


@router.get(f"{_CARD}/changes", guard=staff(Permission.GIFT_CARDS_READ), summary="礼品卡变更记录", errors=(NotFound,))
async def list_card_changes(caller: StaffCaller, card_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    card = await queries.get_card(card_id)
    return changes_out(await queries.changes.list_of(str(card.id), LAST))


@router.post(
    f"{_CARD}/freeze",
    guard=staff(Permission.GIFT_CARDS_MANAGE),
    summary="冻结",
    errors=(NotFound, errors.GiftCardConflict),
)
async def freeze_card(caller: StaffCaller, card_id: str, body: ReasonIn) -> CardOut:
    """Let it pay nothing until it is thawed."""
    return views.card(await care.freeze(card_id, body.reason, caller.staff_id))


@router.post(
    f"{_CARD}/thaw",
    guard=staff(Permission.GIFT_CARDS_MANAGE),
    summary="解冻",
    errors=(NotFound, errors.GiftCardConflict),
)
async def thaw_card(caller: StaffCaller, card_id: str, body: ReasonIn) -> CardOut:
    """Let it pay again."""
    return views.card(await care.thaw(card_id, body.reason, caller.staff_id))


@router.post(
    f"{_CARD}/extend",
    guard=staff(Permission.GIFT_CARDS_MANAGE),
    summary="延期",
    errors=(NotFound, ValidationFailed, errors.GiftCardConflict),
)
async def extend_card(caller: StaffCaller, card_id: str, body: ExtendIn) -> CardOut:
    """Give it another last day."""
    return views.card(await care.extend(card_id, body.valid_until, body.reason, caller.staff_id))


@router.post(
    f"{_CARD}/replace",
    guard=staff(Permission.GIFT_CARDS_MANAGE),
    summary="补卡",
    errors=(NotFound, errors.GiftCardInvalid, errors.GiftCardConflict),
)
async def replace_card(caller: StaffCaller, card_id: str, body: ReplaceIn) -> CardOut:
    """Put another card in the place of a lost one, with all that is on it; the lost one is closed."""
    return views.card(await care.replace(card_id, body.card_no, body.reason, caller.staff_id))


@router.post(
    f"{_CARD}/pin",
    guard=staff(Permission.GIFT_CARDS_MANAGE),
    summary="重置卡密",
    errors=(NotFound, errors.GiftCardConflict),
)
async def renew_card_pin(caller: StaffCaller, card_id: str, body: ReasonIn) -> PinOut:
    """Give it another PIN, shown this once, and unlock its number."""
    return PinOut(await care.renew_pin(card_id, body.reason, caller.staff_id))
