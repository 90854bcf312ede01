"""A member redeems points for some pieces of a gift: price, limits, shelf and what is given, all or nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from backend.auth import queries as auth
from backend.auth.types import MemberCaller
from backend.coupons import service as coupons
from backend.coupons.service import Issued
from backend.kernel import clock, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency
from backend.kernel.http.lanes import Lane
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, InsufficientBalance, Stale
from backend.ledger.plans import Guard
from backend.members import queries as members
from backend.members.errors import PinRequired
from backend.orders import queries as orders
from backend.orders.types import Receiver
from backend.sales import plans as sale_plans
from backend.sales import service as sales
from backend.sales.rules.pricing import points_value_fen
from backend.stock import service as stock
from backend.stock.types import Piece, Wish
from backend.wallet import queries as wallet_queries
from backend.wallet import service as wallet
from backend.wallet.errors import StoredLimitReached

from .. import codes, locks, plans, queries, rules, service
from ..errors import GiftLimitReached, GiftNotRedeemable
from ..schemas import RedeemIn
from ..types import Gift, GiftKind, Redemption, RedemptionState, Way

log = logging.get(__name__)

LANE = Lane("gifts", at_once=4, most_waiting=1000, patience_s=10.0)
"""A crowd that wants one gift stands in line for its row, and takes no more connections than these meanwhile."""

NEVER = timedelta(days=3650)
"""Until when a shelf keeps what is to be sent: somebody sends or cancels it."""

_FIRST = {Way.PICKUP: RedemptionState.WAITING, Way.DELIVERY: RedemptionState.TO_SEND}
MOST_CODES = 5


class Wanted(msgspec.Struct, frozen=True):
    """What is to be redeemed, checked as far as it can be without a lock."""

    gift_id: str
    member_id: int
    level: str
    quantity: int
    way: Way
    store_id: str | None
    receiver: Receiver | None
    price: rules.Price
    """What was confirmed; the gift's row decides whether it still holds."""
    counts: bool
    """Whether the member's day counts it as taken without a PIN."""


async def redeem(body: RedeemIn, caller: MemberCaller, idem: Idempotency) -> Answer[Redemption]:
    """Redeem some pieces of a gift, once per key; a retry gets the first answer before anything is judged."""
    if (first := await _first_answer(caller.member_id, idem)) is not None:
        return Answer(first, replayed=True)
    try:
        return Answer(await _redeem(body, caller.member_id, idem))
    except DomainError:
        # The same request at the same moment may be what was done.
        again = await _first_answer(caller.member_id, idem)
        if again is None:
            raise
        return Answer(again, replayed=True)


async def _redeem(body: RedeemIn, member_id: int, idem: Idempotency) -> Redemption:
    gift = await queries.find_gift(body.gift_id)
    if gift is None or not rules.is_shown(gift, clock.now()):
        raise NotFound("there is no such gift")
    level = (await members.get_card(member_id)).level.code
    rules.check_redeemable(gift, level=level, now=clock.now(), quantity=body.quantity)
    way = rules.check_way(gift, body.way, store_id=body.store_id, address_id=body.address_id)
    await auth.check_store(body.store_id, "/store_id")
    receiver = await _receiver(member_id, body.address_id)
    rules.check_quantity(gift, body.quantity)
    price = rules.price_of(gift, body.quantity)
    rules.check_price(price, points=body.points, pay_fen=body.pay_fen)
    counts = await sales.confirm_spending(member_id, _worth_fen(price), body.pin)
    wanted = Wanted(gift.id, member_id, level, body.quantity, way, body.store_id, receiver, price, counts)
    made = await ledger.with_fresh_books(lambda tx: _take(tx, wanted, idem))
    log.info("gifts.redeemed", redemption_id=made.id, gift_id=made.gift_id, points=made.points)
    return made


def _worth_fen(price: rules.Price) -> int:
    """What it takes of the member's own, points at what they pay."""
    return price.pay_fen + points_value_fen(price.points, value_bp=settings().point_value_fen_bp)


async def _receiver(member_id: int, address_id: str | None) -> Receiver | None:
    if address_id is None:
        return None
    try:
        return (await orders.get_address(member_id, address_id)).receiver
    except NotFound:
        raise invalid("/address_id", "there is no such address") from None


async def _take(tx: Tx, wanted: Wanted, idem: Idempotency) -> Redemption:
    """One transaction: the gift's row, the coupon, the shelf, the member's books, and the redemption's row."""
    gift, now = await locks.lock_gift(tx, wanted.gift_id), clock.now()
    on = clock.local_date(now, settings().timezone)
    rules.check_redeemable(gift, level=wanted.level, now=now, quantity=wanted.quantity)
    rules.check_way(gift, wanted.way, store_id=wanted.store_id, address_id="" if wanted.receiver else None)
    rules.check_price(rules.price_of(gift, wanted.quantity), points=wanted.price.points, pay_fen=wanted.price.pay_fen)
    await service.take(tx, gift, wanted.quantity, on)
    made = await _draft(tx, gift, wanted, now, on)
    if gift.kind is GiftKind.COUPON:
        made = msgspec.structs.replace(made, result=await _issue(tx, gift, made))
    due_at = _end_of(made.due_on) if made.due_on else None
    if made.sku is not None and made.place_id is not None:
        piece = Piece(made.place_id, made.sku, made.quantity)
        for refused in await stock.reserve_many(tx, [Wish(made.id, (piece,), due_at or now + NEVER)], at=now):
            if refused is not None:
                raise refused
    await _post(tx, gift, made, idem, due_at=due_at, on=on, free=_free(made, on) if wanted.counts else ())
    await service.write(tx, made, wanted.receiver)
    return made


async def _draft(tx: Tx, gift: Gift, wanted: Wanted, now: datetime, on: date) -> Redemption:
    fetched = wanted.way is Way.PICKUP
    state = _FIRST.get(wanted.way, RedemptionState.GIVEN)
    return Redemption(
        member_id=wanted.member_id,
        id=await _new_id(tx, wanted),
        gift_id=gift.id,
        kind=gift.kind,
        way=wanted.way,
        state=state,
        title=gift.title,
        quantity=wanted.quantity,
        points=wanted.price.points,
        pay_fen=wanted.price.pay_fen,
        sku=gift.sku,
        store_id=wanted.store_id,
        place_id=None if gift.sku is None else wanted.store_id if fetched else gift.ship_from,
        result=None,
        due_on=on + timedelta(days=gift.pickup_days) if fetched else None,
        at=now,
        out_at=now if state is RedemptionState.GIVEN else None,
        ended_at=None,
        terminal_id=None,
        key=None,
        staff_id=None,
        carrier=None,
        tracking_no=None,
        reason=None,
        note="",
        cost_fen=(gift.stored_fen or 0) * wanted.quantity,
    )


async def _new_id(tx: Tx, wanted: Wanted) -> str:
    """An id whose code nothing else waits under in that store."""
    for _ in range(MOST_CODES):
        made = ids.new_document_id(plans.PREFIX, wanted.member_id)
        digest = codes.digest_of(codes.code_of(made)) if wanted.store_id else ""
        if not wanted.store_id or not await queries.is_waited_under(tx, wanted.store_id, digest):
            return made
    raise GiftNotRedeemable("too many gifts wait in this store", extra={"reason": "codes"})


async def _issue(tx: Tx, gift: Gift, made: Redemption) -> str:
    """Issue a coupon for each piece; the first one's id."""
    assert gift.template_id is not None
    first, source = "", service.coupon_source(made.id)
    for number in range(made.quantity):
        key = f"{made.id}:{number}" if number else made.id
        outcome = await coupons.issue_one(tx, made.member_id, gift.template_id, source=source, scope="gifts", key=key)
        if not isinstance(outcome, Issued):
            raise outcome
        first = first or outcome.coupon_id
    return first


def _free(made: Redemption, on: date) -> tuple[Guard, ...]:
    """Count it on the day that tills and orders count what went without a PIN on."""
    taken_fen = _worth_fen(rules.Price(made.points, made.pay_fen))
    return (sale_plans.day_guard(on, taken_fen, made.at, cap_fen=settings().password_free_day_fen),)


async def _post(
    tx: Tx,
    gift: Gift,
    made: Redemption,
    idem: Idempotency,
    *,
    due_at: datetime | None,
    on: date,
    free: tuple[Guard, ...],
) -> None:
    books = await ledger_queries.get_snapshot(made.member_id, on)
    debt = books.balances.get(ledger_plans.POINTS_DEBT, 0)
    if books.spendable(ledger_plans.POINTS) - debt < made.points:
        raise InsufficientBalance.of(ledger_plans.POINTS, "")
    store_id = await service.keeper_of(made)
    held = plans.Held(books.balances.get(ledger_plans.POINTS, 0), debt)
    caps = wallet.stored_caps()
    plan = plans.redeem(gift, made, held, idem, caps=caps, guards=free, store_id=store_id, due_at=due_at, on=on)
    try:
        posted = await ledger.post_in(tx, plan)
    except GuardRefused as refused:
        if refused.refusal == wallet.STORED_LIMIT:
            raise StoredLimitReached(await _possible_fen(made.member_id, on)) from refused
        if refused.refusal == sale_plans.PASSWORD_FREE:
            raise PinRequired from refused
        per = "day" if refused.refusal == plans.DAY_LIMIT else "member"
        raise GiftLimitReached(extra={"per": per}) from refused
    if posted.replayed:
        raise Stale  # the same request at the same moment: its answer is found


async def _possible_fen(member_id: int, on: date) -> int:
    return (await wallet_queries.possible(member_id, on)).balance_fen or 0


def _end_of(day: date) -> datetime:
    """The instant at which a day of the chain is over."""
    return clock.midnight(clock.days_after(day, 1), settings().timezone)


async def _first_answer(member_id: int, idem: Idempotency) -> Redemption | None:
    first = await ledger_queries.find_own_answer(member_id, idem.key, idem.request_hash)
    if first is None:
        return None
    redemption_id = first.document_id or ""
    owner_id = queries.owner_of(redemption_id)
    found = await queries.find_redemption(owner_id, redemption_id) if owner_id else None
    if found is None:
        raise ValidationFailed("this key was used for another kind of request")
    at_first = _FIRST.get(found.way, RedemptionState.GIVEN)
    return msgspec.structs.replace(
        found, state=at_first, out_at=found.at if at_first is RedemptionState.GIVEN else None, ended_at=None
    )
