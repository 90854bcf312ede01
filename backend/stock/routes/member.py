"""What phones are told of stock: a hint, since only an order decides."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound
from backend.kernel.http import Router

from .. import queries
from ..schemas.levels import AvailableOut, AvailableQuery, AvailablesOut
from ..types import Piece

router = Router(tag="mall")


@router.get("/v1/member/mall/stock", guard=member, summary="商城库存", errors=(NotFound,))
async def list_available(caller: MemberCaller, query: AvailableQuery) -> AvailablesOut:
    """How many pieces of these articles a store could sell now; 0 where it keeps no stock of one."""
    await auth.get_store(query.store_id)
    skus = query.skus.split(",")
    left = await queries.find_available(Piece(query.store_id, sku, 1) for sku in skus)
    return AvailablesOut([AvailableOut(sku, left[query.store_id, sku]) for sku in dict.fromkeys(skus)])
