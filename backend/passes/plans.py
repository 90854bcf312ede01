"""Plans of passes, and what passes do to a sale's: pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from backend.kernel.events import encode as encode_event
from backend.ledger import plans as ledger
from backend.ledger.plans import FEN, USES, DocumentUpdate, Guard, Issue, Leg, NewDocument, Plan, Saw, job_hash
from backend.ledger.types import Lot

from .errors import PassDayLimit, PassUsed, PassVoid
from .events import PassEnded, PassIssued, PassReopened
from .rules.shares import days_share, use_share
from .types import Held, PassKind, PassState, PassUse, SoldPass

PREFIX = "P"
USE_PREFIX = "U"
END_PREFIX = "E"

ISSUE = "pass_issue"
USE = "pass_use"
UNDO = "pass_undo"
END = "pass_end"
EXPIRY = "pass_expiry"
RECOGNITION = "pass_recognition"

USED, UNDONE = "used", "undone"

CLOSED = 10**12
"""What a pass's count of uses becomes when it is given back or made void: no use and no undo is possible any more."""

_DAY_KEPT = timedelta(days=3)


class UseBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value part of a use's document; ``uses_left`` of a counted pass after it."""

    pass_id: str
    product_id: str
    product_version: int
    terminal_id: str
    on: date
    qty: int
    value_fen: int
    service: str | None = None
    uses_left: int | None = None


class EndBody(msgspec.Struct, frozen=True):
    """The value part of the document that ends a pass: ``value_fen`` was not earned, ``payout_fen`` is to be paid."""

    pass_id: str
    product_id: str
    state: PassState
    uses: int
    value_fen: int
    payout_fen: int


# -- what decides whether a pass may be used: a count of its uses, kept by the door


def count_use(pass_id: str, qty: int = 1) -> Guard:
    """The pass is not closed; so many uses more, or with 0 none: it is only looked at."""
    return Guard(f"pass:{pass_id}", "add", qty, PassVoid.code, cap=CLOSED - 1)


def count_undo(pass_id: str, qty: int) -> Guard:
    """The pass is not closed; its use counts no more."""
    return Guard(f"pass:{pass_id}", "add", -qty, PassVoid.code, cap=CLOSED - 1 - qty)


def close(pass_id: str) -> Guard:
    """Nothing is done with the pass any more; it was not closed before."""
    return Guard(f"pass:{pass_id}", "above", CLOSED, PassVoid.code)


def close_unused(pass_id: str) -> Guard:
    """The same for a pass that nobody used, net of undone uses."""
    return Guard(f"pass:{pass_id}", "add", CLOSED, PassUsed.code, cap=CLOSED)


# -- beginning


def last_day(days: int | None, issued_on: date) -> date | None:
    """The last day of a pass that is good for so many days, that of its issue included."""
    return None if days is None else issued_on + timedelta(days=days - 1)


def issue_legs(sold: SoldPass, store_id: str, on: date) -> tuple[Leg, ...]:
    """The legs that make a pass on that day of the chain: its uses, and what was paid for it as not earned yet.

    Each is one lot for all of its life; its ``part`` names product and version, its source is the pass.
    """
    part = f"{sold.product_id}/{sold.version}"
    uses = Issue(part, sold.uses, expires_on=last_day(sold.days, on), source=sold.id)
    legs = (
        Leg(ledger.SERVICE, USES, sold.uses, ref=sold.id, issue=(uses,)),
        Leg(ledger.HOUSE_SERVICES_ISSUED, USES, -sold.uses, ref=sold.product_id),
    )
    if not sold.paid_fen:
        return legs
    value = Issue(part, sold.paid_fen, source=sold.id)
    return (
        *legs,
        Leg(ledger.SERVICE_VALUE, FEN, sold.paid_fen, ref=sold.id, issue=(value,)),
        Leg(ledger.HOUSE_SALES, FEN, -sold.paid_fen, ref=store_id),
    )


def issued_event(
    member_id: int, sold: SoldPass, source: str, *, store_id: str | None, at: datetime, on: date
) -> dict[str, Any]:
    """The fact for the outbox that goes with ``issue_legs``."""
    return encode_event(
        PassIssued(
            member_id=member_id,
            pass_id=sold.id,
            product_id=sold.product_id,
            version=sold.version,
            kind=sold.kind,
            source=source,
            uses=sold.uses,
            paid_fen=sold.paid_fen,
            at=at,
            valid_from=on,
            expires_on=last_day(sold.days, on),
            store_id=store_id,
        )
    )


def sale_legs(sold: Iterable[SoldPass], store_id: str, on: date) -> tuple[Leg, ...]:
    """What the passes of a sale add to its legs."""
    return tuple(leg for one in sold for leg in issue_legs(one, store_id, on))


def sale_events(
    member_id: int, sale_id: str, sold: Iterable[SoldPass], *, store_id: str, at: datetime, on: date
) -> tuple[dict[str, Any], ...]:
    """What the passes of a sale add to its events."""
    return tuple(issued_event(member_id, one, f"sale:{sale_id}", store_id=store_id, at=at, on=on) for one in sold)


def give(member_id: int, given: SoldPass, source: str, *, now: datetime, on: date) -> Plan:
    """Give a member a pass that nobody paid for; without a key yet."""
    return Plan(
        member_id=member_id,
        kind=ISSUE,
        at=now,
        on=on,
        scope="",
        key="",
        hash="",
        active=True,
        about=given.id,
        legs=issue_legs(given, "", on),
        events=(issued_event(member_id, given, source, store_id=None, at=now, on=on),),
    )


# -- using


def use(
    held: Held,
    use_id: str,
    *,
    qty: int,
    service: str | None,
    store_id: str,
    terminal_id: str,
    now: datetime,
    on: date,
) -> Plan:
    """Use a pass so often, by its state as it was seen; without a key yet.

    A counted one gives uses and the share of its price that they earn; of a timed one the door counts the day.
    """
    counted = held.terms.kind is PassKind.COUNTED
    share = use_share(held.paid_fen, held.uses, held.uses_left, held.value_fen, qty) if counted else 0
    guards = [count_use(held.id, qty)]
    if not counted:
        guards.append(_day_guard(held.id, on, qty, cap=held.terms.per_day, now=now))
    left = held.uses_left - qty if counted else None
    body = UseBody(held.id, held.product_id, held.version, terminal_id, on, qty, share, service, left)
    used_up = counted and qty == held.uses_left
    ended = PassEnded(member_id=held.member_id, pass_id=held.id, state=PassState.USED_UP, at=now)
    return Plan(
        member_id=held.member_id,
        kind=USE,
        at=now,
        on=on,
        scope="",
        key="",
        hash="",
        active=True,
        saw=_saw(held),
        guards=tuple(guards),
        document=NewDocument(use_id, USE, USED, msgspec.to_builtins(body), store_id=store_id),
        legs=_use_legs(held, qty, share, store_id) if counted else (),
        events=(encode_event(ended),) if used_up else (),
    )


def _use_legs(held: Held, qty: int, share_fen: int, store_id: str) -> tuple[Leg, ...]:
    uses = (
        Leg(ledger.SERVICE, USES, -qty, ref=held.id),
        Leg(ledger.HOUSE_SERVICES_USED, USES, qty, ref=held.product_id),
    )
    return uses + _take_value(held.id, share_fen, ledger.HOUSE_SERVICE_INCOME, store_id)


def _take_value(
    pass_id: str, fen: int, house: str, ref: str = "", lots: tuple[tuple[int, int], ...] = ()
) -> tuple[Leg, ...]:
    if not fen:
        return ()
    return Leg(ledger.SERVICE_VALUE, FEN, -fen, ref=pass_id, lots=lots), Leg(house, FEN, fen, ref=ref)


def _day_guard(pass_id: str, on: date, qty: int, *, cap: int, now: datetime) -> Guard:
    return Guard(f"pass:{pass_id}:{on}", "add", qty, PassDayLimit.code, cap=cap, expires_at=now + _DAY_KEPT)


def _saw(held: Held) -> tuple[Saw, ...]:
    """What a plan was made by: uses and value as they were read."""
    return Saw(ledger.SERVICE, held.uses_left, held.id), Saw(ledger.SERVICE_VALUE, held.value_fen, held.id)


def undo(
    used: PassUse,
    held: Held,
    transfer: int | None,
    moves: Iterable[tuple[Lot, int]],
    *,
    now: datetime,
    on: date,
) -> Plan:
    """Take a use back exactly: to the lots that it took from, and its day does not count it; without a key yet."""
    counted = held.terms.kind is PassKind.COUNTED
    back = {lot.kind: (lot.lot_id, -amount) for lot, amount in moves}
    legs: list[Leg] = []
    if ledger.SERVICE in back:
        legs.append(Leg(ledger.SERVICE, USES, used.qty, ref=used.pass_id, lots=(back[ledger.SERVICE],)))
        legs.append(Leg(ledger.HOUSE_SERVICES_USED, USES, -used.qty, ref=held.product_id))
    if used.value_fen:
        value = (back[ledger.SERVICE_VALUE],)
        legs.append(Leg(ledger.SERVICE_VALUE, FEN, used.value_fen, ref=used.pass_id, lots=value))
        legs.append(Leg(ledger.HOUSE_SERVICE_INCOME, FEN, -used.value_fen, ref=used.store_id))
    guards = [count_undo(used.pass_id, used.qty)]
    if not counted:
        guards.append(_day_guard(used.pass_id, used.on, -used.qty, cap=CLOSED, now=now))
    return Plan(
        member_id=used.member_id,
        kind=UNDO,
        at=now,
        on=on,
        scope="",
        key="",
        hash="",
        reverses=transfer,
        saw=_saw(held) if counted else (),
        guards=tuple(guards),
        update=DocumentUpdate(
            used.id,
            used.version,
            state=UNDONE,
            progress={"uses_left": held.uses_left + used.qty} if counted else None,
        ),
        legs=tuple(legs),
        events=(encode_event(PassReopened(member_id=used.member_id, pass_id=used.pass_id)),),
    )


# -- earning by days, and ending


def recognise(held: Held, fen: int, through: date, *, now: datetime, on: date) -> Plan:
    """Earn what the days of a pass up to ``through`` are worth; ``fen`` is above nothing."""
    return Plan(
        member_id=held.member_id,
        kind=RECOGNITION,
        at=now,
        on=on,
        scope=RECOGNITION,
        key=f"{held.id}:{through}",
        hash=job_hash(held.id, through),
        about=held.id,
        saw=_saw(held),
        legs=_take_value(held.id, fen, ledger.HOUSE_SERVICE_INCOME, held.store_id or ""),
    )


def elapsed_share(held: Held, through: date) -> int:
    """What the days of a timed pass or a discount card up to ``through`` have still to earn."""
    assert held.terms.days is not None
    elapsed = (through - held.valid_from).days + 1
    return days_share(held.paid_fen, held.terms.days, elapsed, held.value_fen)


def expire(held: Held, *, now: datetime, on: date) -> Plan:
    """End a pass whose last day is over: the rest of a counted one was paid for nothing, that of days is earned."""
    uses = ((held.service_lot, -held.uses_left),)
    value = ((held.value_lot, -held.value_fen),) if held.value_lot is not None else ()
    counted = held.terms.kind is PassKind.COUNTED
    house, ref = (ledger.HOUSE_BREAKAGE, "") if counted else (ledger.HOUSE_SERVICE_INCOME, held.store_id or "")
    ended = PassEnded(member_id=held.member_id, pass_id=held.id, state=PassState.EXPIRED, at=now)
    return Plan(
        member_id=held.member_id,
        kind=EXPIRY,
        at=now,
        on=on,
        scope=EXPIRY,
        key=f"{held.id}:{on}",
        hash=job_hash(EXPIRY, held.id, on),
        about=held.id,
        saw=_saw(held),
        legs=(
            Leg(ledger.SERVICE, USES, -held.uses_left, ref=held.id, lots=uses),
            Leg(ledger.HOUSE_SERVICES_EXPIRED, USES, held.uses_left, ref=held.product_id),
            *_take_value(held.id, held.value_fen, house, ref, value),
        ),
        events=(encode_event(ended),),
    )


def end(held: Held, end_id: str, state: PassState, *, reason: str, now: datetime, on: date) -> Plan:
    """Close a pass before its time: refunded, what is not earned goes back to sales and is to be paid; without a key.

    Void, it is paid to nobody.
    """
    rest = held.value_fen
    refunded = state is PassState.REFUNDED
    house, ref = (ledger.HOUSE_SALES, held.store_id or "") if refunded else (ledger.HOUSE_BREAKAGE, "")
    body = EndBody(held.id, held.product_id, state, held.uses_left, rest, rest if refunded else 0)
    ended = PassEnded(member_id=held.member_id, pass_id=held.id, state=state, at=now)
    return Plan(
        member_id=held.member_id,
        kind=END,
        at=now,
        on=on,
        scope="",
        key="",
        hash="",
        saw=_saw(held),
        guards=(close(held.id),),
        document=NewDocument(
            end_id, END, "posted", msgspec.to_builtins(body), store_id=held.store_id, memo={"reason": reason}
        ),
        legs=(
            Leg(ledger.SERVICE, USES, -held.uses_left, ref=held.id),
            Leg(ledger.HOUSE_SERVICES_VOIDED, USES, held.uses_left, ref=held.product_id),
            *_take_value(held.id, rest, house, ref),
        ),
        events=(encode_event(ended),),
    )


def take_back_legs(held: Held, store_id: str) -> tuple[Leg, ...]:
    """The legs that take an unused pass back with the line that sold it: all of its price is sales again.

    What its days have earned meanwhile is not earned any more. The lots are named: one that moved is ``stale``.
    """
    legs = [
        Leg(ledger.SERVICE, USES, -held.uses_left, ref=held.id, lots=((held.service_lot, -held.uses_left),)),
        Leg(ledger.HOUSE_SERVICES_VOIDED, USES, held.uses_left, ref=held.product_id),
    ]
    if held.value_fen and held.value_lot is not None:
        lots = ((held.value_lot, -held.value_fen),)
        legs.append(Leg(ledger.SERVICE_VALUE, FEN, -held.value_fen, ref=held.id, lots=lots))
    if earned := held.paid_fen - held.value_fen:
        legs.append(Leg(ledger.HOUSE_SERVICE_INCOME, FEN, -earned, ref=store_id))
    if held.paid_fen:
        legs.append(Leg(ledger.HOUSE_SALES, FEN, held.paid_fen, ref=store_id))
    return tuple(legs)


def taken_back_event(held: Held, at: datetime) -> dict[str, Any]:
    """The fact for the outbox that goes with ``take_back_legs``."""
    return encode_event(PassEnded(member_id=held.member_id, pass_id=held.id, state=PassState.REFUNDED, at=at))
