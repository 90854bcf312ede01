"""Settle what stores owe each other: one person asks, another approves, and then it stays as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

import msgspec

from backend.approvals import service as approvals
from backend.approvals.types import Approval, Kind
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx

from .. import queries
from ..errors import NothingToSettle, SettlementChanged, SettlementTooEarly
from ..queries.clearing import FLOWS
from ..types import Flow, SettlementWish

log = logging.get(__name__)

KIND = "clearing_settlement"

_SETTLE = """
UPDATE clearing_line SET settlement_id = $1 WHERE settlement_id IS NULL AND day <= $2"""
_INSERT = """
INSERT INTO clearing_settlement (id, from_on, to_on, with_bonus, flows, asked_by, approved_by, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
_GROUPED = "GROUP BY from_store, to_store ORDER BY from_store, to_store"
_UNSETTLED = f"{FLOWS} WHERE settlement_id IS NULL AND day <= $1 {_GROUPED}"
_SETTLED = f"{FLOWS} WHERE settlement_id = $1 {_GROUPED}"
_FIRST = "SELECT min(day) AS day FROM clearing_line WHERE settlement_id = $1"


async def propose(to_on: date, reason: str, caller: StaffCaller, key: str, *, with_bonus: bool) -> Approval:
    """Ask a second person to settle everything up to that day which is in no settlement yet.

    Raises ``SettlementTooEarly`` while it can still become more, and ``NothingToSettle``.
    """
    if to_on >= clock.local_date(clock.now(), settings().timezone) or await queries.is_counting():
        raise SettlementTooEarly
    async with db.transaction() as tx:
        flows = [Flow(**row) for row in await db.fetch_in(tx, _UNSETTLED, to_on)]
        if not flows:
            raise NothingToSettle
        wish = SettlementWish(to_on, with_bonus, _digest(flows))
        principal_fen = sum(flow.principal_fen for flow in flows if flow.from_store != flow.to_store)
        return await approvals.request(
            tx,
            KIND,
            wish,
            caller=caller,
            reason=reason,
            store_id=None,
            summary=f"跨店结算至 {to_on}，跨店本金 {principal_fen / 100:,.2f} 元",
            key=key,
        )


async def apply(tx: Tx, wish: SettlementWish, approval: Approval) -> None:
    """Settle it, if it is what was asked for; ``SettlementChanged`` otherwise.

    The lines are taken first and added up then: one that is counted at this moment is in it and tells, or is not.
    """
    assert approval.decided_by is not None
    settlement_id = ids.short_of("Z", approval.id)
    await db.raw(tx).execute(_SETTLE, settlement_id, wish.to_on)
    flows = [Flow(**row) for row in await db.fetch_in(tx, _SETTLED, settlement_id)]
    if _digest(flows) != wish.digest:
        raise SettlementChanged
    (first,) = await db.fetch_in(tx, _FIRST, settlement_id)
    await db.raw(tx).execute(
        _INSERT,
        *(settlement_id, first["day"], wish.to_on, wish.with_bonus, msgspec.json.encode(flows).decode()),
        *(approval.asked_by, approval.decided_by, clock.now()),
    )
    log.info("reconciliation.settled", settlement_id=settlement_id, to_on=str(wish.to_on))


def _digest(flows: Sequence[Flow]) -> str:
    return hashlib.sha256(msgspec.json.encode(flows)).hexdigest()


approvals.declare(
    Kind(
        code=KIND,
        title="跨店结算",
        permission=Permission.CLEARING_SETTLE,
        body=SettlementWish,
        apply=apply,
    )
)
