"""What is held of a member here: nothing but sales in the books; one that waits for the phone is not over."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import AtStake, Holding, holds


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Sales that wait for the member's word, for two minutes at most."""
    (row,) = await db.fetch_in(
        tx,
        "SELECT count(*) AS waiting FROM ledger_document"
        " WHERE member_id = $1 AND kind = 'sale' AND state = 'awaiting_confirmation'",
        member_id,
    )
    return [AtStake(code="sales", title="待确认的消费", amount=row["waiting"], unit="pieces", blocks=True)]


HOLDING = holds(Holding(name="pos", title="门店消费", at_stake=at_stake))
