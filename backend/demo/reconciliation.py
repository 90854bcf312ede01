"""A week of WeChat's bills beside the demo's books, with what goes wrong in life; and what stores owe each other.

The demo's year was loaded past WeChat, so the simulated WeChat is told here what it took and gave back in the last
week. One payment it does not know, one it has with another amount, and one is of a till that is none of ours.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from backend.app import simulator_config
from backend.approvals import commands as approvals
from backend.auth import queries as auth
from backend.kernel import clock, db
from backend.kernel.config import Settings
from backend.ledger import queries as ledger
from backend.reconciliation import queries, rules
from backend.reconciliation.commands import bills, clearing, differences, settling
from backend.reconciliation.types import Resolution, What
from backend.wallet import queries as wallet
from backend.wallet.types import PspMovement
from backend.wechat import bills as texts
from backend.wechat.types import BillKind, TradeBill
from miniapp_mock import simulator
from miniapp_mock.simulator import Simulator
from miniapp_mock.simulator.bills import Bills

DAYS = 7
MOST = 2_000
OTHER_FEN = 8_800

_PAID = """
INSERT INTO pay_order (out_trade_no, terms, prepay_id, state, total, created_at, expires_at, transaction_id, success_at)
VALUES ($1, $2, 'wx' || $1, 'SUCCESS', $3, $4, $4, $5, $4) ON CONFLICT DO NOTHING"""


async def load(settings: Settings) -> None:
    """Tell the simulated WeChat of the last week, take its bills, and count a year of clearing."""
    now = clock.now()
    last = rules.day_of(now) - timedelta(days=1)
    days = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    platform = simulator.build(simulator_config(settings))
    try:
        await _pay_there(platform, await _payments(days), settings)
        await bills.want(days)
        for day in days:
            text = await Bills(platform.platform).write(day)
            await bills.keep(day, texts.parse(text) if text else TradeBill(()), now)
    finally:
        await platform.aclose()
    await _resolve_one()
    await clearing.look_back()
    await _propose(now, settings)


async def _payments(days: list[date]) -> list[tuple[datetime, PspMovement]]:
    """What our books say that WeChat took on these days, with the time."""
    until = rules.begins(days[-1] + timedelta(days=1))
    rows = await ledger.list_psp_documents(rules.begins(days[0]), until, after=None, limit=MOST)
    booked = {document_id: at for at, _, _, document_id in rows}
    found = await ledger.find_documents({(member_id, document_id) for _, member_id, _, document_id in rows})
    moves = await wallet.list_psp_movements(found.values())
    return sorted(
        ((booked[document.id], move) for document, move in moves if move.kind is BillKind.PAYMENT),
        key=lambda one: (one[0], one[1].number),
    )


async def _pay_there(platform: Simulator, payments: list[tuple[datetime, PspMovement]], settings: Settings) -> None:
    """All but one of the payments, one with a yuan too much, and one of somebody else's."""
    lost, changed = len(payments) // 3, len(payments) // 2
    async with platform.platform.store.transaction() as tx:
        for place, (at, move) in enumerate(payments):
            if place != lost:
                fen = move.fen + (100 if place == changed else 0)
                known = move.transaction_id or _transaction(at, place)
                await tx.execute(_PAID, *_row(move.number, fen, at, known, settings))
        if payments:
            at = payments[-1][0]
            other = _row("MARKET-2026-11", OTHER_FEN, at, _transaction(at, len(payments)), settings)
            await tx.execute(_PAID, *other)


def _transaction(at: datetime, place: int) -> str:
    """WeChat's number of a payment that our books know none of."""
    return f"4200000{at:%Y%m%d}{place:08d}"


def _row(number: str, fen: int, at: datetime, transaction_id: str, settings: Settings) -> tuple[Any, ...]:
    terms = {"payer": {"openid": "openid-demo"}, "description": f"{settings.chain_name}储值"}
    return number, terms, fen, at, transaction_id


async def _resolve_one() -> None:
    """Somebody knows the other till."""
    wanted = queries.Filter(waiting=True, what=What.ONLY_THERE)
    for found in await queries.list_differences(wanted, before=None, limit=1):
        caller = await auth.get_caller(await _admin())
        await differences.take(found.id, found.version, caller)
        await differences.resolve(
            found.id, found.version + 1, Resolution.OTHER_SYSTEM, "周末集市的临时收款码，另行入账", caller
        )


async def _propose(now: datetime, settings: Settings) -> None:
    """What was owed up to the month before last is settled; what came in the last month waits for a second person."""
    end = clock.local_date(now, settings.timezone).replace(day=1) - timedelta(days=1)
    before = end.replace(day=1) - timedelta(days=1)
    caller = await auth.get_caller(await _admin())
    second = await auth.get_caller(await _staff("finance"))
    asked = await settling.propose(before, "跨店结算", caller, "demo-clearing-before", with_bonus=False)
    await approvals.approve(asked.id, "已与各店核对", second)
    await settling.propose(end, "上月跨店结算", caller, "demo-clearing", with_bonus=False)


async def _admin() -> int:
    return await _staff("admin")


async def _staff(username: str) -> int:
    return int(await db.fetchval("SELECT id FROM auth_staff WHERE username = $1", username))
