"""Tables and shelves: what a member's phone reads there, what a till brings there, what staff name and print."""

from __future__ import annotations

import asyncio

from backend.auth import queries as auth
from backend.auth.guards import member, staff, terminal
from backend.auth.types import MemberCaller, Permission, StaffCaller, TerminalCaller
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Router

from .. import errors, printing
from ..commands import serving
from ..commands import spots as commands
from ..queries import spots as queries
from ..rules import spots as rules
from ..schemas.spots import (
    AdminSpotOut,
    AdminSpotsOut,
    SpotChangeIn,
    SpotIn,
    SpotOut,
    SpotQuery,
    SpotsQuery,
    ToServeListOut,
    ToServeOut,
)
from ..types.spots import Spot
from ..views.after import to_serve
from .admin import reached

router = Router(tag="orders")

_SPOTS = "/v1/admin/mall/spots"
_TO_SERVE = "/v1/pos/spot-orders"


@router.get("/v1/member/spots", guard=member, summary="识别桌码与货架码", errors=(errors.SpotInvalid, ValidationFailed))
async def read_spot(caller: MemberCaller, query: SpotQuery) -> SpotOut:
    """Where a code hangs: its store, table or shelf, and what it opens."""
    spot = await commands.read(query.code)
    store = await auth.get_store(spot.store_id)
    return SpotOut(
        code=query.code,
        store_id=spot.store_id,
        store_name=store.name,
        kind=spot.kind,
        name=spot.name,
        product_id=spot.product_id,
    )


@router.get(_TO_SERVE, guard=terminal, summary="待送桌订单")
async def list_to_serve(caller: TerminalCaller) -> ToServeListOut:
    """What was paid at this store's tables and shelves and waits there, longest first."""
    return ToServeListOut(await to_serve(await serving.waiting(caller)))


@router.post(
    f"{_TO_SERVE}/{{order_id}}/serve",
    guard=terminal,
    summary="送达桌边订单",
    errors=(NotFound, errors.AfterSaleOpen, errors.OrderNotReceivable),
)
async def serve(caller: TerminalCaller, order_id: str) -> ToServeOut:
    """Note that it was brought; again it answers the same."""
    (served,) = await to_serve([await serving.serve(order_id[:64], caller)])
    return served


@router.get(_SPOTS, guard=staff(Permission.SPOTS_MANAGE), summary="桌码与货架码", errors=(NotFound, ValidationFailed))
async def list_spots(caller: StaffCaller, query: SpotsQuery) -> AdminSpotsOut:
    """A store's tables and shelves, also those that are not in use."""
    return AdminSpotsOut([_shown(one) for one in await queries.list_spots(reached(caller, query.store_id))])


@router.get(
    f"{_SPOTS}/print", guard=staff(Permission.SPOTS_MANAGE), summary="打印桌码", errors=(NotFound, ValidationFailed)
)
async def print_spots(caller: StaffCaller, query: SpotsQuery) -> Reply:
    """The codes of a store's spots in use, on a page for paper."""
    store = await auth.get_store(reached(caller, query.store_id))
    found = [_shown(one) for one in await queries.list_spots(store.id, active=True)]
    page = await asyncio.to_thread(printing.sheet, store.name, [(one.name, one.link) for one in found])
    headers = {"Content-Security-Policy": printing.POLICY, "Cache-Control": "no-store"}
    return Reply(page.encode(), media_type="text/html; charset=utf-8", headers=headers)


@router.post(
    _SPOTS, guard=staff(Permission.SPOTS_MANAGE), status=201, summary="新建桌码", errors=(NotFound, ValidationFailed)
)
async def create_spot(caller: StaffCaller, body: SpotIn) -> AdminSpotOut:
    """Name a table or a shelf; its code is ready to be printed."""
    return _shown(await commands.create(body, caller))


@router.put(
    f"{_SPOTS}/{{spot_id}}",
    guard=staff(Permission.SPOTS_MANAGE),
    summary="修改桌码",
    errors=(NotFound, ValidationFailed),
)
async def replace_spot(caller: StaffCaller, spot_id: str, body: SpotChangeIn) -> AdminSpotOut:
    """Rename a spot, take it out of use, or give it a new code; what was ordered there stays as it is."""
    return _shown(await commands.replace(spot_id, body, caller))


def _shown(spot: Spot) -> AdminSpotOut:
    code = commands.code_of(spot)
    return AdminSpotOut(
        id=spot.id,
        store_id=spot.store_id,
        kind=spot.kind,
        name=spot.name,
        product_id=spot.product_id,
        active=spot.active,
        code=code,
        link=rules.link(settings().base_url, code),
        updated_at=spot.updated_at,
    )
