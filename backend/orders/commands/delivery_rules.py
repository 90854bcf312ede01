"""Head office says where is sent to and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.auth import queries as auth
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .. import queries
from ..errors import DeliveryRulesFull
from ..schemas.delivery import DeliveryRuleIn
from ..types import DeliveryRule

_INSERT = """
INSERT INTO orders_delivery_rule (id, title, stores, regions, regions_excluded, first_g, first_fen, further_g,
                                  further_fen, free_from_fen, priority, active, updated_at, staff_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $13)"""
_REPLACE = """
UPDATE orders_delivery_rule SET title = $2, stores = $3, regions = $4, regions_excluded = $5, first_g = $6,
       first_fen = $7, further_g = $8, further_fen = $9, free_from_fen = $10, priority = $11, active = $12,
       updated_at = $13, staff_id = $14
 WHERE id = $1 RETURNING id"""
_IN_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('orders_delivery_rule', 0))"
"""Two at once must not both find room for one."""


async def create(body: DeliveryRuleIn, staff_id: int) -> DeliveryRule:
    """Add a rule; it holds in every process within five seconds. ``DeliveryRulesFull`` beyond what pricing reads."""
    await auth.check_stores(body.stores, "/stores")
    made = DeliveryRule(id=ids.new_short("A"), **msgspec.structs.asdict(body))
    async with db.transaction() as tx:
        await db.raw(tx).execute(_IN_TURN)
        ((count,),) = await db.fetch_in(tx, "SELECT count(*) FROM orders_delivery_rule")
        if count >= queries.MOST_RULES:
            raise DeliveryRulesFull(extra={"most": queries.MOST_RULES})
        await _write(tx, _INSERT, made, staff_id)
    queries.forget_delivery_rules()
    return made


async def replace(rule_id: str, body: DeliveryRuleIn, staff_id: int) -> DeliveryRule:
    """Change a rule as a whole; orders that were placed keep what they cost."""
    await auth.check_stores(body.stores, "/stores")
    made = DeliveryRule(id=rule_id, **msgspec.structs.asdict(body))
    async with db.transaction() as tx:
        if not await _write(tx, _REPLACE, made, staff_id):
            raise NotFound("there is no such rule")
    queries.forget_delivery_rules()
    return made


async def _write(tx: Tx, statement: str, made: DeliveryRule, staff_id: int) -> Sequence[db.Record]:
    lists = [msgspec.json.encode(one).decode() for one in (made.stores, made.regions, made.regions_excluded)]
    return await db.fetch_in(
        tx,
        statement,
        *(made.id, made.title, *lists, made.first_g, made.first_fen, made.further_g, made.further_fen),
        *(made.free_from_fen, made.priority, made.active, clock.now(), staff_id),
    )
