"""Redemptions that come to nothing: cancelled, not fetched in time, or taken back after they were handed over."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from backend.auth.types import MemberCaller, StaffCaller
from backend.coupons import service as coupons
from backend.coupons.errors import CouponRefused
from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.types import Document
from backend.members import queries as members
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter
from backend.stock import service as stock
from backend.stock.types import Piece

from .. import letters, locks, plans, queries, service
from ..errors import GiftSpent, RedemptionConflict
from ..types import OPEN, OUT, GiftKind, Redemption, RedemptionState, ReturnReason
from .handing import reached

log = logging.get(__name__)

WARNED_AT_ONCE = 500
LATER = timedelta(minutes=10)


async def cancel_own(redemption_id: str, caller: MemberCaller) -> Redemption:
    """The member does not want it any more, before it left; done again it changes nothing."""
    known = await queries.find_redemption(caller.member_id, redemption_id)
    if known is None:
        raise NotFound("there is no such redemption")
    return await ledger.with_fresh_books(lambda tx: _call_off(tx, known, RedemptionState.CANCELLED))


async def cancel_by_staff(redemption_id: str, note: str, caller: StaffCaller) -> Redemption:
    """A store calls it off before it left, and says why; done again it changes nothing."""
    known = await reached(redemption_id, caller)

    async def once(tx: Tx) -> Redemption:
        before = await locks.lock_redemption(tx, known.member_id, known.id)
        ended = await _call_off(tx, known, RedemptionState.CANCELLED, note=note)
        if before.state is not ended.state:
            await queries.changes.note(tx, known.id, caller.staff_id, "cancelled", {}, clock.now())
            await _write_to(tx, letters.CANCELLED, ended)
        return ended

    return await ledger.with_fresh_books(once)


async def expire(document: Document, now: datetime) -> None:
    """What was not fetched in time goes back to its shelf, and its price to its member."""
    known = await queries.find_redemption(document.member_id, document.id)
    if known is None or known.state is not RedemptionState.WAITING:
        return

    async def once(tx: Tx) -> None:
        locked = await locks.lock_redemption(tx, known.member_id, known.id)
        if locked.state is RedemptionState.WAITING:
            await _write_to(tx, letters.EXPIRED, await _call_off(tx, known, RedemptionState.EXPIRED))

    await ledger.with_fresh_books(once)
    log.info("gifts.expired", redemption_id=document.id)


async def put_off(document: Document, now: datetime) -> None:
    """Try again somewhat later what could not be ended; raises nothing where it has moved."""
    update = plans.put_off(document, now=now, until=now + LATER, on=clock.local_date(now, settings().timezone))
    try:
        await ledger.post(update)
    except Stale:
        return


async def call_off(tx: Tx, member_id: int, redemption_id: str) -> None:
    """Cancel an open redemption on the caller's transaction."""
    known = await queries.find_redemption(member_id, redemption_id)
    if known is not None:
        await _call_off(tx, known, RedemptionState.CANCELLED)


async def _call_off(tx: Tx, known: Redemption, state: RedemptionState, *, note: str = "") -> Redemption:
    """Bring an open redemption to its end: shelf, count and price go back. Raises where it has left."""
    made, now = await locks.lock_redemption(tx, known.member_id, known.id), clock.now()
    if made.state is state:
        return made
    if made.state not in OPEN:
        raise RedemptionConflict(extra={"status": str(made.state)})
    await service.put_back(tx, await locks.lock_gift(tx, made.gift_id), made.quantity)
    await stock.give_back_many(tx, [made.id], at=now)
    await _give_back(tx, made, state, now)
    return await service.end(tx, made, state, ended_at=now, note=note, counted=False)


async def take_back(
    redemption_id: str, reason: ReturnReason, note: str, restock: bool, caller: StaffCaller
) -> Redemption:
    """Undo what was handed over, sent or given: the price goes back whole, a coupon or stored value must be unused.

    ``restock``: the piece lies on its shelf again, and is redeemed again. Done again it changes nothing.
    """
    known = await reached(redemption_id, caller)
    return await ledger.with_fresh_books(lambda tx: _take_back(tx, known, reason, note, restock, caller))


async def _take_back(
    tx: Tx, known: Redemption, reason: ReturnReason, note: str, restock: bool, caller: StaffCaller
) -> Redemption:
    made, now = await locks.lock_redemption(tx, known.member_id, known.id), clock.now()
    if made.state is RedemptionState.RETURNED:
        return made
    if made.state not in OUT:
        raise RedemptionConflict(extra={"status": str(made.state)})
    goods = made.kind is GiftKind.GOODS
    gift = await locks.lock_gift(tx, made.gift_id)
    if not goods or restock:
        await service.put_back(tx, gift, made.quantity)
    if made.result is not None:
        await _take_coupons(tx, made, now)
    if restock and goods and made.place_id and made.sku:
        piece = Piece(made.place_id, made.sku, made.quantity)
        await stock.bring_back(tx, made.id, piece, at=now, staff_id=caller.staff_id)
    await _give_back(tx, made, RedemptionState.RETURNED, now)
    counted = goods and not restock
    said = {"reason": reason.value, "note": note, "cost_fen": made.cost_fen if counted else 0}
    ended = await service.end(tx, made, RedemptionState.RETURNED, counted=counted, ended_at=now, **said)
    detail = {"reason": reason.value, "restock": restock}
    await queries.changes.note(tx, made.id, caller.staff_id, "returned", detail, now)
    await _write_to(tx, letters.RETURNED, ended)
    log.info("gifts.returned", redemption_id=made.id, staff_id=caller.staff_id)
    return ended


async def _take_coupons(tx: Tx, made: Redemption, now: datetime) -> None:
    held = await coupons.list_of_source(tx, made.member_id, service.coupon_source(made.id))
    if len(held) < made.quantity:
        raise GiftSpent("a coupon went to another member")
    try:
        for coupon_id in held:
            await coupons.take_unused(tx, made.member_id, coupon_id, now=now)
    except CouponRefused as refused:
        raise GiftSpent("a coupon was used, given away, or is held by an order") from refused


async def _give_back(tx: Tx, made: Redemption, state: RedemptionState, now: datetime) -> None:
    document = await ledger_queries.find_document(made.member_id, made.id)
    if document is None:
        raise Stale
    kind = plans.GIVE_STORED if made.kind is GiftKind.STORED else plans.REDEEM
    reverses, moves = await ledger_queries.find_moves(made.member_id, made.id, kind)
    await _check_whole(made, document)
    on = clock.local_date(now, settings().timezone)
    owner_id = await members.current_id_in(tx, made.member_id)
    await ledger.hold_both(tx, made.member_id, owner_id)
    if await members.current_id_in(tx, made.member_id) != owner_id:
        raise Stale  # merged while the books were waited for; the other's come first where their id is lower
    await ledger.post_in(tx, plans.give_back(document, made, moves, state, reverses=reverses, now=now, on=on))
    if owner_id != made.member_id:
        await ledger.post_in(tx, plans.count_less(made, owner_id, now=now, on=on))


async def _check_whole(made: Redemption, document: Document) -> None:
    """Refuse to take back stored value of which some is gone; the door holds to it too."""
    if made.kind is GiftKind.STORED:
        lots = await ledger_queries.list_lots_of(made.member_id, document.id)
        if any(lot.remaining < lot.issued for lot in lots):
            raise GiftSpent("some of the stored value was spent, or has expired")


async def _write_to(tx: Tx, template: Builtin, made: Redemption) -> None:
    values = {"title": made.named, "points": str(made.points)}
    await messages.send(tx, [Letter(made.member_id, template.code, values, made.id, "#/gift-orders")])


# -- the clock


async def expire_waiting(now: datetime) -> int:
    """End what was not fetched in time; returns how many it were."""
    return await ledger.advance_due(plans.DOCUMENT, expire, put_off, now=now)


async def warn_waiting(now: datetime) -> int:
    """Write to everybody whose gift waits for the last day tomorrow, once each; returns to how many.

    Whom no run came to yesterday is told today.
    """
    today = clock.local_date(now, settings().timezone)
    return await _warn(today) + await _warn(clock.days_after(today, 1))


async def _warn(day: date) -> int:
    told, after = 0, (-1, "")
    while page := await queries.list_due_on(day, after=after, limit=WARNED_AT_ONCE):
        values = {"day": day.isoformat()}
        found = [
            Letter(one.member_id, letters.EXPIRING.code, values | {"title": one.named}, one.id, "#/gift-orders")
            for one in page
        ]
        async with db.transaction() as tx:
            told += await messages.send(tx, found)
        after = (page[-1].member_id, page[-1].id)
    return told
