"""A member who leaves belongs to no organisation."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import AtStake


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Who owns an organisation's account hands it over first."""
    (row,) = await db.fetch_in(
        tx,
        "SELECT count(*) AS owned FROM group_member g JOIN group_account a ON a.id = g.group_id AND a.state = 'open'"
        " WHERE g.member_id = $1 AND g.left_at IS NULL AND g.role = 'owner'",
        member_id,
    )
    return [
        AtStake(
            code="group_owner",
            title="名下的团体账户（请先转交或停用）",
            amount=row["owned"],
            unit="pieces",
            blocks=True,
        )
    ]


async def leave(tx: Tx, member_id: int, at: datetime) -> None:
    """Belong to no organisation any more."""
    await db.raw(tx).execute(
        "UPDATE group_member SET left_at = greatest(joined_at, $2) WHERE member_id = $1 AND left_at IS NULL",
        member_id,
        at,
    )
