"""Recharges that were given back, one the member took back, one that was refused; and stored value by day."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.config import settings
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.types import Document
from backend.wallet import plans, reports
from backend.wallet import refund_queries as queries
from backend.wallet.commands import refund_books, refunds
from backend.wallet.types import RechargeRefund, RefundState, RefundStep

CASES = (
    ("搬家了，不再光顾", RefundState.DONE, ""),
    ("充错账号", RefundState.REJECTED, "请本人到店核对后办理"),
    ("计划有变，先退一部分", RefundState.DONE, ""),
    ("点错了", RefundState.WITHDRAWN, ""),
)

# Recharges of which something is left to give back, the newest first, one a member.
_LEFT = """
SELECT DISTINCT ON (d.member_id) d.member_id, d.id FROM ledger_document d
  JOIN ledger_lot l ON l.member_id = d.member_id AND l.source = d.id AND l.part = 'principal' AND l.remaining >= 5000
 WHERE d.kind = 'recharge' AND d.state = 'paid' ORDER BY d.member_id, d.at DESC LIMIT $1
"""


async def load() -> None:
    """Give some recharges of the year back, and count the year's days."""
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE role = 'admin' ORDER BY id LIMIT 1")
    rows = await db.fetch(_LEFT, len(CASES))
    for number, (row, (reason, state, note)) in enumerate(zip(rows, CASES, strict=False)):
        at = clock.now() - timedelta(hours=3 + 20 * number)
        await _one(row["member_id"], row["id"], reason, state, note, at, staff_id)
    await reports.roll_up(settings().timezone)


async def _one(
    member_id: int, recharge_id: str, reason: str, state: RefundState, note: str, at: datetime, staff_id: int
) -> None:
    document = await _paid_by_wechat(member_id, recharge_id, at)
    terms = await refund_books.terms_of(document)
    store_id = await db.fetchval("SELECT store_id FROM member WHERE id = $1", member_id)
    asked = RechargeRefund(
        member_id=member_id,
        id=ids.new_document_id(refunds.PREFIX, member_id),
        recharge_id=recharge_id,
        store_id=store_id,
        state=RefundState.ASKED,
        amount_fen=min(terms.amount_fen, 5_000),
        total_fen=plans.body_of(document).pay_fen,
        bonus_fen=0,
        withheld_fen=0,
        points=0,
        reason=reason,
        transaction_id=plans.progress_of(document).transaction_id or "",
        psp_refund_id=None,
        failure=None,
        tries=0,
        steps=(RefundStep(step="ask", at=at, note=reason),),
        asked_by=None,
        request_hash=b"",
        approval_id=None,
        asked_at=at,
        updated_at=at,
        due_at=None,
    )
    async with db.transaction() as tx:
        await queries.insert(tx, asked)
        if state is RefundState.DONE:
            asked = await refund_books.freeze(tx, asked, at, staff_id=staff_id)
        else:
            who = staff_id if state is RefundState.REJECTED else None
            name = "reject" if who else "withdraw"
            await queries.update(tx, refund_books.step(asked, state, name, at, staff_id=who, note=note))
    if state is RefundState.DONE:
        async with db.transaction() as tx:
            locked = await queries.lock(tx, member_id, asked.id)
            await refund_books.deduct(tx, locked, f"5030{asked.id[-12:]}", at + timedelta(minutes=1))


async def _paid_by_wechat(member_id: int, recharge_id: str, at: datetime) -> Document:
    """The recharge with a transaction at WeChat, which the year that was loaded at once has none of."""
    document = await ledger_queries.find_document(member_id, recharge_id)
    assert document is not None
    on = clock.local_date(at, settings().timezone)
    progress = msgspec.structs.replace(plans.progress_of(document), transaction_id=f"4200{recharge_id[-20:]}")
    async with db.transaction() as tx:
        await ledger.post_in(tx, plans.change(document, "settled", now=at, on=on, progress=progress, each_version=True))
    found = await ledger_queries.find_document(member_id, recharge_id)
    assert found is not None
    return found
