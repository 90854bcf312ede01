"""After-sales requests: asked for by the member or opened by staff, decided, followed up to money or other goods."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from backend.auth.types import MemberCaller, StaffCaller
from backend.kernel import clock, db, events, ids, live, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.http import Idempotency
from backend.ledger.errors import IdempotencyConflict
from backend.ledger.plans import own_scope
from backend.mall import service as mall
from backend.members import queries as members
from backend.sales import plans as sales
from backend.sales.rules import refunds
from backend.stock import service as stock
from backend.stock.types import Piece, Wish

from .. import locks
from ..errors import AfterSaleConflict, AfterSaleUnavailable, ShipmentInvalid
from ..events import AfterSaleMoved
from ..queries import afterwards, requests
from ..rules import after_sales as rules
from ..rules import fulfilment
from ..schemas.after import pieces_of
from ..schemas.requests import AfterSaleIn, DecisionIn
from ..types import Order, OrderState
from ..types.after import AfterSale, AfterSaleKind, AfterSaleState, AfterSaleStep, Parcel
from . import refunding, shipping
from .show import books_of, owner_of, read_order

log = logging.get(__name__)

PREFIX = "W"
"""Of a request's id."""

MOST_REQUESTS = 50
"""Of an order, withdrawn ones counted in: every step reads them all."""

MOST_STEPS = 50
"""That a request is told about: a member may name a better number of the parcel many times."""


def member_of(after_sale_id: str) -> int | None:
    """The member whose request has that id, or None for what is none."""
    return ids.member_of(after_sale_id, PREFIX)


def _id(member_id: int, scope: str, idem: Idempotency) -> str:
    """The id of the request under that key: the same for the same, so that a retry finds what it made."""
    digest = hashlib.sha256(f"{scope}\n{member_id}\n{idem.key}".encode()).digest()
    return ids.document_id(PREFIX, member_id, int.from_bytes(digest[:9], "big") >> 7)


# -- asking


async def ask(order_id: str, body: AfterSaleIn, caller: MemberCaller, idem: Idempotency) -> tuple[str, bool]:
    """Ask for money or other goods for pieces of an order, once per key; the request's id, True for a retry."""
    books = await books_of(caller.member_id, owner_of(order_id))
    return await _open(order_id, books, body, own_scope(books), idem, staff=None)


async def open_for(order_id: str, body: AfterSaleIn, caller: StaffCaller, idem: Idempotency) -> tuple[str, bool]:
    """The same by staff, for a member who came to the shop or called; decided like any other."""
    member_id = owner_of(order_id)
    if member_id is None:
        raise NotFound("there is no such order")
    return await _open(order_id, member_id, body, f"staff/{caller.staff_id}", idem, staff=caller)


async def _open(
    order_id: str, member_id: int, body: AfterSaleIn, scope: str, idem: Idempotency, *, staff: StaffCaller | None
) -> tuple[str, bool]:
    pieces = pieces_of(body.lines)
    after_sale_id = _id(member_id, scope, idem)
    known = await requests.find_after_sale(member_id, after_sale_id)
    if known is not None:
        _check_same(known, order_id, body, pieces)
        return after_sale_id, True
    await _check_amount(member_id, order_id, body.amount_fen, pieces)
    now = clock.now()
    async with db.transaction() as tx:
        if staff is None:
            order = await locks.lock_order(tx, member_id, order_id)
        else:
            order = await shipping.lock_staffs_order(tx, order_id, staff)
        if (again := await _again(tx, member_id, order_id, after_sale_id)) is not None:
            _check_same(again, order_id, body, pieces)
            return after_sale_id, True
        dispatched = await _judge(tx, order, body.kind, pieces)
        made = AfterSale(
            member_id=member_id,
            id=after_sale_id,
            order_id=order_id,
            store_id=order.store_id,
            kind=body.kind,
            state=AfterSaleState.REQUESTED,
            fault=body.fault,
            reason=body.reason,
            pieces=pieces,
            dispatched=dispatched,
            asked_fen=body.amount_fen,
            agreed_fen=None,
            carrier=None,
            tracking_no=None,
            restock=True,
            refund_id=None,
            asked_at=now,
            updated_at=now,
            pictures=body.pictures,
        )
        await _write(tx, made)
        await use_pictures(tx, member_id, body.pictures, made.id, now)
        await requests.note_step(tx, made, "ask", staff_id=staff.staff_id if staff else None, note=body.reason, at=now)
        await _publish(tx, made)
    log.info("orders.after_sale_asked", after_sale_id=after_sale_id, kind=str(body.kind))
    return after_sale_id, False


async def use_pictures(tx: Tx, member_id: int, pictures: list[str], used_for: str, at: datetime) -> None:
    """Take what the member uploaded for it; uploads of who was merged are the other's."""
    if pictures:
        uploader_id = await members.current_id_in(tx, member_id)
        await mall.use_uploads(tx, uploader_id, pictures, used_for=used_for, at=at)


async def _again(tx: Tx, member_id: int, order_id: str, after_sale_id: str) -> AfterSale | None:
    found = await requests.after_sales_in(tx, member_id, order_id)
    return next((one for one in found if one.id == after_sale_id), None)


def _check_same(known: AfterSale, order_id: str, body: AfterSaleIn, pieces: Mapping[int, int]) -> None:
    wanted = order_id, body.kind, body.fault, body.reason, pieces, body.amount_fen, body.pictures
    was = known.order_id, known.kind, known.fault, known.reason, known.pieces, known.asked_fen, known.pictures
    if wanted != was:
        raise IdempotencyConflict


async def _check_amount(member_id: int, order_id: str, amount_fen: int | None, pieces: Mapping[int, int]) -> None:
    """Refuse an amount above what is left of these lines; a hint, the books judge again."""
    if amount_fen is None:
        return
    _, document = await read_order(member_id, order_id)
    bought = sales.sale_body(document)
    progress = refunds.start(bought, sales.sale_progress(document))
    refunds.by_agreement(bought, progress, pieces, amount_fen)


async def _judge(tx: Tx, order: Order, kind: AfterSaleKind, pieces: Mapping[int, int]) -> bool:
    """Refuse what cannot be asked of a locked order; whether the goods had left."""
    bought = {line_no: qty for line_no, (_, qty) in (await afterwards.bought_in(tx, order.member_id, order.id)).items()}
    known = await requests.after_sales_in(tx, order.member_id, order.id)
    if len(known) >= MOST_REQUESTS:
        raise AfterSaleUnavailable(f"an order has at most {MOST_REQUESTS} requests")
    rules.check_kind(kind, order.state)
    rules.check_pieces(pieces, rules.left(bought, [one.pieces for one in known if one.state in rules.HOLDING]))
    parcels = fulfilment.own(await afterwards.parcels_in(tx, order.member_id, order.id))
    if order.state is OrderState.SHIPPED:
        rest = fulfilment.to_send(bought, rules.given_back(known), parcels)
        return not (kind is AfterSaleKind.REFUND and all(qty <= rest.get(no, 0) for no, qty in pieces.items()))
    return order.state is OrderState.RECEIVED


async def _write(tx: Tx, made: AfterSale) -> None:
    await db.raw(tx).execute(
        "INSERT INTO orders_after_sale (member_id, id, order_id, store_id, kind, state, fault, reason, pieces,"
        " dispatched, asked_fen, asked_at, updated_at, pictures)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13)",
        made.member_id,
        made.id,
        made.order_id,
        made.store_id,
        made.kind,
        made.state,
        made.fault,
        made.reason,
        msgspec.json.encode(made.pieces).decode(),
        made.dispatched,
        made.asked_fen,
        made.asked_at,
        msgspec.json.encode(made.pictures).decode(),
    )


async def _publish(tx: Tx, moved: AfterSale) -> None:
    await events.publish(
        tx,
        AfterSaleMoved(
            member_id=moved.member_id,
            after_sale_id=moved.id,
            order_id=moved.order_id,
            store_id=moved.store_id,
            state=str(moved.state),
        ),
    )


def _tell(moved: AfterSale) -> None:
    live.push(moved.member_id, "after_sale", {"id": moved.id, "order_id": moved.order_id, "status": str(moved.state)})


# -- the member's steps


async def cancel(after_sale_id: str, member_id: int) -> None:
    """Withdraw a request whose goods are not on their way yet; repeated, it changes nothing."""
    await _members_step(after_sale_id, member_id, AfterSaleStep.CANCEL, AfterSaleState.CANCELLED, {}, "")


async def send_back(after_sale_id: str, carrier: str, tracking_no: str, member_id: int) -> None:
    """Note how the goods come back; a better number replaces it until they are there."""
    changed: dict[str, object] = {"carrier": carrier, "tracking_no": tracking_no}
    await _members_step(after_sale_id, member_id, AfterSaleStep.SEND, None, changed, f"{carrier} {tracking_no}")


async def _members_step(
    after_sale_id: str,
    member_id: int,
    step: AfterSaleStep,
    done: AfterSaleState | None,
    changed: dict[str, object],
    note: str,
) -> None:
    if member_of(after_sale_id) != member_id:
        raise NotFound("there is no such request")
    now = clock.now()
    async with db.transaction() as tx:
        found = await _lock(tx, after_sale_id, None)
        if done is not None and found.state is done:
            return
        state = rules.move(found.kind, found.state, step)
        if step is AfterSaleStep.SEND and await requests.count_steps(tx, found) >= MOST_STEPS:
            raise AfterSaleConflict(extra={"state": str(found.state)})
        moved = await requests.change_after_sale(tx, found, state, at=now, **changed)
        await requests.note_step(tx, moved, step, staff_id=None, note=note, at=now)
        await _publish(tx, moved)


async def _lock(tx: Tx, after_sale_id: str, caller: StaffCaller | None) -> AfterSale:
    """A request and, before it, its order, both locked; ``NotFound`` for none and for another store's."""
    member_id = member_of(after_sale_id)
    found = await requests.find_after_sale(member_id, after_sale_id) if member_id else None
    if member_id is None or found is None or (caller is not None and not caller.reaches(found.store_id)):
        raise NotFound("there is no such request")
    await locks.lock_order(tx, member_id, found.order_id)
    return await requests.lock_after_sale(tx, member_id, after_sale_id)


# -- staff's steps


async def get_staffs(after_sale_id: str, caller: StaffCaller) -> AfterSale:
    """A request that this person may see; ``NotFound`` for none and for another store's."""
    member_id = member_of(after_sale_id)
    found = await requests.find_after_sale(member_id, after_sale_id) if member_id else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such request")
    return found


async def approve(after_sale_id: str, said: DecisionIn, caller: StaffCaller) -> None:
    """Agree to a request, perhaps to a smaller amount. What asks for money alone is paid back at once.

    Whose fault it is stays undecided where staff do not say. Repeated, it changes nothing. ``RefundExceedsPaid`` for an
    amount that the pieces never cost: the member is told of it, and goods would be on their way before it is refused.
    """
    found = await get_staffs(after_sale_id, caller)
    if found.kind is AfterSaleKind.REFUND:
        await refunding.give_back(found, said, caller)
        return
    changed: dict[str, object] = {"decided_fault": said.fault}
    if found.kind is AfterSaleKind.RETURN:
        changed["agreed_fen"] = said.amount_fen
        if found.state is AfterSaleState.REQUESTED:
            await _check_amount(found.member_id, found.order_id, said.amount_fen, found.pieces)
    await _staffs_step(after_sale_id, AfterSaleStep.APPROVE, AfterSaleState.APPROVED, changed, said.note, caller)


async def reject(after_sale_id: str, note: str, caller: StaffCaller) -> None:
    """Refuse a request, end one whose goods never came, or refuse goods that came otherwise than was said."""
    await _staffs_step(after_sale_id, AfterSaleStep.REJECT, AfterSaleState.REJECTED, {}, note, caller)


async def receive_goods(after_sale_id: str, note: str, caller: StaffCaller, *, restock: bool) -> None:
    """Note that the goods came back; ``restock``: they can be sold again."""
    changed: dict[str, object] = {"restock": restock}
    await _staffs_step(after_sale_id, AfterSaleStep.RECEIVE, AfterSaleState.RECEIVED, changed, note, caller)


async def refund(after_sale_id: str, said: DecisionIn, caller: StaffCaller) -> None:
    """Pay back what came back; what staff say now goes before what was said when it was approved. Repeated, it changes
    nothing."""
    found = await get_staffs(after_sale_id, caller)
    if found.kind is not AfterSaleKind.RETURN:
        raise AfterSaleConflict(extra={"state": str(found.state)})
    await refunding.give_back(found, said, caller)


async def _staffs_step(
    after_sale_id: str,
    step: AfterSaleStep,
    done: AfterSaleState,
    changed: dict[str, object],
    note: str,
    caller: StaffCaller,
) -> None:
    now = clock.now()
    async with db.transaction() as tx:
        found = await _lock(tx, after_sale_id, caller)
        if found.state is done:
            return
        state = rules.move(found.kind, found.state, step)
        moved = await requests.change_after_sale(tx, found, state, at=now, **changed)
        await requests.note_step(tx, moved, step, staff_id=caller.staff_id, note=note, at=now)
        await _publish(tx, moved)
    log.info("orders.after_sale_moved", after_sale_id=after_sale_id, state=str(state))
    _tell(moved)


async def exchange(after_sale_id: str, carrier: str, tracking_no: str, note: str, caller: StaffCaller) -> None:
    """Send the same pieces anew for those that came back; ``OutOfStock`` where there are none. Repeated, it changes
    nothing."""
    now = clock.now()
    async with db.transaction() as tx:
        found = await _lock(tx, after_sale_id, caller)
        if found.state is AfterSaleState.EXCHANGED:
            return
        state = rules.move(found.kind, found.state, AfterSaleStep.EXCHANGE)
        order = await locks.lock_order(tx, found.member_id, found.order_id)
        bought = await afterwards.bought_in(tx, order.member_id, order.id)
        pieces = tuple(Piece(order.store_id, bought[line_no][0], qty) for line_no, qty in found.pieces.items())
        if found.restock:
            earlier = rules.exchanges(await requests.after_sales_in(tx, order.member_id, order.id))
            await stock.take_back(tx, order.id, found.id, pieces, at=now, exchanges=earlier)
        for lacking in await stock.reserve_many(tx, [Wish(found.id, pieces, None)], at=now):
            if lacking is not None:
                raise lacking
        moved = await requests.change_after_sale(tx, found, state, at=now)
        parcels = await afterwards.parcels_in(tx, order.member_id, order.id)
        if any((one.carrier, one.tracking_no) == (carrier, tracking_no) for one in parcels):
            raise ShipmentInvalid("another parcel of this order has that number")
        parcel = Parcel(
            number=len(parcels) + 1, carrier=carrier, tracking_no=tracking_no, pieces=found.pieces, sent_at=now
        )
        await shipping.write_parcel(tx, order, parcel, caller.staff_id, about=found.id)
        await requests.note_step(tx, moved, AfterSaleStep.EXCHANGE, staff_id=caller.staff_id, note=note, at=now)
        await _publish(tx, moved)
    log.info("orders.exchanged", after_sale_id=after_sale_id)
    _tell(moved)
