"""Gifts leave: handed over against their code, once, at a till or by staff, or sent with a parcel's number."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from backend.auth.types import StaffCaller, TerminalCaller
from backend.kernel import clock, events, limits, live, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, RateLimited
from backend.kernel.http import Idempotency
from backend.ledger import service as ledger
from backend.messages import service as messages
from backend.messages.types import Letter
from backend.stock import service as stock
from backend.stock.types import Piece

from .. import codes, locks, queries, service
from ..errors import GiftCodeInvalid, GiftHandedOver, RedemptionConflict
from ..events import GiftPickedUp
from ..letters import SENT
from ..types import Redemption, RedemptionState

log = logging.get(__name__)

MISSES, WINDOW_S = 10, 600
"""So many wrong codes in ten minutes block a till, or somebody of the staff."""


async def look_up(text: str, *, store_id: str, who: str) -> Redemption:
    """What waits in a store under a code, also what was handed over under it; nothing is moved.

    Raises ``GiftCodeInvalid``, or ``RateLimited`` for whoever (``who``) has missed too often.
    """
    await _check_blocked(who)
    code = codes.read(text)
    if code is None:
        raise GiftCodeInvalid
    found = await queries.find_by_code(store_id, codes.digest_of(code))
    if found is None:
        await _count_miss(who)
        raise GiftCodeInvalid
    return found


async def hand_over_at_till(
    redemption_id: str, text: str, terminal: TerminalCaller, idem: Idempotency
) -> tuple[Redemption, bool]:
    """Give a gift out against its code, once; True where this key did so before. ``GiftHandedOver`` where another."""
    known = await _of_store(redemption_id, terminal.store_id)
    await _check_code(known, text, f"terminal:{terminal.terminal_id}")

    async def once(tx: Tx) -> tuple[Redemption, bool]:
        made = await locks.lock_redemption(tx, known.member_id, known.id)
        if (made.terminal_id, made.key) == (terminal.terminal_id, idem.key):
            return made, True
        return await _give_out(tx, made, staff_id=None, terminal_id=terminal.terminal_id, key=idem.key), False

    made, replayed = await ledger.with_fresh_books(once)
    log.info("gifts.handed_over", redemption_id=known.id, terminal_id=terminal.terminal_id)
    _tell(known)
    return made, replayed


async def hand_over_by_staff(redemption_id: str, text: str, caller: StaffCaller) -> None:
    """The same in the console; done again by the same person it changes nothing."""
    known = await reached(redemption_id, caller)
    await _check_code(known, text, f"staff:{caller.staff_id}")

    async def once(tx: Tx) -> None:
        made = await locks.lock_redemption(tx, known.member_id, known.id)
        if made.state is RedemptionState.HANDED_OVER and made.staff_id == caller.staff_id:
            return
        await _give_out(tx, made, staff_id=caller.staff_id, terminal_id=None, key=None)
        await queries.changes.note(tx, made.id, caller.staff_id, "handed_over", {}, clock.now())

    await ledger.with_fresh_books(once)
    log.info("gifts.handed_over", redemption_id=known.id, staff_id=caller.staff_id)
    _tell(known)


async def _give_out(
    tx: Tx, made: Redemption, *, staff_id: int | None, terminal_id: str | None, key: str | None
) -> Redemption:
    now = clock.now()
    if made.state is RedemptionState.HANDED_OVER:
        raise GiftHandedOver(extra={"at": made.out_at.isoformat() if made.out_at else ""})
    if made.state is not RedemptionState.WAITING:
        raise RedemptionConflict(extra={"status": str(made.state)})
    cost_fen = await _leave(tx, made, now, staff_id)
    progress = None
    if terminal_id is not None:
        progress = {"terminal_id": terminal_id, "handed_at": now.isoformat()}
        event = GiftPickedUp(member_id=made.member_id, redemption_id=made.id, store_id=made.store_id or "")
        await events.publish(tx, event)
    return await service.change(
        tx,
        made,
        RedemptionState.HANDED_OVER,
        now,
        progress,
        out_at=now,
        staff_id=staff_id,
        terminal_id=terminal_id,
        key=key,
        cost_fen=cost_fen,
    )


async def send(redemption_id: str, carrier: str, tracking_no: str, caller: StaffCaller) -> None:
    """Note that a gift left with a parcel; the same number again changes nothing, another puts it right."""
    known = await reached(redemption_id, caller)

    async def once(tx: Tx) -> None:
        made, now = await locks.lock_redemption(tx, known.member_id, known.id), clock.now()
        if made.state is RedemptionState.SENT:
            if (made.carrier, made.tracking_no) != (carrier, tracking_no):
                await service.set_columns(tx, made, made.state, carrier=carrier, tracking_no=tracking_no)
                detail = {"carrier": carrier, "tracking_no": tracking_no}
                await queries.changes.note(tx, made.id, caller.staff_id, "sent_again", detail, now)
            return
        if made.state is not RedemptionState.TO_SEND:
            raise RedemptionConflict(extra={"status": str(made.state)})
        cost_fen = await _leave(tx, made, now, caller.staff_id)
        sent: dict[str, Any] = {"carrier": carrier, "tracking_no": tracking_no, "staff_id": caller.staff_id}
        await service.change(tx, made, RedemptionState.SENT, now, out_at=now, cost_fen=cost_fen, **sent)
        await queries.changes.note(tx, made.id, caller.staff_id, "sent", {"carrier": carrier}, now)
        values = {"title": made.named, "carrier": carrier, "number": tracking_no}
        await messages.send(tx, [Letter(made.member_id, SENT.code, values, made.id, "#/gift-orders")])

    await ledger.with_fresh_books(once)
    log.info("gifts.sent", redemption_id=known.id, staff_id=caller.staff_id)


async def _leave(tx: Tx, made: Redemption, now: datetime, staff_id: int | None) -> int:
    assert made.place_id is not None
    assert made.sku is not None
    return await stock.hand_out(tx, made.id, Piece(made.place_id, made.sku, made.quantity), at=now, staff_id=staff_id)


async def reached(redemption_id: str, caller: StaffCaller) -> Redemption:
    """A redemption that this person may see; ``NotFound`` for none and for another store's.

    Goods belong to the store whose staff keep the place they lie at; the rest is head office's.
    """
    found = await find(redemption_id)
    if found is None or not caller.reaches(await service.keeper_of(found)):
        raise NotFound("there is no such redemption")
    return found


async def find(redemption_id: str) -> Redemption | None:
    """A redemption by its id alone, which names its member."""
    member_id = queries.owner_of(redemption_id)
    return await queries.find_redemption(member_id, redemption_id) if member_id else None


async def _of_store(redemption_id: str, store_id: str) -> Redemption:
    found = await find(redemption_id)
    if found is None or found.store_id != store_id:
        raise NotFound("there is no such redemption")
    return found


async def _check_code(known: Redemption, text: str, who: str) -> None:
    await _check_blocked(who)
    code = codes.read(text)
    if code is None or known.store_id is None:
        raise GiftCodeInvalid
    if not hmac.compare_digest(code, codes.code_of(known.id)):
        await _count_miss(who)
        raise GiftCodeInvalid


def _tell(made: Redemption) -> None:
    live.push(made.member_id, "gift_handed_over", {"id": made.id, "title": made.title})


# -- who guesses

_blocked_until: dict[str, float] = {}


async def _check_blocked(who: str) -> None:
    left = _blocked_until.get(who, 0.0) - clock.now().timestamp()
    if 0 < left <= 2 * WINDOW_S:  # by a clock that was set back meanwhile it would be for longer
        raise RateLimited("too many wrong codes", retry_after_s=int(left) + 1)
    _blocked_until.pop(who, None)


async def _count_miss(who: str) -> None:
    try:
        await limits.hit(f"gift-miss:{who}", MISSES, WINDOW_S)
    except RateLimited as error:
        log.warning("gifts.guessing", who=who)
        _blocked_until[who] = clock.now().timestamp() + (error.retry_after_s or WINDOW_S)
        raise
