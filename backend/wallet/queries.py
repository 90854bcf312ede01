"""Reads of a member's value (public)."""

from __future__ import annotations

from collections import Counter
from datetime import date

from backend.kernel import db
from backend.ledger import queries as ledger

from .types import ExpiringPoints, PointsBalance, StoredValue, Wallet

_EXPIRING = """
SELECT expires_on, sum(remaining)::bigint FROM ledger_lot
 WHERE member_id = $1 AND kind = 'points' AND open AND expires_on >= $2
 GROUP BY expires_on ORDER BY expires_on LIMIT 12
"""


async def get_wallet(member_id: int, on: date) -> Wallet:
    """A member's value on that local day; lots that expired before it do not count. Raises ``MemberUnknown``."""
    snapshot = await ledger.get_snapshot(member_id, on)
    parts: Counter[str] = Counter()
    for account, part, remaining in snapshot.lots:
        if account == "stored":
            parts[part] += remaining
    expiring = [ExpiringPoints(row[1], row[0]) for row in await db.fetch(_EXPIRING, member_id, on)]
    return Wallet(
        stored=StoredValue(sum(parts.values()), parts["principal"], parts["bonus"]),
        points=PointsBalance(
            available=snapshot.spendable("points") - snapshot.balances.get("points_debt", 0),
            pending=snapshot.balances.get("points_pending", 0),
            expiring=expiring,
        ),
        rebate_fen=snapshot.spendable("rebate"),
    )
