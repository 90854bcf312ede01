"""What became of letters, in numbers and as a chart. A store's staff see their own members'."""

from __future__ import annotations

from datetime import date, timedelta

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, clock, windows
from backend.kernel.charts import ChartUnavailable
from backend.kernel.config import settings
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Reply, Router
from backend.kernel.http.pictures import as_picture

from .. import channel_views as views
from .. import queries
from ..channel_schemas import DaysQuery, LineOut, MessageStatisticsOut
from ..queries import statistics

router = Router(tag="messages")

_STATISTICS = "/v1/admin/messages/statistics"
MOST_DAYS = 366
USUAL = timedelta(days=29)


@router.get(_STATISTICS, guard=staff(Permission.MESSAGES_READ), errors=(ValidationFailed,), summary="消息统计")
async def get_statistics(caller: StaffCaller, query: DaysQuery) -> MessageStatisticsOut:
    """Deliveries by template and channel: arrived, opened, clicked, and why not."""
    return MessageStatisticsOut(await _lines(caller, query))


@router.get(
    f"{_STATISTICS}/chart.svg",
    guard=staff(Permission.MESSAGES_READ),
    errors=(ValidationFailed,),
    summary="消息统计图（SVG）",
)
async def get_chart_svg(caller: StaffCaller, query: DaysQuery) -> Reply:
    """The same as a drawing, with the twenty largest lines."""
    chart = await _chart(caller, query)
    return await as_picture(chart, "svg")


@router.get(
    f"{_STATISTICS}/chart.png",
    guard=staff(Permission.MESSAGES_READ),
    errors=(ValidationFailed, ChartUnavailable),
    summary="消息统计图（PNG）",
)
async def get_chart_png(caller: StaffCaller, query: DaysQuery) -> Reply:
    """The same as a picture; needs a Chinese font on the server."""
    chart = await _chart(caller, query)
    return await as_picture(chart, "png")


async def _chart(caller: StaffCaller, query: DaysQuery) -> charts.Stacks:
    from_on, to_on = _days(query)
    return views.chart(await _lines(caller, query), f"{from_on:%Y-%m-%d} 至 {to_on:%Y-%m-%d}")


async def _lines(caller: StaffCaller, query: DaysQuery) -> list[LineOut]:
    from_on, to_on = _days(query)
    found = await statistics.list_lines(
        *clock.span(from_on, to_on, settings().timezone),
        template=query.template,
        channel=query.channel,
        store_id=caller.store_id,
    )
    titles = {code: await queries.find_template(code) for code in {item.template for item in found}}
    return [
        views.line(item, template.title if (template := titles[item.template]) else item.template) for item in found
    ]


def _days(query: DaysQuery) -> tuple[date, date]:
    """The first and the last day that are meant."""
    to_on = query.to_on or clock.local_date(clock.now(), settings().timezone)
    from_on = query.from_on or max(to_on, date.min + USUAL) - USUAL
    windows.check_days(from_on, to_on, most=MOST_DAYS)
    return from_on, to_on
