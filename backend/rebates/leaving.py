"""A member who leaves gives rebate up: what is there, and what would have come."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.ledger.plans import REBATE
from backend.ledger.types import Lot
from backend.members.holding import AtStake

from . import plans
from .queries import statements

AT_ONCE = 200
"""Lots in one transfer."""

_LOTS = """
SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot
 WHERE member_id = $1 AND open AND kind = $2 AND ref = '' ORDER BY lot_id LIMIT $3"""


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """What a member has of rebate, and what finance closed and has not paid yet."""
    rows = await db.fetch_in(
        tx,
        "SELECT coalesce(sum(balance), 0)::bigint AS fen FROM ledger_account WHERE member_id = $1 AND kind = $2",
        member_id,
        REBATE,
    )
    waiting = max(0, await statements.get_unpaid(tx, member_id))
    return [
        AtStake(code="rebate", title="返利余额", amount=rows[0]["fen"], unit="fen"),
        AtStake(code="rebate_waiting", title="待发放返利", amount=waiting, unit="fen"),
    ]


async def give_up(tx: Tx, member_id: int, at: datetime) -> None:
    """Let what is there go back to the stores that bore it; what is not paid yet is never paid."""
    on = clock.local_date(at, settings().timezone)
    while rows := await db.fetch_in(tx, _LOTS, member_id, REBATE, AT_ONCE):
        plan = plans.expire(member_id, "", [Lot(*row) for row in rows], now=at, on=on)
        await ledger.post_in(tx, msgspec.structs.replace(plan, kind=plans.GIVEN_UP, scope=plans.GIVEN_UP))
