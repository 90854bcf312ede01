"""Plans of recharges and of lots that age: pure. Each says what it saw, so that the door can refuse it as stale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.kernel import clock
from backend.kernel.config import Settings
from backend.kernel.events import Event
from backend.kernel.events import encode as encode_event
from backend.ledger import plans as ledger
from backend.ledger.events import Recharged
from backend.ledger.plans import Cap, DocumentUpdate, Guard, Issue, Leg, NewDocument, Plan, Saw, job_hash
from backend.ledger.types import Document, Lot
from backend.wechat.types import BillKind

from . import rules
from .types import RECHARGES, PspMovement, RechargeBody, RechargeProgress, RechargeStatus

GIFT = "gift"
RECHARGE = "recharge"
EXPIRY = "expiry"
GIVEN_UP = "given_up"
"""Of a member who leaves."""
MATURITY = "maturity"
NOT_FIRST = "not_first_recharge"
STORED_LIMIT = "stored_limit_reached"
DAY_LIMIT = "recharge_day_limit_reached"

NO_CAP = 10**12
_EXPIRES_TO = {
    ledger.STORED: (ledger.HOUSE_BREAKAGE, ledger.FEN),
    ledger.POINTS: (ledger.HOUSE_POINTS_EXPIRED, ledger.POINT),
    ledger.POINTS_PENDING: (ledger.HOUSE_POINTS_EXPIRED, ledger.POINT),
}
EXPIRING = tuple(_EXPIRES_TO)


def body_of(document: Document) -> RechargeBody:
    """The value part of a recharge's document."""
    return msgspec.convert(document.body, RechargeBody)


def progress_of(document: Document) -> RechargeProgress:
    """What became of a recharge so far."""
    return msgspec.convert(document.progress, RechargeProgress)


def pay_until(document: Document, close_after: timedelta) -> datetime:
    """When an unpaid order is closed; those of before this was stored, ``close_after`` their making."""
    return body_of(document).pay_until or document.at + close_after


def refund_no(recharge_id: str) -> str:
    """WeChat's number of the refund of a late payment: of each recharge there is one."""
    return f"{recharge_id}L"


def psp_movements(document: Document) -> tuple[PspMovement, ...]:
    """What a recharge's document says that WeChat took; and gave back, where it came too late to be credited."""
    if body_of(document).terminal_id is not None:
        return ()  # a till took the money
    state, progress, pay_fen = RechargeStatus(document.state), progress_of(document), body_of(document).pay_fen
    credited = state is RechargeStatus.PAID or progress.refunded_fen + progress.withheld_fen > 0
    late = state in (RechargeStatus.REFUNDING, RechargeStatus.REFUNDED) and progress.transaction_id is not None
    if not (credited or late):
        return ()
    paid = PspMovement(
        kind=BillKind.PAYMENT,
        number=document.id,
        fen=pay_fen,
        source=RECHARGE if credited else "late",
        since=document.at,
        done_at=document.updated_at,
        transaction_id=progress.transaction_id,
    )
    if credited:
        return (paid,)
    back = PspMovement(
        kind=BillKind.REFUND,
        number=refund_no(document.id),
        fen=pay_fen,
        source="late",
        since=document.at,
        done_at=document.updated_at if state is RechargeStatus.REFUNDED else None,
    )
    return paid, back


def open_recharge(
    recharge_id: str,
    body: RechargeBody,
    *,
    member_id: int,
    key: str,
    request_hash: bytes,
    now: datetime,
    on: date,
    due_at: datetime,
) -> Plan:
    """Store the intent; nothing moves."""
    return Plan(
        member_id=member_id,
        kind="recharge_opened",
        at=now,
        on=on,
        scope=ledger.own_scope(member_id),
        key=key,
        hash=request_hash.hex(),
        active=True,
        document=NewDocument(
            recharge_id,
            RECHARGE,
            RechargeStatus.PENDING,
            msgspec.Raw(msgspec.json.encode(body)),
            due_at=due_at,
        ),
    )


def change(
    document: Document,
    what: str,
    *,
    now: datetime,
    on: date,
    state: RechargeStatus | None = None,
    progress: RechargeProgress | None = None,
    due_at: datetime | None = None,
    each_version: bool = False,
    events: tuple[Event, ...] = (),
) -> Plan:
    """Change a recharge's document without moving anything: once, or (``each_version``) once from where it stands.

    ``due_at`` is when the clock looks at it again; None is never.
    """
    return Plan(
        member_id=document.member_id,
        kind=f"recharge_{what}",
        at=now,
        on=on,
        scope=f"recharge/{what}",
        key=f"{document.id}:{document.version}" if each_version else document.id,
        hash=job_hash(what, document.id),
        update=DocumentUpdate(
            document.id,
            document.version,
            state=state,
            progress=None if progress is None else msgspec.to_builtins(progress),
            due_at=due_at,
        ),
        events=tuple(encode_event(event) for event in events),
    )


def credit(
    document: Document,
    *,
    transaction_id: str,
    with_gift: bool,
    debt: int,
    now: datetime,
    on: date,
    points_expire_on: date | None,
    limits: Settings,
) -> Plan:
    """Credit what was paid, and with ``with_gift`` what the offer gives on top; once per recharge and payment.

    Every paid recharge counts; an offer for the first one holds only while the count is nought, which the door decides,
    as it does for how much may be held (``STORED_LIMIT``) and come in a day (``DAY_LIMIT``).
    """
    body, progress = body_of(document), progress_of(document)
    bonus_fen, points = (body.bonus_fen, body.points) if with_gift else (0, 0)
    first = body.first_only and with_gift
    done = msgspec.structs.replace(progress, transaction_id=transaction_id, bonus_fen=bonus_fen, points=points)
    paid = Recharged(
        member_id=document.member_id,
        recharge_id=document.id,
        pay_fen=body.pay_fen,
        bonus_fen=bonus_fen,
        points=points,
    )
    given = msgspec.structs.replace(body, bonus_fen=bonus_fen, points=points)
    psp = Leg(ledger.HOUSE_PSP, ledger.FEN, -body.pay_fen)
    legs, gift = credit_legs(given, debt, psp, on=on, points_expire_on=points_expire_on)
    return Plan(
        member_id=document.member_id,
        kind=RECHARGE,
        at=now,
        on=on,
        scope="recharge/paid",
        key=document.id,
        hash=job_hash("paid", document.id, transaction_id),
        saw=(Saw(ledger.POINTS_DEBT, debt),) if points else (),
        guards=(
            Guard(RECHARGES, "add", 1, NOT_FIRST, cap=1 if first else NO_CAP),
            Guard(f"psp:{transaction_id}", "once", 1, "payment_used"),
            *day_limit(body.pay_fen, limits.recharge_day_max_fen, now=now, on=on),
        ),
        caps=stored_limit(limits),
        legs=(*legs, *gift),
        update=DocumentUpdate(
            document.id, document.version, state=RechargeStatus.PAID, progress=msgspec.to_builtins(done)
        ),
        events=(encode_event(paid),),
    )


def credit_legs(
    body: RechargeBody, debt: int, paid: Leg, *, on: date, points_expire_on: date | None
) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    """The legs that give what was paid and what is given on top, and those of points; ``paid`` is the money's."""
    lots, legs = [Issue("principal", body.pay_fen)], [paid]
    if body.bonus_fen:
        until = clock.days_after(on, body.bonus_valid_days) if body.bonus_valid_days else None
        lots.append(Issue("bonus", body.bonus_fen, expires_on=until, rank=rules.bonus_rank(body.spend)))
        legs.append(Leg(ledger.HOUSE_BONUS, ledger.FEN, -body.bonus_fen))
    stored = Leg(ledger.STORED, ledger.FEN, body.pay_fen + body.bonus_fen, issue=tuple(lots))
    gift = ledger.earn_points(body.points, debt, Issue("gift", 0, expires_on=points_expire_on))
    return (stored, *legs), gift


def day_limit(pay_fen: int, most_fen: int, *, now: datetime, on: date) -> tuple[Guard, ...]:
    """Count so much as recharged on that day, inside the door; refused as ``DAY_LIMIT`` above the most."""
    if not most_fen:
        return ()
    forgotten_at = now + timedelta(days=2)
    return (Guard(rules.day_counter(on), "add", pay_fen, DAY_LIMIT, cap=most_fen, expires_at=forgotten_at),)


def stored_limit(limits: Settings) -> tuple[Cap, ...]:
    """What a member may hold of stored value at most, as a plan's caps; refused as ``STORED_LIMIT``."""
    if not limits.stored_limit_fen:
        return ()
    parts = () if limits.stored_limit_counts == "total" else ("principal",)
    return (Cap((ledger.STORED, ledger.STORED_HELD), limits.stored_limit_fen, STORED_LIMIT, parts),)


def expire(member_id: int, kind: str, ref: str, lots: Sequence[Lot], *, now: datetime, on: date) -> Plan:
    """Take what is left of these lots of one account: their last day was before ``on``."""
    house, unit = _EXPIRES_TO[kind]
    amount = sum(lot.remaining for lot in lots)
    named = tuple((lot.lot_id, -lot.remaining) for lot in lots)
    return Plan(
        member_id=member_id,
        kind=EXPIRY,
        at=now,
        on=on,
        scope="expiry",
        key=f"{member_id}:{kind}:{ref}:{on}:{job_hash(*named)[:16]}",
        hash=job_hash(*named),
        legs=(Leg(kind, unit, -amount, ref=ref, lots=named), Leg(house, unit, amount)),
    )


def give_up(member_id: int, kind: str, lots: Sequence[Lot], *, now: datetime, on: date) -> Plan:
    """Take what is left of one account, whose member lets it go for good: to where it would have expired."""
    plan = expire(member_id, kind, "", lots, now=now, on=on)
    return msgspec.structs.replace(plan, kind=GIVEN_UP, scope=GIVEN_UP)


def forgive(member_id: int, debt: int, *, now: datetime, on: date) -> Plan:
    """Let points that a member owes be owed no more."""
    return Plan(
        member_id=member_id,
        kind=GIVEN_UP,
        at=now,
        on=on,
        scope=GIVEN_UP,
        key=f"{member_id}:debt",
        hash=job_hash(GIVEN_UP, member_id, debt),
        legs=(
            Leg(ledger.POINTS_DEBT, ledger.POINT, -debt),
            Leg(ledger.HOUSE_POINTS_RECEIVABLE, ledger.POINT, debt),
        ),
    )


def mature(member_id: int, lots: Sequence[Lot], *, debt: int, now: datetime, on: date) -> Plan:
    """Make pending points available: what is owed is paid first, each other lot keeps its source and its last day."""
    amount = sum(lot.remaining for lot in lots)
    named = tuple((lot.lot_id, -lot.remaining) for lot in lots)
    paid = owed = min(amount, debt)
    issue: list[Issue] = []
    for lot in lots:
        used = min(owed, lot.remaining)
        owed -= used
        if lot.remaining > used:
            issue.append(Issue(lot.part, lot.remaining - used, expires_on=lot.expires_on, source=lot.source))
    legs = [Leg(ledger.POINTS_PENDING, ledger.POINT, -amount, lots=named)]
    if paid:
        legs += [
            Leg(ledger.POINTS_DEBT, ledger.POINT, -paid),
            Leg(ledger.HOUSE_POINTS_RECEIVABLE, ledger.POINT, paid),
            Leg(ledger.HOUSE_POINTS_CLAWED, ledger.POINT, paid),
        ]
    if issue:
        legs.append(Leg(ledger.POINTS, ledger.POINT, amount - paid, issue=tuple(issue)))
    return Plan(
        member_id=member_id,
        kind=MATURITY,
        at=now,
        on=on,
        scope="maturity",
        key=f"{member_id}:{on}:{job_hash(*named)[:16]}",
        hash=job_hash(*named),
        saw=(Saw(ledger.POINTS_DEBT, debt),),
        legs=tuple(legs),
    )


def gift(
    member_id: int,
    amount: int,
    *,
    kind: str,
    scope: str,
    key: str,
    about: str,
    debt: int,
    expires_on: date | None,
    now: datetime,
    on: date,
) -> Plan:
    """Give an active member points, once per scope and key; what is owed (``debt``) is paid first.

    ``kind`` is the transfer's, by which its line of the statement is called; ``about`` is what they are given for.
    """
    return Plan(
        member_id=member_id,
        kind=kind,
        at=now,
        on=on,
        scope=scope,
        key=key,
        hash=job_hash(scope, key, member_id, amount),
        about=about,
        active=True,
        saw=(Saw(ledger.POINTS_DEBT, debt),),
        legs=ledger.earn_points(amount, debt, Issue("gift", 0, expires_on=expires_on, source=about)),
    )
