"""Plans of recharges that are given back: freeze, deduct, thaw. Pure; made while the member's books are held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from backend.kernel.events import Event
from backend.kernel.events import encode as encode_event
from backend.ledger import plans as ledger
from backend.ledger.plans import DocumentUpdate, Issue, Leg, Plan, Saw, job_hash
from backend.ledger.types import Document, Lot

from .plans import body_of, progress_of
from .rules import Claw
from .types import RechargeRefund, RechargeStatus

FROZEN = "recharge_refund_frozen"
THAWED = "recharge_refund_thawed"
REFUNDED = "recharge_refunded"
FORFEITED = "bonus_forfeited"


def freeze(
    refund: RechargeRefund, lots: Mapping[str, Lot], *, now: datetime, on: date, events: Sequence[Event]
) -> Plan:
    """Hold what the refund takes of its recharge's lots: ``lots`` by part, principal and what is left of the bonus."""
    parts = {"principal": refund.amount_fen + refund.withheld_fen, "bonus": refund.bonus_fen}
    moved = {part: fen for part, fen in parts.items() if fen}
    issue = tuple(Issue(part, fen, source=refund.id) for part, fen in moved.items())
    return _plan(
        refund,
        FROZEN,
        (
            Leg(
                ledger.STORED,
                ledger.FEN,
                -refund.held_fen,
                lots=tuple((lots[part].lot_id, -fen) for part, fen in moved.items()),
            ),
            Leg(ledger.STORED_HELD, ledger.FEN, refund.held_fen, issue=issue),
        ),
        now=now,
        on=on,
        events=events,
    )


def thaw(
    refund: RechargeRefund,
    held: Sequence[Lot],
    lots: Mapping[str, Lot],
    *,
    now: datetime,
    on: date,
    events: Sequence[Event],
) -> Plan:
    """Give back to the recharge's lots what was held of them, whatever their last day."""
    back = tuple((lots[lot.part].lot_id, lot.remaining) for lot in held)
    return _plan(
        refund,
        THAWED,
        (_release(refund, held), Leg(ledger.STORED, ledger.FEN, refund.held_fen, lots=back)),
        now=now,
        on=on,
        events=events,
    )


def deduct(
    refund: RechargeRefund,
    recharge: Document,
    held: Sequence[Lot],
    claw: Claw,
    *,
    debt: int,
    now: datetime,
    on: date,
    events: Sequence[Event],
) -> Plan:
    """End a refund that the payer got: what was held leaves the books, and the gift of points goes with it.

    What was withheld pays the bonus that was spent. The recharge is ``refunded`` when nothing of its principal is left
    that was not given back or withheld. ``debt``: points owed so far.
    """
    legs = [_release(refund, held), Leg(ledger.HOUSE_PSP, ledger.FEN, refund.amount_fen)]
    if refund.bonus_fen + refund.withheld_fen:
        legs.append(Leg(ledger.HOUSE_BONUS, ledger.FEN, refund.bonus_fen + refund.withheld_fen))
    if taken := sum(claw.lots.values()):
        named = tuple((lot_id, -points) for lot_id, points in claw.lots.items())
        legs.append(Leg(ledger.POINTS, ledger.POINT, -taken, lots=named))
        legs.append(Leg(ledger.HOUSE_POINTS_CLAWED, ledger.POINT, taken))
    if claw.debt:
        legs.append(Leg(ledger.POINTS_DEBT, ledger.POINT, claw.debt))
        legs.append(Leg(ledger.HOUSE_POINTS_RECEIVABLE, ledger.POINT, -claw.debt))
    before = progress_of(recharge)
    progress = msgspec.structs.replace(
        before,
        refunded_fen=before.refunded_fen + refund.amount_fen,
        withheld_fen=before.withheld_fen + refund.withheld_fen,
    )
    whole = progress.refunded_fen + progress.withheld_fen == body_of(recharge).pay_fen
    update = DocumentUpdate(
        recharge.id,
        recharge.version,
        state=RechargeStatus.REFUNDED if whole else None,
        progress=msgspec.to_builtins(progress),
    )
    plan = _plan(refund, REFUNDED, tuple(legs), now=now, on=on, events=events)
    saw = (Saw(ledger.POINTS_DEBT, debt),) if claw.debt else ()
    return msgspec.structs.replace(plan, about=None, update=update, saw=saw)


def forfeit(member_id: int, lots: Sequence[Lot], *, by: str, now: datetime, on: date) -> Plan:
    """Take bonus that a sale's refund brought back after its recharge was given back; ``by`` is that sale's refund."""
    fen = sum(lot.remaining for lot in lots)
    named = tuple((lot.lot_id, -lot.remaining) for lot in lots)
    return Plan(
        member_id=member_id,
        kind=FORFEITED,
        at=now,
        on=on,
        scope=FORFEITED,
        key=by,
        hash=job_hash(FORFEITED, by),
        about=by,
        legs=(Leg(ledger.STORED, ledger.FEN, -fen, lots=named), Leg(ledger.HOUSE_BONUS, ledger.FEN, fen)),
    )


def _release(refund: RechargeRefund, held: Sequence[Lot]) -> Leg:
    named = tuple((lot.lot_id, -lot.remaining) for lot in held)
    return Leg(ledger.STORED_HELD, ledger.FEN, -refund.held_fen, lots=named)


def _plan(
    refund: RechargeRefund, kind: str, legs: tuple[Leg, ...], *, now: datetime, on: date, events: Sequence[Event]
) -> Plan:
    return Plan(
        member_id=refund.member_id,
        kind=kind,
        at=now,
        on=on,
        scope=kind,
        key=refund.id,
        hash=job_hash(kind, refund.id),
        about=refund.recharge_id,
        legs=legs,
        events=tuple(encode_event(event) for event in events),
    )
