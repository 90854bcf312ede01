"""Plans of recharges whose money a till took, and takes back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.kernel import clock
from backend.kernel.config import Settings
from backend.kernel.events import encode as encode_event
from backend.ledger import plans as ledger
from backend.ledger.events import Recharged, RechargeReversed
from backend.ledger.plans import DocumentUpdate, Guard, Leg, NewDocument, Plan, Saw
from backend.ledger.types import Document, Lot

from . import rules
from .plans import NO_CAP, NOT_FIRST, RECHARGE, body_of, credit_legs, day_limit, progress_of, stored_limit
from .types import RECHARGES, RechargeBody, RechargeProgress, RechargeStatus

REVERSED = "recharge_reversed"


def at_till(
    recharge_id: str,
    body: RechargeBody,
    *,
    member_id: int,
    store_id: str,
    cashier: str | None,
    guards: Sequence[Guard],
    debt: int,
    scope: str,
    key: str,
    request_hash: bytes,
    now: datetime,
    on: date,
    points_expire_on: date | None,
    limits: Settings,
) -> Plan:
    """A recharge whose money a till took: agreed, paid and credited at once; everything or nothing.

    The same limits hold as for one that WeChat took, and the door decides whether it is the first.
    """
    progress = RechargeProgress(bonus_fen=body.bonus_fen, points=body.points)
    legs, gift = credit_legs(body, debt, Leg(ledger.HOUSE_TILLS, ledger.FEN, -body.pay_fen, ref=store_id), on=on,
                              points_expire_on=points_expire_on)  # fmt: skip
    paid = Recharged(
        member_id=member_id,
        recharge_id=recharge_id,
        pay_fen=body.pay_fen,
        bonus_fen=body.bonus_fen,
        points=body.points,
        store_id=store_id,
    )
    return Plan(
        member_id=member_id,
        kind=RECHARGE,
        at=now,
        on=on,
        scope=scope,
        key=key,
        hash=request_hash.hex(),
        active=True,
        saw=(Saw(ledger.POINTS_DEBT, debt),) if body.points else (),
        guards=(
            *guards,
            Guard(RECHARGES, "add", 1, NOT_FIRST, cap=1 if body.first_only else NO_CAP),
            *day_limit(body.pay_fen, limits.recharge_day_max_fen, now=now, on=on),
        ),
        caps=stored_limit(limits),
        document=NewDocument(
            recharge_id,
            RECHARGE,
            RechargeStatus.PAID,
            msgspec.Raw(msgspec.json.encode(body)),
            store_id=store_id,
            progress=msgspec.to_builtins(progress),
            memo={"cashier": cashier} if cashier else None,
        ),
        legs=(*legs, *gift),
        events=(encode_event(paid),),
    )


def take_back(
    document: Document,
    lots: Sequence[Lot],
    claw: rules.Claw,
    *,
    reversal_id: str,
    terminal_id: str,
    cashier: str | None,
    reason: str,
    debt: int,
    scope: str,
    key: str,
    request_hash: bytes,
    now: datetime,
    on: date,
    limits: Settings,
) -> Plan:
    """Undo a till's recharge: all of its lots, which nobody has spent of, and its gift of points; as if never made."""
    body, progress = body_of(document), progress_of(document)
    fen = sum(lot.remaining for lot in lots)
    store_id = document.store_id or ""
    named = tuple((lot.lot_id, -lot.remaining) for lot in lots)
    legs = [
        Leg(ledger.STORED, ledger.FEN, -fen, lots=named),
        Leg(ledger.HOUSE_TILLS, ledger.FEN, body.pay_fen, ref=store_id),
    ]
    if fen > body.pay_fen:
        legs.append(Leg(ledger.HOUSE_BONUS, ledger.FEN, fen - body.pay_fen))
    if taken := sum(claw.lots.values()):
        from_lots = tuple((lot_id, -points) for lot_id, points in claw.lots.items())
        legs.append(Leg(ledger.POINTS, ledger.POINT, -taken, lots=from_lots))
        legs.append(Leg(ledger.HOUSE_POINTS_CLAWED, ledger.POINT, taken))
    if claw.debt:
        legs.append(Leg(ledger.POINTS_DEBT, ledger.POINT, claw.debt))
        legs.append(Leg(ledger.HOUSE_POINTS_RECEIVABLE, ledger.POINT, -claw.debt))
    counted_on = clock.local_date(document.at, limits.timezone)
    told = RechargeReversed(
        member_id=document.member_id,
        recharge_id=document.id,
        reversal_id=reversal_id,
        store_id=store_id,
        pay_fen=body.pay_fen,
    )
    return Plan(
        member_id=document.member_id,
        kind=REVERSED,
        at=now,
        on=on,
        scope=scope,
        key=key,
        hash=request_hash.hex(),
        saw=(Saw(ledger.POINTS_DEBT, debt),) if claw.debt else (),
        guards=(
            Guard(RECHARGES, "add", -1, NOT_FIRST, cap=NO_CAP),
            *day_limit(-body.pay_fen, limits.recharge_day_max_fen, now=now, on=counted_on),
        ),
        document=NewDocument(
            reversal_id,
            REVERSED,
            "posted",
            {
                "recharge_id": document.id,
                "terminal_id": terminal_id,
                "tender": body.tender,
                "pay_fen": body.pay_fen,
                "bonus_fen": fen - body.pay_fen,
                "points": taken + claw.debt,
            },
            store_id=store_id,
            memo={"reason": reason} | ({"cashier": cashier} if cashier else {}),
        ),
        update=DocumentUpdate(
            document.id,
            document.version,
            state=RechargeStatus.REFUNDED,
            progress=msgspec.to_builtins(
                msgspec.structs.replace(progress, refunded_fen=progress.refunded_fen + body.pay_fen)
            ),
        ),
        legs=tuple(legs),
        events=(encode_event(told),),
    )
