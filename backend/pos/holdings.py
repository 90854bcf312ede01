"""What is held of a member here: nothing but sales in the books; one that waits for the phone is not over."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import AtStake, Holding, Obstacle, holds

from .types import SaleStatus

_WAITING = "SELECT id FROM ledger_document WHERE member_id = $1 AND kind = 'sale' AND state = $2 ORDER BY at LIMIT 10"


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Sales that wait for the member's word, for two minutes at most."""
    (row,) = await db.fetch_in(
        tx,
        "SELECT count(*) AS waiting FROM ledger_document"
        " WHERE member_id = $1 AND kind = 'sale' AND state = 'awaiting_confirmation'",
        member_id,
    )
    return [AtStake(code="sales", title="待确认的消费", amount=row["waiting"], unit="pieces", blocks=True)]


async def obstacles(tx: Tx, member_id: int) -> list[Obstacle]:
    """The same, by name: nobody could say yes to them any more."""
    rows = await db.fetch_in(tx, _WAITING, member_id, SaleStatus.AWAITING.value)
    found = tuple(row["id"] for row in rows)
    return [Obstacle(code="sale_under_way", title="有等待会员确认的消费", ids=found)] if found else []


HOLDING = holds(Holding(name="pos", title="门店消费", at_stake=at_stake, obstacles=obstacles))
