"""A member who leaves has no order under way."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import AtStake


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Orders that are not over, requests that wait, money on its way back."""
    (row,) = await db.fetch_in(
        tx,
        "SELECT (SELECT count(*) FROM orders_order WHERE member_id = $1"
        "         AND state NOT IN ('completed', 'cancelled', 'closed')) AS orders,"
        " (SELECT count(*) FROM orders_after_sale WHERE member_id = $1"
        "         AND state NOT IN ('rejected', 'cancelled', 'refunded', 'exchanged')) AS requests,"
        " (SELECT count(*) FROM ledger_document WHERE member_id = $1 AND kind = 'refund' AND state <> 'posted'"
        "         AND progress ? 'psp_fen') AS refunds,"
        " (SELECT count(*) FROM orders_invoice WHERE member_id = $1 AND state = 'requested') AS invoices",
        member_id,
    )
    return [
        AtStake(code="orders", title="未完成的订单", amount=row["orders"], unit="pieces", blocks=True),
        AtStake(code="after_sales", title="处理中的售后", amount=row["requests"], unit="pieces", blocks=True),
        AtStake(code="order_refunds", title="退回途中的订单款项", amount=row["refunds"], unit="pieces", blocks=True),
        AtStake(code="invoices", title="待开的发票", amount=row["invoices"], unit="pieces", blocks=True),
    ]
