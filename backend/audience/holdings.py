"""What is held of a member here: what they bought, by article, for choosing whom a message is for."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds

_ALONE = "SELECT pg_advisory_xact_lock(7305201614)"
_ADDED = """
INSERT INTO audience_bought AS b (member_id, sku, pieces, times, last_on)
SELECT $2, sku, pieces, times, last_on FROM audience_bought WHERE member_id = $1
    ON CONFLICT (member_id, sku) DO UPDATE SET pieces = b.pieces + EXCLUDED.pieces,
       times = b.times + EXCLUDED.times, last_on = greatest(b.last_on, EXCLUDED.last_on)"""


async def _join(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    await db.raw(tx).execute(_ALONE)  # counts are sums of what was counted: nobody else counts meanwhile
    await db.raw(tx).execute(_ADDED, source_id, target_id)
    await db.raw(tx).execute("DELETE FROM audience_bought WHERE member_id = $1", source_id)


HOLDING = holds(
    Holding(
        name="audience",
        title="购买概况",
        tables=(
            Table(
                "audience_bought",
                DELETED,
                Shown(
                    title="买过的商品",
                    columns={"sku": "商品", "pieces": "件数", "times": "次数", "last_on": "最近一次"},
                    key=("sku",),
                ),
            ),
            Table("audience_sale", DELETED, unshown="what was counted already; the sales are among the documents"),
        ),
        moves=(MovingTable("audience_sale"),),
        joined=("audience_bought",),
        merge=_join,
    )
)
