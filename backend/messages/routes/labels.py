"""Address labels for letters by post."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Reply, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import channel_views as views
from ..channel_schemas import LayoutsOut, PageOf, SheetIn, SheetOut, SheetsOut
from ..commands import labels as commands
from ..delivery import labels
from ..errors import LabelsNotReady, MessageBatchConflict
from ..queries import sheets

router = Router(tag="messages")

_LABELS = "/v1/admin/messages/labels"
_SHEET = f"{_LABELS}/{{sheet_id}}"


@router.get("/v1/admin/messages/label-layouts", guard=staff(Permission.MESSAGES_LABELS), summary="标签版式")
async def list_layouts(caller: StaffCaller) -> LayoutsOut:
    """The sheets that labels are printed on."""
    return LayoutsOut([views.layout(item) for item in labels.LAYOUTS.values()])


@router.get(_LABELS, guard=staff(Permission.MESSAGES_LABELS), errors=(ValidationFailed,), summary="标签")
async def list_sheets(caller: StaffCaller, query: PageOf) -> SheetsOut:
    """Sheets of the last week, newest first; a manager's are the own store's."""
    found = await sheets.list_sheets(store_id=caller.store_id, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return SheetsOut([views.sheet(item) for item in page], last)


@router.post(
    _LABELS,
    guard=staff(Permission.MESSAGES_LABELS),
    status=202,
    idempotent=True,
    errors=(ValidationFailed, NotFound, IdempotencyConflict, MessageBatchConflict),
    summary="打印标签",
)
async def ask_for_labels(caller: StaffCaller, body: SheetIn, idem: Idempotency) -> Answer[SheetOut]:
    """Ask for labels of an audience, or of a batch's letters by post; they are made in the background."""
    sheet, known = await commands.ask_for(body, caller, idem.key)
    return Answer(views.sheet(sheet), replayed=known)


@router.get(_SHEET, guard=staff(Permission.MESSAGES_LABELS), errors=(NotFound,), summary="标签进度")
async def get_sheet(caller: StaffCaller, sheet_id: str) -> SheetOut:
    """How far a sheet is, and how many are not on it, for want of an address or of consent."""
    return views.sheet(await commands.get_sheet(sheet_id, caller))


@router.get(
    f"{_SHEET}/pdf", guard=staff(Permission.MESSAGES_LABELS), errors=(NotFound, LabelsNotReady), summary="下载标签"
)
async def download(caller: StaffCaller, sheet_id: str) -> Reply:
    """The sheet as PDF, A4; print it at its actual size."""
    pdf = await commands.download(sheet_id, caller)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="labels-{sheet_id}.pdf"'}
    return Reply(pdf, "application/pdf", 200, headers)
