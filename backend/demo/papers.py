"""Papers of the demo's stock, one at each step that a paper can be at; what suppliers are owed, and what runs low."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db
from backend.stock import queries
from backend.stock.commands import alerts, counting, documents, payments, places, posting
from backend.stock.commands.documents import Entry
from backend.stock.types import Document, DocumentKind

NEAR, FAR, WAREHOUSE = "S001", "S002", "WH01"
FOOD, DAILY = "SUP1", "SUP2"
LARGE_QTY = 2_000
"""So many of something cost more than one person may approve."""

LOW = 3
"""Articles that have run low at the first store."""


async def load() -> None:
    """Enter them as the first store's manager and head office would."""
    admin, manager = await _caller("admin"), await _caller("manager1")
    skus = [row["sku"] for row in await db.fetch("SELECT sku FROM mall_article WHERE tracked ORDER BY sku LIMIT 12")]
    await places.create_warehouse(WAREHOUSE, "浦东仓", None, admin.staff_id)
    await _orders(skus, manager, admin)
    await _slips(skus, manager, admin)
    await _run_low(skus, manager)


async def _caller(username: str) -> StaffCaller:
    return await auth.get_caller(await db.fetchval("SELECT id FROM auth_staff WHERE username = $1", username))


async def _entered(
    kind: DocumentKind, skus: Sequence[str], qty: int, by: StaffCaller, *, place_id: str = NEAR, **more: str
) -> Document:
    lines = [(sku, qty + number, 300 + 50 * number) for number, sku in enumerate(skus)]
    document, _ = await documents.enter(kind, Entry(place_id=place_id, lines=lines, **more), by)
    return document


async def _approved(document: Document, by: StaffCaller) -> Document:
    document = await documents.submit(document.id, by, version=document.version)
    return await documents.approve(document.id, by, version=document.version)


async def _received(order: Document, share: int, by: StaffCaller) -> Document:
    """One piece of ``share`` of each line has come."""
    came = {line.line_no: line.qty // share for line in order.lines}
    await posting.receive_order(order.id, came, by, version=order.version, text="送货单已核对")
    return await queries.get_document(order.id)


async def _orders(skus: Sequence[str], manager: StaffCaller, admin: StaffCaller) -> None:
    """Purchase orders: a draft, one that only head office may approve, one under way, one that came, one given up."""
    kind = DocumentKind.PURCHASE_ORDER
    await _entered(kind, skus[:3], 24, manager, supplier_id=FOOD, note="周末备货")
    large = await _entered(kind, skus[3:5], LARGE_QTY, manager, supplier_id=DAILY, note="年货")
    await documents.submit(large.id, manager, version=large.version)
    await _approved(await _entered(kind, skus[5:8], 36, manager, supplier_id=FOOD), manager)
    await _received(await _approved(await _entered(kind, skus[:4], 40, manager, supplier_id=FOOD), manager), 2, manager)
    await _received(
        await _approved(await _entered(kind, skus[4:8], 30, manager, supplier_id=DAILY), manager), 1, manager
    )
    rest = await _received(
        await _approved(await _entered(kind, skus[8:10], 20, manager, supplier_id=DAILY), manager), 4, manager
    )
    await documents.close(rest.id, "供应商停产", admin, version=rest.version)


async def _slips(skus: Sequence[str], manager: StaffCaller, admin: StaffCaller) -> None:
    """Sent back, sold in one piece, on its way, arrived with a piece lost, being counted; and a payment."""
    for kind, more in (
        (DocumentKind.PURCHASE_RETURN, {"supplier_id": FOOD, "note": "外包装破损"}),
        (DocumentKind.WHOLESALE, {"customer": "惠民公司工会"}),
    ):
        slip = await _approved(await _entered(kind, skus[:2], 4, manager, **more), manager)
        await posting.post(slip.id, manager, version=slip.version)
    for come in (False, True):
        sent = await _entered(DocumentKind.TRANSFER, skus[2:4], 5, manager, other_place_id=WAREHOUSE if come else FAR)
        sent = await posting.ship(sent.id, manager, version=sent.version)
        if come:
            came = {line.line_no: line.qty - (line.line_no == 1) for line in sent.lines}
            await posting.receive_transfer(sent.id, came, admin, version=sent.version, text="一件破损")
    count = await counting.begin(NEAR, skus[:6], "月末盘点", manager)
    await counting.count(count.id, dict.fromkeys(skus[:3], 50), manager)
    paid_on = (clock.now() - timedelta(days=1)).date()
    await payments.record(FOOD, 10_000, paid_on, "货款", "demo", admin)


async def _run_low(skus: Sequence[str], manager: StaffCaller) -> None:
    """Thresholds, of which some are reached; told as the job would, and put before staff by its event."""
    levels = [level for sku in skus if (level := await queries.find_level(NEAR, sku)) is not None]
    lows = {level.sku: level.on_hand + 5 if number < LOW else 10 for number, level in enumerate(levels[-6:])}
    await alerts.set_thresholds(NEAR, lows, manager)
    await alerts.tell_low()
