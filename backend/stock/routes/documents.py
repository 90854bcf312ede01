"""Documents: entered and counted by anybody of the place, approved and posted by its manager or head office."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import Forbidden, NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Reply, Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict
from backend.mall import queries as mall

from .. import access, errors, printing, queries, views
from ..commands import attachments, counting, documents, posting
from ..commands.documents import Entry
from ..queries import DocumentFilter
from ..schemas.documents import (
    ActionIn,
    AttachmentOut,
    AttachmentQuery,
    AttachmentsOut,
    ChangeOut,
    ChangesOut,
    CountsIn,
    DocumentEditIn,
    DocumentIn,
    DocumentOut,
    DocumentsOut,
    DocumentsQuery,
    StocktakeIn,
)
from ..types import Document, DocumentKind

router = Router(tag="stock")

_DOCUMENTS = "/v1/admin/stock/documents"
_DOCUMENT = f"{_DOCUMENTS}/{{document_id}}"
_BY_ANYBODY = ("submit",)
"""What those may do with a document who enter and count them; the rest is decided."""

_REFUSALS = (
    NotFound,
    ValidationFailed,
    Forbidden,
    errors.DocumentConflict,
    errors.DocumentMoved,
    errors.ApprovalRefused,
    errors.OutOfStock,
    errors.NotCounted,
    errors.TooMuchReceived,
)


@router.get(_DOCUMENTS, guard=staff(Permission.STOCK_READ), summary="进销存单据", errors=(NotFound, ValidationFailed))
async def list_documents(caller: StaffCaller, query: DocumentsQuery) -> DocumentsOut:
    """Documents by day, kind, state, supplier and article, newest first; of the places that the caller reaches."""
    if query.place_id is not None:
        place_ids: list[str] | None = [(await access.place(caller, query.place_id)).id]
    else:
        place_ids = await access.reached(caller)
    wanted = DocumentFilter(
        place_ids=place_ids,
        kind=query.kind,
        state=query.state,
        supplier_id=query.supplier_id,
        sku=query.sku,
        begin=query.from_on,
        end=query.to_on,
    )
    found = await queries.list_documents(wanted, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    more = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return DocumentsOut([views.head(one) for one in page], more)


@router.post(
    _DOCUMENTS,
    guard=staff(Permission.STOCK_HANDLE),
    status=201,
    idempotent=True,
    summary="录入单据",
    errors=(NotFound, ValidationFailed, IdempotencyConflict),
)
async def enter_document(caller: StaffCaller, body: DocumentIn, idem: Idempotency) -> Answer[DocumentOut]:
    """Enter a draft, once per key; its number is the next of its kind, place and year, and stays its own.

    Sent again it is the same document, as it stands now.
    """
    await access.place(caller, body.place_id)
    kind = DocumentKind(body.kind)
    if (kind is DocumentKind.TRANSFER) is not (body.other_place_id is not None):
        raise invalid("/other_place_id", "is what a transfer has, and nothing else")
    if body.other_place_id is not None:
        if body.other_place_id == body.place_id:
            raise invalid("/other_place_id", "is the place itself")
        await queries.get_place(body.other_place_id)
    _check_supplier(kind, body.supplier_id)
    entry = Entry(
        place_id=body.place_id,
        lines=[(line.sku, line.qty, line.unit_fen) for line in body.lines],
        other_place_id=body.other_place_id,
        supplier_id=body.supplier_id,
        customer=body.customer,
        note=body.note,
    )
    document, replayed = await documents.enter(kind, entry, caller, idem)
    return Answer(await views.document(document), replayed=replayed)


def _check_supplier(kind: DocumentKind, supplier_id: str | None) -> None:
    """Of these somebody is owed, or owes us: without a name no list of payables would have them."""
    if kind in (DocumentKind.PURCHASE_ORDER, DocumentKind.PURCHASE_RETURN) and supplier_id is None:
        raise invalid("/supplier_id", "is required")


@router.post(
    "/v1/admin/stock/stocktakes",
    guard=staff(Permission.STOCK_HANDLE),
    status=201,
    summary="开始盘点",
    errors=(NotFound, ValidationFailed, errors.CountOpen),
)
async def begin_count(caller: StaffCaller, body: StocktakeIn) -> DocumentOut:
    """Open a count; goods go on moving meanwhile."""
    await access.place(caller, body.place_id)
    return await views.document(await counting.begin(body.place_id, body.skus, body.note, caller))


@router.get(_DOCUMENT, guard=staff(Permission.STOCK_READ), summary="单据详情", errors=(NotFound,))
async def get_document(caller: StaffCaller, document_id: str) -> DocumentOut:
    """One document with its lines."""
    return await views.document(await access.document(caller, document_id))


@router.put(_DOCUMENT, guard=staff(Permission.STOCK_HANDLE), summary="修改草稿", errors=_REFUSALS)
async def edit_document(caller: StaffCaller, document_id: str, body: DocumentEditIn) -> DocumentOut:
    """Write a draft anew."""
    found = await access.document(caller, document_id, side="source")
    _check_supplier(found.kind, body.supplier_id)
    entry = Entry(
        place_id=found.place_id,
        lines=[(line.sku, line.qty, line.unit_fen) for line in body.lines],
        supplier_id=body.supplier_id,
        customer=body.customer,
        note=body.note,
    )
    return await views.document(await documents.edit(document_id, entry, caller, version=body.version))


@router.post(f"{_DOCUMENT}/counts", guard=staff(Permission.STOCK_HANDLE), summary="录入盘点数", errors=_REFUSALS)
async def count(caller: StaffCaller, document_id: str, body: CountsIn) -> DocumentOut:
    """Keep what was counted just now; what moves afterwards is added when the count is posted."""
    await access.document(caller, document_id, side="source")
    counted = {item.sku: item.qty for item in body.items}
    return await views.document(await counting.count(document_id, counted, caller))


@router.post(
    f"{_DOCUMENT}/actions",
    guard=staff(Permission.STOCK_HANDLE, Permission.STOCK_DECIDE),
    summary="单据流转",
    errors=_REFUSALS,
)
async def act(caller: StaffCaller, document_id: str, body: ActionIn) -> DocumentOut:
    """Submit, approve, reject, call off, post, ship, receive or close a document, at the version that was seen.

    ``receive`` takes in what came, by line: of a purchase order as often as it comes, of a transfer once.
    """
    found = await access.document(caller, document_id, side="target" if body.action == "receive" else "source")
    needed = Permission.STOCK_HANDLE if body.action in _BY_ANYBODY else Permission.STOCK_DECIDE
    if not caller.may(needed):
        raise Forbidden("the manager does that")
    if body.action == "receive":
        return await _receive(found, caller, body)
    simple = {
        "submit": documents.submit,
        "approve": documents.approve,
        "post": posting.post,
        "ship": posting.ship,
    }
    if body.action in simple:
        return await views.document(await simple[body.action](document_id, caller, version=body.version))
    with_reason = {"reject": documents.reject, "cancel": documents.cancel, "close": documents.close}
    return await views.document(await with_reason[body.action](document_id, body.note, caller, version=body.version))


async def _receive(found: Document, caller: StaffCaller, body: ActionIn) -> DocumentOut:
    came = {line.line_no: line.qty for line in body.lines or ()}
    if found.kind is DocumentKind.TRANSFER:
        done = await posting.receive_transfer(found.id, came, caller, version=body.version, text=body.note)
        return await views.document(done)
    if not any(came.values()):
        raise invalid("/lines", "nothing came")
    came = {line_no: qty for line_no, qty in came.items() if qty}
    receipt = await posting.receive_order(found.id, came, caller, version=body.version, text=body.note)
    return await views.document(await queries.get_document(found.id), receipt_id=receipt.id)


@router.get(f"{_DOCUMENT}/changes", guard=staff(Permission.STOCK_READ), summary="单据变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, document_id: str) -> ChangesOut:
    """Who did what to it."""
    await access.document(caller, document_id)
    rows = await queries.list_changes(document_id)
    return ChangesOut([ChangeOut(**dict(row) | {"staff_id": str(row["staff_id"])}) for row in rows])


@router.get(f"{_DOCUMENT}/print", guard=staff(Permission.STOCK_READ), summary="打印单据", errors=(NotFound,))
async def print_document(caller: StaffCaller, document_id: str) -> Reply:
    """The document as a page for paper."""
    found = await access.document(caller, document_id)
    names = await views.article_names(line.sku for line in found.lines)
    places = {place.id: place.name for place in await queries.list_places()}
    suppliers = await mall.find_supplier_names([found.supplier_id] if found.supplier_id else [])
    page = printing.page(found, names, places, suppliers.get(found.supplier_id or ""))
    headers = {"Content-Security-Policy": printing.POLICY, "Cache-Control": "no-store"}
    return Reply(page.encode(), media_type="text/html; charset=utf-8", headers=headers)


@router.get(f"{_DOCUMENT}/attachments", guard=staff(Permission.STOCK_READ), summary="单据附件", errors=(NotFound,))
async def list_attachments(caller: StaffCaller, document_id: str) -> AttachmentsOut:
    """The papers that belong to it."""
    await access.document(caller, document_id)
    return AttachmentsOut([AttachmentOut(**dict(row)) for row in await queries.list_attachments(document_id)])


@router.post(
    f"{_DOCUMENT}/attachments",
    guard=staff(Permission.STOCK_HANDLE),
    status=201,
    body_limit=attachments.MOST_BYTES,
    summary="上传附件",
    errors=(NotFound, ValidationFailed, UnsupportedMediaType, errors.AttachmentRefused),
)
async def attach(
    caller: StaffCaller, document_id: str, query: AttachmentQuery, body: bytes, request: Request
) -> AttachmentsOut:
    """Add a paper, for good: the bytes of a PDF, JPEG, PNG or WebP of at most 2 MiB. Answers with all of them."""
    if request.headers.get("content-type", attachments.PDF) not in attachments.MEDIA_TYPES:
        raise UnsupportedMediaType("the body must be a PDF, JPEG, PNG or WebP, and its Content-Type say which")
    await access.document(caller, document_id)
    await attachments.attach(document_id, query.name, body, caller)
    return await list_attachments(caller, document_id)


@router.get(
    f"{_DOCUMENT}/attachments/{{attachment_id}}",
    guard=staff(Permission.STOCK_READ),
    summary="下载附件",
    errors=(NotFound,),
)
async def get_attachment(caller: StaffCaller, document_id: str, attachment_id: str) -> Reply:
    """One paper, to be kept as a file: never shown in a page of ours."""
    await access.document(caller, document_id)
    row = await queries.get_attachment(document_id, attachment_id)
    headers = {"Content-Disposition": f'attachment; filename="{attachment_id}"', "Cache-Control": "no-store"}
    return Reply(row["body"], media_type=row["media_type"], headers=headers)
