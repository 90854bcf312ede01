"""A member who leaves gives money and points up."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.ledger.plans import POINTS_DEBT, STORED_HELD
from backend.ledger.types import Lot
from backend.members.holding import AtStake

from . import plans

TITLES = {
    "stored": ("储值余额", "fen"),
    "points": ("积分", "points"),
    "points_pending": ("待到账积分", "points"),
}


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """What is left on a member's accounts; recharges and their refunds that are under way stand in the way."""
    rows = await db.fetch_in(
        tx,
        "SELECT kind, sum(balance)::bigint AS balance FROM ledger_account"
        " WHERE member_id = $1 AND kind = ANY($2::text[]) GROUP BY kind",
        member_id,
        [*TITLES, STORED_HELD],
    )
    left = {row["kind"]: row["balance"] for row in rows}
    (busy,) = await db.fetch_in(
        tx,
        "SELECT (SELECT count(*) FROM ledger_document WHERE member_id = $1 AND kind = 'recharge'"
        "         AND state IN ('pending', 'refunding')) AS recharges,"
        " (SELECT count(*) FROM wallet_refund WHERE member_id = $1"
        "         AND state IN ('asked', 'frozen', 'sent', 'stopping')) AS refunds",
        member_id,
    )
    found = [
        AtStake(code=code, title=title, amount=left.get(code, 0), unit=unit) for code, (title, unit) in TITLES.items()
    ]
    return [
        *found,
        AtStake(code="recharge", title="未完成的充值", amount=busy["recharges"], unit="pieces", blocks=True),
        AtStake(code="recharge_refund", title="处理中的充值退款", amount=busy["refunds"], unit="pieces", blocks=True),
    ]


async def give_up(tx: Tx, member_id: int, at: datetime) -> None:
    """Let all of it go: money to breakage, points to those that expired; what is owed is owed no more."""
    on = clock.local_date(at, settings().timezone)
    rows = await db.fetch_in(
        tx,
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        " WHERE member_id = $1 AND open AND kind = ANY($2::text[]) ORDER BY lot_id",
        member_id,
        list(TITLES),
    )
    lots: dict[str, list[Lot]] = {}
    for row in rows:
        lots.setdefault(row["kind"], []).append(Lot(*row))
    for kind, held in sorted(lots.items()):
        await ledger.post_in(tx, plans.give_up(member_id, kind, held, now=at, on=on))
    debt = await db.fetch_in(
        tx,
        "SELECT balance FROM ledger_account WHERE member_id = $1 AND kind = $2 AND balance > 0",
        member_id,
        POINTS_DEBT,
    )
    if debt:
        await ledger.post_in(tx, plans.forgive(member_id, debt[0]["balance"], now=at, on=on))
