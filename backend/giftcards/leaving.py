"""A member who leaves is told of the cards that are bound to them."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import AtStake


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Cards that are bound: they are unbound, and whoever has number and password has their value."""
    (row,) = await db.fetch_in(
        tx, "SELECT count(*) AS bound FROM giftcard WHERE member_id = $1 AND state IN ('active', 'frozen')", member_id
    )
    return [
        AtStake(code="gift_cards", title="绑定的礼品卡（将解绑，请保留卡号与密码）", amount=row["bound"], unit="pieces")
    ]
