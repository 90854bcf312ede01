"""Head office tries earning rules before they live."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from ..commands import simulating
from ..schemas import SimulatedOut, SimulateIn

router = Router(tag="points")


@router.post(
    "/v1/admin/points-rules/simulate",
    guard=staff(Permission.POINTS_READ),
    summary="试算积分",
    errors=(NotFound, ValidationFailed),
)
async def simulate(caller: StaffCaller, body: SimulateIn) -> SimulatedOut:
    """What this basket would earn, by which rules; as a till would price it, all of it paid with money."""
    return await simulating.simulate(body)
