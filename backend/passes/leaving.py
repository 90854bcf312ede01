"""A member who leaves gives cards up."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import db, ids
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.ledger.plans import job_hash
from backend.members.holding import AtStake

from . import plans, queries, service
from .commands import cards
from .types import PassState

_OPEN = "SELECT ref FROM ledger_account WHERE member_id = $1 AND kind = 'service' AND balance > 0 ORDER BY ref"


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Cards that are good yet, and what of their price was not used."""
    rows = await db.fetch_in(tx, _OPEN, member_id)
    (value,) = await db.fetch_in(
        tx,
        "SELECT coalesce(sum(balance), 0)::bigint AS fen FROM ledger_account WHERE member_id = $1"
        " AND kind = 'service_value'",
        member_id,
    )
    return [
        AtStake(code="passes", title="服务卡与折扣卡", amount=len(rows), unit="pieces"),
        AtStake(code="passes_value", title="服务卡未用金额", amount=value["fen"], unit="fen"),
    ]


async def give_up(tx: Tx, member_id: int, at: datetime) -> None:
    """Make all of them void: what was paid for nothing is breakage, but for days that are over."""
    refs = [row["ref"] for row in await db.fetch_in(tx, _OPEN, member_id)]
    held = await queries.find_passes(member_id, refs, service.today(at))
    for pass_id in refs:
        rest = await cards.earn_days(tx, held[pass_id], at)
        end_id = ids.new_document_id(plans.END_PREFIX, member_id)
        plan = plans.end(rest, end_id, PassState.VOID, reason="", now=at, on=service.today(at))
        keyed = msgspec.structs.replace(plan, scope="given_up", key=pass_id, hash=job_hash("given_up", pass_id))
        await ledger.post_in(tx, keyed)
