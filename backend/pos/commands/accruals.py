"""Offline accruals: points for a sale that was taken while the till could not reach us; they never spend."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from backend.auth import queries as auth
from backend.auth.errors import CodeUsed
from backend.auth.types import TerminalCaller
from backend.kernel import clock, ids, live
from backend.kernel.config import settings
from backend.kernel.errors import ValidationFailed, invalid
from backend.kernel.events import encode as encode_event
from backend.kernel.http import Answer, Idempotency
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, Stale
from backend.ledger.events import AccrualPosted
from backend.ledger.plans import Guard, NewDocument, Plan
from backend.ledger.service import device_mark
from backend.ledger.types import Posted
from backend.members import queries as members
from backend.points import plans as points
from backend.points import service as point_rules
from backend.points.types import LineEarned
from backend.sales import plans as sale_plans
from backend.sales.rules import settling
from backend.sales.rules.pricing import price_lines
from backend.sales.types import PricedLine
from backend.wallet import queries as wallet
from backend.wallet.types import PointsSource

from .. import plans, views
from ..errors import AccrualLimit, OccurredOutOfRange
from ..schemas import AccrualIn, AccrualOut
from . import pricing, sales
from .identify import by_number, by_offline_code
from .replay import Again, first_answer, terminal_scope

MAX_AGE = timedelta(days=7)
SLACK = timedelta(seconds=60)
DAILY_LIMIT = "accrual_limit"


class AccrualLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line that was sold offline, as far as others ask later what was bought for how much."""

    line_no: int
    sku: str
    qty: int
    payable_fen: int
    category: str | None = None
    brand: str | None = None


class AccrualBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value part of an accrual's document; those of before lines were kept have none."""

    order_no: str
    terminal_id: str
    total_fen: int
    points_earned: int
    occurred_at: str
    earned_by: tuple[LineEarned, ...] = ()
    lines: tuple[AccrualLine, ...] = ()


async def accrue(body: AccrualIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[AccrualOut]:
    """Credit the points of an offline sale; once per key, per order number, and per code."""

    async def again(member_id: int, posted: Posted) -> Answer[AccrualOut]:
        document = await ledger_queries.find_document(member_id, posted.document_id or "")
        if document is None or document.kind != plans.ACCRUAL:
            raise ValidationFailed("this key was used for another kind of request")
        stored = msgspec.convert(document.body, AccrualBody)
        return Answer(_out(document.id, stored, posted), replayed=True)

    return await first_answer(
        idem, terminal_scope(terminal.terminal_id), lambda: _accrue(body, terminal, idem, again), again
    )


async def _accrue(
    body: AccrualIn, terminal: TerminalCaller, idem: Idempotency, again: Again[Answer[AccrualOut]]
) -> Answer[AccrualOut]:
    now = clock.now()
    if body.occurred_at > now + SLACK or body.occurred_at < now - MAX_AGE:
        raise OccurredOutOfRange
    store = await auth.get_store(terminal.store_id)
    member_id, guards = await _member(body, terminal, now)
    capped = False
    for _ in range(sales.MAX_TIMES_PLANNED):
        on = clock.local_date(now, store.timezone)
        card = await members.get_card(member_id)
        priced = price_lines(await pricing.rated(body.lines), discount_bp=0)
        if priced.total_fen != body.total_fen:
            raise invalid("/total_fen", f"the lines make {priced.total_fen} fen")
        earning = await point_rules.earning_again(
            member_id, card.level.points_multiplier_bp, store=store, at=body.occurred_at, capped=capped
        )
        earns = settling.earned_points(priced, (), earning, bonus_fen=0)
        earned = earns.points
        debt = (await ledger_queries.get_snapshot(member_id, on)).balances.get("points_debt", 0)
        accrual = AccrualBody(
            body.order_no,
            terminal.terminal_id,
            body.total_fen,
            earned,
            body.occurred_at.isoformat(),
            earns.kept,
            tuple(_line(line) for line in priced.lines),
        )
        accrual_id = ids.new_document_id("A", member_id)
        expires_on, matures_on = settling.lot_dates(on, settings(), await wallet.points_expiry(PointsSource.SALE))
        account = ledger_plans.POINTS_PENDING if matures_on else ledger_plans.POINTS
        issue = ledger_plans.Issue("earned", 0, expires_on=expires_on, matures_on=matures_on)
        plan = Plan(
            member_id=member_id,
            kind=plans.ACCRUAL,
            at=now,
            on=on,
            scope=terminal_scope(terminal.terminal_id),
            key=idem.key,
            hash=idem.request_hash.hex(),
            active=True,
            saw=sale_plans.saw_debt(debt),
            guards=(
                *guards,
                *_limit(terminal.terminal_id, on.isoformat(), earned, now),
                *points.count_caps(earns, now),
            ),
            claim=plans.order_claim(store.id, body.order_no),
            document=NewDocument(
                accrual_id, plans.ACCRUAL, "posted", sale_plans.encode_body(accrual), store_id=store.id
            ),
            legs=ledger_plans.earn_points(earned, debt, issue, account=account),
            events=(encode_event(AccrualPosted(member_id=member_id, accrual_id=accrual_id, store_id=store.id)),),
        )
        try:
            posted = await ledger.post(plan)
        except GuardRefused as refused:
            if refused.refusal == points.CAP:  # also once more: another sale of the day may have come between
                capped = True
                continue
            raise (AccrualLimit() if refused.refusal == DAILY_LIMIT else CodeUsed()) from refused
        except Stale:
            continue
        if posted.replayed:
            return await again(member_id, posted)
        answer = _out(accrual_id, accrual, posted)
        live.push(member_id, "points_earned", {"points": earned, "store": {"id": store.id, "name": store.name}})
        return Answer(answer)
    raise Stale


def _line(line: PricedLine) -> AccrualLine:
    return AccrualLine(line.line_no, line.sku, line.qty, line.payable_fen, line.category, line.brand)


async def _member(body: AccrualIn, terminal: TerminalCaller, now: datetime) -> tuple[int, tuple[Guard, ...]]:
    if (body.member_no is None) == (body.code is None):
        raise invalid("/member_no", "give either member_no or code")
    if body.member_no is not None:
        return await by_number(body.member_no, terminal_id=terminal.terminal_id), ()
    device, step = await by_offline_code(
        body.code or "", terminal_id=terminal.terminal_id, occurred_at=body.occurred_at
    )
    mark = device_mark(device.device_id)
    if (await ledger_queries.guard_values(device.member_id, [mark])).get(mark) == step:
        raise CodeUsed("this code was spent at a till that was online")
    expires_at = now + MAX_AGE + timedelta(days=2)
    name = f"offline:{device.device_id}:{step}"
    member_id = await members.current_id(device.member_id)
    return member_id, (Guard(name, "once", step, plans.CODE_USED, expires_at=expires_at),)


def _limit(terminal_id: str, day: str, earned: int, now: datetime) -> tuple[Guard, ...]:
    if not earned:
        return ()
    cap = settings().accrual_daily_points
    expires_at = now + timedelta(days=3)
    return (Guard(f"accrual:{terminal_id}:{day}", "add", earned, DAILY_LIMIT, cap=cap, expires_at=expires_at),)


def _out(accrual_id: str, body: AccrualBody, posted: Posted) -> AccrualOut:
    return AccrualOut(accrual_id, body.order_no, body.points_earned, views.balances_out(posted.balances))
