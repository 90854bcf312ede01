"""Points go from one member to another: found by number, confirmed by name, paid for with the PIN, within limits."""

from __future__ import annotations

from datetime import date

import msgspec

from backend.auth.types import MemberCaller, StaffCaller
from backend.kernel import clock, db, ids, limits, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency
from backend.kernel.paging import Place
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, MemberInactive, Stale
from backend.ledger.plans import POINTS, POINTS_DEBT
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.errors import PinRequired
from backend.members.types import Card, Status
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind

from .. import locks, plans, queries
from ..errors import (
    PointsNotTransferable,
    PointsRecipientChanged,
    PointsTransferClosed,
    PointsTransferLimit,
    PointsTransferOwn,
    PointsTransferReversed,
    PointsTransferSpent,
)
from ..records import Transfer
from ..rules import lots as rules
from ..schemas import RecipientOut, TransferIn, TransferLimits
from ..types import TransferState

log = logging.get(__name__)

TRIES, TRIES_S = 30, 3600
"""Numbers that one member may look up: nobody reads the list of members off this call."""

MAX_TIMES_PLANNED = 3

_POINTS = Variable("points", VariableKind.NUMBER, "积分", "120")
_WHO = Variable("who", VariableKind.TEXT, "对方", "王*")
SENT = Builtin(
    "points.sent", Purpose.SERVICE, "积分转赠成功", "您已将 {points} 积分转赠给 {who}。", variables=(_POINTS, _WHO)
)
RECEIVED = Builtin(
    "points.received", Purpose.SERVICE, "收到转赠积分", "{who} 转赠给您 {points} 积分。", variables=(_POINTS, _WHO)
)
REVERSED = Builtin(
    "points.transfer_reversed",
    Purpose.SERVICE,
    "积分转赠已撤回",
    "您与 {who} 之间的 {points} 积分转赠已由客服撤回。",
    variables=(_POINTS, _WHO),
)
messages.declare(SENT, RECEIVED, REVERSED)


async def find_recipient(member_no: str, caller: MemberCaller) -> RecipientOut:
    """Who has that number, as far as the giver may know; ``NotFound`` for nobody who can be given points."""
    await limits.hit(f"points-recipient:{caller.member_id}", TRIES, TRIES_S)
    card = await _recipient(member_no, caller.member_id)
    return RecipientOut(card.member_no, card.name_masked)


async def show_limits(member_id: int) -> TransferLimits:
    """What the member may give away now, and how much of each limit is left."""
    now, chain = clock.now(), settings()
    on = clock.local_date(now, chain.timezone)
    marks = await ledger_queries.guard_values(member_id, [plans.day_mark(on), plans.month_mark(on)])
    held = await holdings(member_id, on)
    day_left = max(0, chain.points_transfer_day_max - marks.get(plans.day_mark(on), 0))
    month_left = max(0, chain.points_transfer_month_max - marks.get(plans.month_mark(on), 0))
    most = min(held.spendable(chain.points_transfer_min_left), chain.points_transfer_max, day_left, month_left)
    return TransferLimits(
        open=chain.points_transfer_max > 0,
        most=max(0, most),
        per_transfer=chain.points_transfer_max,
        day_left=day_left,
        month_left=month_left,
        least_kept=chain.points_transfer_min_left,
        pin_set=await members.has_pin(member_id),
    )


async def transfer(body: TransferIn, caller: MemberCaller, idem: Idempotency) -> Answer[Transfer]:
    """Give points away, once per key; a retry gets the first answer before PIN and limits are looked at."""
    if (first := await _first_answer(caller.member_id, idem)) is not None:
        return Answer(first, replayed=True)
    try:
        return await _transfer(body, caller.member_id, idem)
    except DomainError:
        # The same request at the same moment may be what moved the points.
        again = await _first_answer(caller.member_id, idem)
        if again is None:
            raise
        return Answer(again, replayed=True)


async def _transfer(body: TransferIn, giver_id: int, idem: Idempotency) -> Answer[Transfer]:
    if not settings().points_transfer_max:
        raise PointsTransferClosed
    receiver = await _recipient(body.member_no, giver_id)
    if receiver.name_masked != body.name_masked:
        raise PointsRecipientChanged
    if body.points > settings().points_transfer_max:
        raise PointsTransferLimit(
            f"at most {settings().points_transfer_max} points at once", extra={"limit": "transfer"}
        )
    if not await members.has_pin(giver_id):
        raise PinRequired("set a payment PIN first")
    await member_service.check_pin(giver_id, body.pin, spends_fen=_worth_fen(body.points))
    transfer_id = new_id(giver_id)
    for attempt in range(MAX_TIMES_PLANNED):
        now = clock.now()
        on = clock.local_date(now, settings().timezone)
        held = await holdings(giver_id, on)
        if body.points > held.spendable(settings().points_transfer_min_left):
            raise PointsNotTransferable
        sent = plans.Sending(
            transfer_id, giver_id, receiver.member_id, rules.take(held.lots, body.points), now=now, on=on
        )
        try:
            return await move(sent, held, idem, receiver, body.points)
        except GuardRefused as refused:
            raise PointsTransferLimit(extra={"limit": refused.refusal.removeprefix(plans.LIMIT)}) from refused
        except Stale:
            if attempt == MAX_TIMES_PLANNED - 1:
                raise
    raise Stale


def _worth_fen(points: int) -> int:
    """What they would pay."""
    return points * settings().point_value_fen_bp // 10_000


def new_id(giver_id: int) -> str:
    """An id for a transfer that a member is about to make."""
    return ids.new_document_id(plans.TRANSFER_PREFIX, giver_id)


async def move(
    sent: plans.Sending, held: rules.Held, idem: Idempotency, receiver: Card, points: int
) -> Answer[Transfer]:
    """Both halves, by member ascending, in which order every transaction locks their books; and its row."""
    chain = settings()
    caps = (chain.points_transfer_day_max, chain.points_transfer_month_max)
    out = plans.give_points(sent, held, idem, day_cap=caps[0], month_cap=caps[1])
    giver = await members.get_card(sent.giver_id)
    async with db.transaction() as tx:
        for plan in sorted((out, plans.receive_points(sent)), key=lambda half: half.member_id):
            try:
                posted = await ledger.post_in(tx, plan)
            except MemberInactive:
                if plan is out:
                    raise
                raise NotFound("there is no such member") from None
            if plan is out and posted.replayed:
                raise Stale  # the same request at the same moment: its answer is found
        made = Transfer(
            id=sent.transfer_id,
            giver_id=sent.giver_id,
            receiver_id=sent.receiver_id,
            points=points,
            state=TransferState.DONE,
            at=sent.now,
            reversed_at=None,
        )
        await _write(tx, made)
        await messages.send(
            tx,
            [
                _letter(SENT, made, made.giver_id, receiver.name_masked),
                _letter(RECEIVED, made, made.receiver_id, giver.name_masked),
            ],
        )
    live.push(made.receiver_id, "points_received", {"points": points})
    log.info("points.transferred", transfer_id=made.id, points=points)
    return Answer(made)


async def reverse(tx: Tx, transfer_id: str, *, key: str) -> Transfer:
    """Take a transfer back, on the transaction of who decided it: all of it to the lots that it came from.

    Raises ``PointsTransferReversed`` where that was done, ``PointsTransferSpent`` where the receiver has not all of it.
    """
    made = await locks.lock_transfer(tx, transfer_id)
    if made.state is TransferState.REVERSED:
        raise PointsTransferReversed
    document = await ledger_queries.find_document(made.giver_id, made.id)
    there = await ledger_queries.list_lots_of(made.receiver_id, made.id)
    given, moves = await ledger_queries.find_moves(made.giver_id, made.id, plans.TRANSFER)
    if document is None or sum(lot.remaining for lot in there) < made.points:
        raise PointsTransferSpent
    now = clock.now()
    on = clock.local_date(now, settings().timezone)
    halves = plans.take_points_back(document, made, moves, there, reverses=given, key=key, now=now, on=on)
    for plan in sorted(halves, key=lambda half: half.member_id):
        try:
            await ledger.post_in(tx, plan)
        except Stale:
            raise PointsTransferSpent from None
    await db.raw(tx).execute(
        "UPDATE points_transfer SET state = 'reversed', reversed_at = $2 WHERE id = $1", made.id, now
    )
    names = await members.list_masked([made.giver_id, made.receiver_id])
    await messages.send(
        tx,
        [
            _letter(REVERSED, made, who, names[other].name_masked)
            for who, other in ((made.giver_id, made.receiver_id), (made.receiver_id, made.giver_id))
            if other in names
        ],
    )
    return msgspec.structs.replace(made, state=TransferState.REVERSED, reversed_at=now)


async def _write(tx: Tx, made: Transfer) -> None:
    await db.raw(tx).execute(
        "INSERT INTO points_transfer (id, giver_id, receiver_id, points, state, at) VALUES ($1, $2, $3, $4, $5, $6)",
        made.id,
        made.giver_id,
        made.receiver_id,
        made.points,
        made.state.value,
        made.at,
    )


def _letter(template: Builtin, made: Transfer, member_id: int, other: str) -> Letter:
    return Letter(member_id, template.code, {"points": str(made.points), "who": other}, made.id, "#/points")


async def _recipient(member_no: str, giver_id: int) -> Card:
    found = await members.find_id_by_number(member_no)
    if found == giver_id:
        raise PointsTransferOwn
    card = await members.get_card(found) if found is not None else None
    if card is None or card.status is not Status.ACTIVE:
        raise NotFound("there is no such member")
    return card


async def holdings(member_id: int, on: date) -> rules.Held:
    """What a member has to give away, as the books stand now."""
    books = await ledger_queries.get_snapshot(member_id, on)
    lots = await ledger_queries.list_open_lots(member_id, POINTS)
    return rules.Held(
        books.balances.get(POINTS, 0),
        books.spendable(POINTS),
        books.balances.get(POINTS_DEBT, 0),
        tuple(rules.transferable(lots, on)),
    )


async def newest(member_id: int, *, before: Place | None, limit: int) -> list[Transfer]:
    """What a member gave and was given, newest first, from below that place; with who was merged into them."""

    async def read(book: int) -> list[Transfer]:
        return await queries.list_transfers(book, before=before, limit=limit)

    found = await members.newest_of_books(member_id, read, lambda one: (one.at, one.id), limit * 2)
    # One between both that are one now stands on either book.
    return list({one.id: one for one in found}.values())[:limit]


async def get_reached(transfer_id: str, caller: StaffCaller) -> Transfer:
    """A transfer one of whose members this person may see; ``NotFound`` for any other."""
    made = await queries.find_transfer(transfer_id)
    named = await members.list_masked([made.giver_id, made.receiver_id]) if made else {}
    if made is None or not any(caller.reaches(one.store_id) for one in named.values()):
        raise NotFound("there is no such transfer")
    return made


async def _first_answer(member_id: int, idem: Idempotency) -> Transfer | None:
    first = await ledger_queries.find_own_answer(member_id, idem.key, idem.request_hash)
    if first is None:
        return None
    found = await queries.find_transfer(first.document_id or "")
    if found is None:
        raise ValidationFailed("this key was used for another kind of request")
    return msgspec.structs.replace(found, state=TransferState.DONE, reversed_at=None)
