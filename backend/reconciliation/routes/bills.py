"""WeChat's bills, their items, and the differences."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, clock, limits, sheets, windows
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Reply, Router
from backend.kernel.http.pictures import as_picture
from backend.kernel.paging import make_cursor, place_cursor, read_cursor, read_place
from backend.kernel.sheets import Page
from backend.wechat.errors import BillNotReady, BillSpoilt

from .. import queries, schemas
from ..commands import bills, differences
from ..errors import BillDayRefused, BillVanished, DifferenceConflict, DifferenceEnded
from ..types import Bill, DaySums, Difference, Item

router = Router(tag="reconciliation")

_READ = staff(Permission.RECONCILIATION_READ)
_WORK = staff(Permission.RECONCILIATION_WORK)
_BASE = "/v1/admin/reconciliation"
_ONE = f"{_BASE}/differences/{{difference_id}}"
_CHANGED = (NotFound, ValidationFailed, DifferenceConflict, DifferenceEnded)
MOST_DAYS = 366
MOST_BARS = 31
PAGE = 500
TAKES_AN_HOUR = 60


def check_span(query: schemas.SpanQuery) -> None:
    """Refuse a range that ends before it begins or is longer than a year."""
    windows.check_days(query.from_on, query.to_on, most=MOST_DAYS)


@router.get(f"{_BASE}/days", guard=_READ, summary="对账日报", errors=(ValidationFailed,))
async def list_days(query: schemas.SpanQuery) -> schemas.DaysOut:
    """These days with their bills and both sides' sums, the last one first; a day without either is left out."""
    check_span(query)
    taken = {bill.day: bill for bill in await queries.list_bills(query.from_on, query.to_on)}
    sums = {one.day: one for one in await queries.list_days(query.from_on, query.to_on)}
    days = sorted(taken.keys() | sums.keys(), reverse=True)
    return schemas.DaysOut([_day(day, taken.get(day), sums.get(day) or DaySums(day=day)) for day in days])


@router.get(
    f"{_BASE}/days/chart", guard=_READ, summary="对账日报图", errors=(ValidationFailed, charts.ChartUnavailable)
)
async def draw_days(query: schemas.DaysChartQuery) -> Reply:
    """How many payments and refunds of each day agree, and how many differences wait; the last 31 days."""
    check_span(query)
    sums = sorted(await queries.list_days(query.from_on, query.to_on), key=lambda one: one.day)[-MOST_BARS:]
    lines = [(one.day.isoformat(), [max(0, one.items - one.open), one.open]) for one in sums]
    chart = charts.Stacks("对账", f"{query.from_on} 至 {query.to_on}", "笔", ("一致", "待处理差异"), lines)
    return await as_picture(chart, query.format)


def _day(day: date, bill: Bill | None, sums: DaySums) -> schemas.DayOut:
    return schemas.DayOut(
        day=day,
        state=bill.state if bill else None,
        tries=bill.tries if bill else 0,
        due_at=bill.due_at if bill else None,
        taken_at=bill.taken_at if bill else None,
        lines=bill.lines if bill else 0,
        fee=bill.fee if bill else 0,
        theirs_paid_fen=sums.theirs_paid_fen,
        ours_paid_fen=sums.ours_paid_fen,
        theirs_refunded_fen=sums.theirs_refunded_fen,
        ours_refunded_fen=sums.ours_refunded_fen,
        items=sums.items,
        open=sums.open,
    )


@router.post(
    f"{_BASE}/days",
    guard=_WORK,
    summary="重新对账",
    errors=(BillDayRefused, BillVanished, BillNotReady, BillSpoilt),
)
async def take_bill(body: schemas.DayIn) -> schemas.DayOut:
    """Take the bill of a day now, whether it was taken before or not, and judge it anew."""
    await limits.hit("reconciliation:take", TAKES_AN_HOUR, 3600)
    bill = await bills.take_again(body.day)
    sums = await queries.list_days(body.day, body.day)
    return _day(body.day, bill, sums[0] if sums else DaySums(day=body.day))


@router.get(f"{_BASE}/items", guard=_READ, summary="对账明细", errors=(ValidationFailed,))
async def list_items(query: schemas.ItemsQuery) -> schemas.ItemsOut:
    """A day's payments and refunds with both sides."""
    after = None
    if query.cursor is not None:
        parts = read_cursor(query.cursor, 2)
        if parts is None:
            raise invalid("/query/cursor", "not a cursor of this list")
        after = parts[0], parts[1]
    found = await queries.list_items(query.day, differs=query.differs, after=after, limit=query.limit + 1)
    page = found[: query.limit]
    more = len(found) > query.limit
    cursor = make_cursor(page[-1].kind.value, page[-1].number) if more else None
    return schemas.ItemsOut([_item(one) for one in page], cursor)


def _item(one: Item) -> schemas.ItemOut:
    return schemas.ItemOut(
        kind=one.kind,
        number=one.number,
        store_id=one.store_id,
        source=one.source,
        document_id=one.document_id,
        transaction_id=one.transaction_id,
        theirs_fen=one.theirs_fen,
        theirs_at=one.theirs_at,
        ours_fen=one.ours_fen,
        ours_at=one.ours_at,
        difference=one.difference,
    )


ITEM_HEADING = (
    *(
        "类别",
        "商户单号",
        "微信支付单号",
        "来源",
        "门店",
        "微信金额（分）",
        "微信时间",
        "本方金额（分）",
        "本方时间",
        "差异",
    ),
)


@router.get(f"{_BASE}/items/file", guard=_READ, summary="对账明细导出", errors=(ValidationFailed,))
async def export_items(query: schemas.ItemsFileQuery) -> Reply:
    """A day's items as CSV or XLSX, sent as they are read."""
    body = await sheets.stream(query.format, "reconciliation", ITEM_HEADING, _item_pages(query.day))
    file = f"reconciliation-{query.day}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[query.format], headers=headers)


async def _item_pages(day: date) -> AsyncIterator[Page]:
    after = None
    while True:
        found = await queries.list_items(day, differs=False, after=after, limit=PAGE)
        yield [_item_row(one) for one in found]
        if len(found) < PAGE:
            return
        after = found[-1].kind.value, found[-1].number


def _item_row(one: Item) -> tuple[str | int | None, ...]:
    zone = clock.zone(settings().timezone)
    times = [f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at else "" for at in (one.theirs_at, one.ours_at)]
    return (
        *(one.kind.value, one.number, one.transaction_id or "", one.source or "", one.store_id or ""),
        *(one.theirs_fen, times[0], one.ours_fen, times[1], one.difference.value if one.difference else ""),
    )


@router.get(f"{_BASE}/differences", guard=_READ, summary="差异列表", errors=(ValidationFailed,))
async def list_differences(query: schemas.DifferencesQuery) -> schemas.DifferencesOut:
    """Differences, the last found first."""
    wanted = queries.Filter(
        waiting=query.waiting and query.state is None,
        state=query.state,
        what=query.what,
        day=query.day,
        store_id=query.store_id,
    )
    found = await queries.list_differences(wanted, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    cursor = place_cursor(page[-1].found_at, page[-1].id) if len(found) > query.limit else None
    names = await _names()
    return schemas.DifferencesOut([_difference(one, names) for one in page], cursor)


async def _names() -> dict[int, str]:
    return {int(person.id): person.username for person in await auth.list_staff()}


def _difference(one: Difference, names: dict[int, str]) -> schemas.DifferenceOut:
    return schemas.DifferenceOut(
        id=one.id,
        kind=one.kind,
        number=one.number,
        what=one.what,
        day=one.day,
        store_id=one.store_id,
        theirs_fen=one.theirs_fen,
        ours_fen=one.ours_fen,
        state=one.state,
        staff=names.get(one.staff_id) if one.staff_id else None,
        resolution=one.resolution,
        found_at=one.found_at,
        ended_at=one.ended_at,
        version=one.version,
    )


async def _detail(difference_id: str) -> schemas.DifferenceDetail:
    found = await queries.find_difference(difference_id)
    if found is None:
        raise NotFound("there is no such difference")
    names = await _names()
    steps = [
        schemas.StepOut(one.action, names.get(one.staff_id) if one.staff_id else None, one.note, one.at)
        for one in await queries.list_steps(difference_id)
    ]
    return schemas.DifferenceDetail(_difference(found, names), steps)


@router.get(_ONE, guard=_READ, summary="差异详情", errors=(NotFound,))
async def get_difference(difference_id: str) -> schemas.DifferenceDetail:
    """A difference and what happened to it."""
    return await _detail(difference_id)


@router.post(f"{_ONE}/take", guard=_WORK, summary="认领差异", errors=_CHANGED)
async def take_difference(caller: StaffCaller, difference_id: str, body: schemas.TakeIn) -> schemas.DifferenceDetail:
    """Take a difference on; somebody else's is taken over."""
    await differences.take(difference_id, body.version, caller)
    return await _detail(difference_id)


@router.post(f"{_ONE}/note", guard=_WORK, summary="记录差异进展", errors=_CHANGED)
async def note_difference(caller: StaffCaller, difference_id: str, body: schemas.NoteIn) -> schemas.DifferenceDetail:
    """Write down what was found out."""
    await differences.note(difference_id, body.version, body.note, caller)
    return await _detail(difference_id)


@router.post(f"{_ONE}/resolve", guard=_WORK, summary="处理完差异", errors=_CHANGED)
async def resolve_difference(
    caller: StaffCaller, difference_id: str, body: schemas.ResolveIn
) -> schemas.DifferenceDetail:
    """Say what it turned out to be; nothing moves by it."""
    await differences.resolve(difference_id, body.version, body.resolution, body.note, caller)
    return await _detail(difference_id)


@router.post(f"{_ONE}/reopen", guard=_WORK, summary="重开差异", errors=_CHANGED)
async def reopen_difference(caller: StaffCaller, difference_id: str, body: schemas.NoteIn) -> schemas.DifferenceDetail:
    """Look into a resolved difference again."""
    await differences.reopen(difference_id, body.version, body.note, caller)
    return await _detail(difference_id)
