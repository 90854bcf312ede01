"""What staff should look at: what ran low, and what tills sold although the books had less."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from .. import access, queries, views
from ..commands import alerts
from ..schemas.alerts import AcknowledgeIn, AlertOut, AlertsOut, AlertsQuery

router = Router(tag="stock")

_ALERTS = "/v1/admin/stock/alerts"


@router.get(_ALERTS, guard=staff(Permission.STOCK_READ), summary="库存待办", errors=(NotFound, ValidationFailed))
async def list_alerts(caller: StaffCaller, query: AlertsQuery) -> AlertsOut:
    """What ran low or short at the places that the caller reaches, newest first; what is over closes by itself."""
    if query.place_id is not None:
        place_ids: list[str] | None = [(await access.place(caller, query.place_id)).id]
    else:
        place_ids = await access.reached(caller)
    found = await queries.list_alerts(
        place_ids,
        kind=query.kind,
        only_open=query.state == "open",
        before=read_place(query.cursor),
        limit=query.limit + 1,
    )
    page = found[: query.limit]
    more = place_cursor(page[-1].at, page[-1].id) if len(found) > query.limit else None
    return AlertsOut(await views.alerts(page), more)


@router.post(
    f"{_ALERTS}/{{alert_id}}/acknowledge",
    guard=staff(Permission.STOCK_HANDLE),
    summary="处理库存待办",
    errors=(NotFound,),
)
async def acknowledge_alert(caller: StaffCaller, alert_id: str, body: AcknowledgeIn) -> AlertOut:
    """Say that somebody looks after it; said again, it stays as it was said first."""
    await access.alert(caller, alert_id)
    return (await views.alerts([await alerts.acknowledge(alert_id, body.note, caller)]))[0]
