"""A member who leaves gives stamps up."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.members.holding import AtStake

from . import plans, service
from .types import Stamps

_LEFT = """
SELECT ref, sum(balance) FILTER (WHERE kind = 'stamps')::bigint AS held,
       sum(balance) FILTER (WHERE kind = 'stamps_owed')::bigint AS owed
  FROM ledger_account WHERE member_id = $1 AND kind IN ('stamps', 'stamps_owed') AND balance > 0
 GROUP BY ref ORDER BY ref"""


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Stamps that are no reward yet."""
    rows = await db.fetch_in(tx, _LEFT, member_id)
    return [AtStake(code="stamps", title="印花", amount=sum(row["held"] or 0 for row in rows), unit="uses")]


async def give_up(tx: Tx, member_id: int, at: datetime) -> None:
    """Let all of them expire, and close the cards."""
    for row in await db.fetch_in(tx, _LEFT, member_id):
        left = Stamps(held=row["held"] or 0, owed=row["owed"] or 0)
        plan = plans.expire(member_id, row["ref"], left, now=at, on=service.today(at))
        assert plan is not None
        await ledger.post_in(tx, plan)
    await db.raw(tx).execute(
        "UPDATE stamp_card SET closed_at = $2, waiting = false WHERE member_id = $1 AND closed_at IS NULL",
        member_id,
        at,
    )
