"""A member gives a coupon to a friend: it is held for whoever has the link, until one accepts, or it is taken back, or
its time is over. The friend gets a coupon of their own with the same terms and last day.
"""

from __future__ import annotations

import base64
import re
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from backend.auth.types import MemberCaller
from backend.kernel import clock, db, ids, limits, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound
from backend.kernel.http import Idempotency
from backend.kernel.vault import vault
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import IdempotencyConflict, InsufficientBalance, MemberInactive
from backend.ledger.plans import COUPON, Plan, own_scope
from backend.members import queries as members

from .. import locks, plans, queries, service
from ..errors import REFUSALS, CouponGiftOver, CouponGiftOwn, CouponNotTransferable, CouponUnavailable
from ..events import CouponEnded
from ..plans import Wish
from ..queries import Standing
from ..records import Coupon
from ..schemas import GiftOut
from ..types import CouponState, Gift, GiftState, Reason
from . import telling
from .ageing import note_end

log = logging.get(__name__)

SOURCE = "gift:"
"""Before the gift's id: where a received coupon came from."""

TOKEN_BYTES = 16
TRIES = 60
TRIES_S = 3600
"""How many links a member may follow in how many seconds."""

RETURNED_AT_ONCE = 200
RETURNS = 400

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_TOKEN_CONTEXT = "coupon.gift.token"  # noqa: S105 - a name of the vault's
_DIGEST_CONTEXT = "coupon.gift"

_GIFT = (
    "SELECT member_id, id, coupon_id, template_id, unit, amount, lot_id, given_at, expires_at, ended_as, accepted_as"
    " FROM coupon_gift"
)


class Shown(msgspec.Struct, frozen=True):
    """What the link shows: the coupon as it was issued to its giver, of whom only the masked name is told."""

    gift: Gift
    standing: Standing
    state: GiftState
    giver: str
    own: bool


def token_of(gift_id: str) -> str:
    """The gift's link: 128 bits that nobody can tell without the master key, and that no table holds."""
    derived = vault().derive(_TOKEN_CONTEXT, gift_id.encode())[:TOKEN_BYTES]
    return base64.urlsafe_b64encode(derived).decode().rstrip("=")


def gift_out(gift: Gift) -> GiftOut:
    """What its giver is told of a gift, also when asking again."""
    return GiftOut(gift.id, token_of(gift.id), gift.expires_at)


async def give(caller: MemberCaller, coupon_id: str, idem: Idempotency) -> tuple[Gift, bool]:
    """Hold a coupon of the member's for a friend, once per key; True for a retry, which gets the first answer.

    Raises ``CouponNotTransferable``, and why a coupon that is not available cannot be given.
    """
    member_id = caller.member_id
    first = await _first_answer(member_id, idem)
    if first is None:
        try:
            return await _give(member_id, coupon_id, idem), False
        except DomainError:
            first = await _first_answer(member_id, idem)
            if first is None:
                raise
    return await _get(first), True


async def _give(member_id: int, coupon_id: str, idem: Idempotency) -> Gift:
    now, on = _now()
    found = await queries.find_coupon(member_id, coupon_id, on)
    if found is None:
        raise NotFound("there is no such coupon")
    if not found.version.terms.transferable:
        raise CouponNotTransferable
    if found.state is not CouponState.AVAILABLE:
        raise REFUSALS[Reason(found.state.value)]
    gift = Gift(
        member_id=member_id,
        id=ids.new_document_id(plans.GIFT_PREFIX, member_id),
        coupon_id=coupon_id,
        template_id=found.coupon.template_id,
        unit=plans.worth(found.version.terms)[0],
        amount=found.balance,
        given_at=now,
        expires_at=_until(now, found.coupon.expires_on),
    )
    plan = plans.give(gift, key=idem.key, request_hash=idem.request_hash.hex(), on=on)
    async with db.transaction() as tx:
        await _write(tx, msgspec.structs.replace(gift, lot_id=await _hold(tx, plan)))
    return gift


async def _hold(tx: Tx, plan: Plan) -> int:
    """Hold the coupon; the lot it was taken from."""
    try:
        posted = await ledger.post_in(tx, plan)
    except InsufficientBalance:
        raise CouponUnavailable from None
    if posted.replayed:
        raise CouponUnavailable  # the same request at once: the first one's answer is read
    return next(lot_id for account, lot_id, _, _ in posted.lots if account == COUPON)


async def _write(tx: Tx, gift: Gift) -> None:
    written = await db.fetch_in(
        tx,
        "INSERT INTO coupon_gift (member_id, id, coupon_id, template_id, unit, amount, lot_id, digest, given_at,"
        " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING 1",
        gift.member_id,
        gift.id,
        gift.coupon_id,
        gift.template_id,
        gift.unit,
        gift.amount,
        gift.lot_id,
        _digest(token_of(gift.id)),
        gift.given_at,
        gift.expires_at,
    )
    if not written:
        raise REFUSALS[Reason.LOCKED]  # a refund gave it something back while it is being given


def _until(now: datetime, expires_on: date | None) -> datetime:
    """Until when it can be accepted: so many hours, at most to the end of the coupon's last day."""
    zone = settings().timezone
    until = now + timedelta(hours=settings().coupon_gift_hours)
    if expires_on is None or expires_on >= clock.local_date(until, zone):
        return until
    midnight = clock.midnight(clock.days_after(expires_on, 1), zone)
    return midnight.astimezone(now.tzinfo)


async def show(caller: MemberCaller, token: str) -> Shown:
    """What the link is, for whoever has it."""
    gift = await _find(caller.member_id, token)
    standing = await _as_given(gift)
    card = await members.get_card(gift.member_id)
    own = gift.member_id == caller.member_id
    return Shown(gift, standing, gift.state_at(clock.now()), card.name_masked, own)


async def accept(caller: MemberCaller, token: str, idem: Idempotency) -> tuple[Standing, bool]:
    """Make the gift the member's own, once per key and once at all; True for a retry, which gets the first answer.

    Raises ``CouponGiftOwn`` and ``CouponGiftOver``.
    """
    member_id = caller.member_id
    first = await _first_answer(member_id, idem)
    if first is None:
        gift = await _find(member_id, token)
        try:
            return await _accept(member_id, gift, idem), False
        except DomainError:
            first = await _first_answer(member_id, idem)
            if first is None:
                raise
    return await _received(first), True


async def _accept(member_id: int, gift: Gift, idem: Idempotency) -> Standing:
    now, on = _now()
    if gift.member_id == member_id:
        raise CouponGiftOwn
    if gift.state_at(now) is not GiftState.OPEN:
        raise CouponGiftOver
    theirs = await _as_given(gift)
    wish = Wish(
        member_id=member_id,
        coupon_id=service.new_coupon_id(member_id),
        source=f"{SOURCE}{gift.id}",
        scope=own_scope(member_id),
        key=idem.key,
        hash=idem.request_hash.hex(),
    )
    made = msgspec.structs.replace(
        theirs.coupon, member_id=member_id, id=wish.coupon_id, source=wish.source, issued_at=now
    )
    async with db.transaction() as tx:
        locked = await _lock(tx, gift.member_id, gift.id)
        if locked is None or locked.state_at(now) is not GiftState.OPEN:
            raise CouponGiftOver
        await _move(tx, gift, plans.receive(wish, gift, expires_on=made.expires_on, now=now, on=on), now, on)
        await service.write_coupon(tx, made)
        await _end(tx, gift, GiftState.ACCEPTED, now, by=member_id, received=made.id)
    telling.issued(member_id, made.id, made.template_id, theirs.version.title, made.source)
    return msgspec.structs.replace(theirs, coupon=made)


async def _move(tx: Tx, gift: Gift, receive: Plan, now: datetime, on: date) -> None:
    """Both halves, by member ascending, in which order every transaction locks their books."""
    given = plans.given(gift, now=now, on=on)
    for plan in sorted((given, receive), key=lambda half: half.member_id):
        try:
            posted = await ledger.post_in(tx, plan)
        except MemberInactive:
            if plan is given:
                raise CouponGiftOver from None  # who is frozen gives nothing
            raise
        if posted.replayed:
            raise CouponGiftOver  # the books know better than the row: it was given before
    ended = CouponEnded(member_id=gift.member_id, coupon_id=gift.coupon_id, state=CouponState.GIVEN, at=now, by=gift.id)
    await note_end(tx, ended)


async def take_back(caller: MemberCaller, coupon_id: str, gift_id: str) -> None:
    """Give up giving: the coupon is the member's to use again.

    Nothing happens where it came back before, as it did when who gave it was merged into the member.
    """
    now, on = _now()
    giver_id = await members.find_books(caller.member_id, ids.member_of(gift_id, plans.GIFT_PREFIX))
    async with db.transaction() as tx:
        gift = await _lock(tx, giver_id, gift_id) if giver_id is not None else None
        if gift is None or gift.coupon_id != coupon_id:
            raise NotFound("there is no such coupon")
        if gift.ended_as == GiftState.ACCEPTED:
            raise CouponGiftOver
        if gift.ended_as is None:
            await _give_back(tx, gift, GiftState.TAKEN_BACK, now, on)


async def take_back_in(tx: Tx, member_id: int, coupon_id: str, now: datetime, on: date) -> int:
    """Take back, for staff, what is being given of a coupon; how much that is, 0 where nobody gives it."""
    await db.raw(tx).execute(locks.WITHIN)
    rows = await db.fetch_in(
        tx, f"{_GIFT} WHERE member_id = $1 AND coupon_id = $2 AND ended_as IS NULL FOR UPDATE", member_id, coupon_id
    )
    if not rows:
        return 0
    gift = Gift(**dict(rows[0]))
    await _give_back(tx, gift, GiftState.TAKEN_BACK, now, on)
    return gift.amount


async def find_open(member_id: int, coupon_id: str) -> Gift | None:
    """The gift that a member is making of a coupon, or None."""
    row = await db.fetchrow(
        f"{_GIFT} WHERE member_id = $1 AND coupon_id = $2 AND ended_as IS NULL", member_id, coupon_id
    )
    return Gift(**dict(row)) if row else None


async def return_gifts(now: datetime, *, batch: int = RETURNED_AT_ONCE) -> int:
    """Give back every coupon that nobody accepted in time; returns how many. What cannot be moved is left."""
    on = clock.local_date(now, settings().timezone)
    returned, after = 0, (datetime.min.replace(tzinfo=now.tzinfo), 0, "")
    for _ in range(RETURNS):
        rows = await db.fetch(
            "SELECT expires_at, member_id, id FROM coupon_gift WHERE ended_as IS NULL AND expires_at <= $1"
            " AND (expires_at, member_id, id) > ($2, $3, $4) ORDER BY expires_at, member_id, id LIMIT $5",
            now,
            *after,
            batch,
        )
        for row in rows:
            returned += await _return_one(row["member_id"], row["id"], now, on)
        if len(rows) < batch:
            break
        after = (rows[-1]["expires_at"], rows[-1]["member_id"], rows[-1]["id"])
    return returned


async def _return_one(member_id: int, gift_id: str, now: datetime, on: date) -> bool:
    try:
        async with db.transaction() as tx:
            gift = await _lock(tx, member_id, gift_id)
            if gift is None or gift.ended_as is not None:
                return False
            await _give_back(tx, gift, GiftState.OVER, now, on)
    except (DomainError, asyncpg.PostgresError) as error:
        log.warning("coupons.gift_not_returned", gift_id=gift_id, error=type(error).__name__)
        return False
    return True


async def _give_back(tx: Tx, gift: Gift, state: GiftState, now: datetime, on: date) -> None:
    await ledger.post_in(tx, plans.give_back(gift, now=now, on=on))
    await _end(tx, gift, state, now)


async def _end(
    tx: Tx, gift: Gift, state: GiftState, now: datetime, *, by: int | None = None, received: str | None = None
) -> None:
    await db.raw(tx).execute(
        "UPDATE coupon_gift SET ended_as = $3, ended_at = $4, accepted_by = $5, accepted_as = $6"
        " WHERE member_id = $1 AND id = $2",
        gift.member_id,
        gift.id,
        state.value,
        now,
        by,
        received,
    )


async def _lock(tx: Tx, member_id: int, gift_id: str) -> Gift | None:
    """A gift, locked until the transaction ends: before any member's books."""
    await db.raw(tx).execute(locks.WITHIN)
    rows = await db.fetch_in(tx, f"{_GIFT} WHERE member_id = $1 AND id = $2 FOR UPDATE", member_id, gift_id)
    return Gift(**dict(rows[0])) if rows else None


async def _find(member_id: int, token: str) -> Gift:
    """The gift of a link. What could be one counts as a try before it is looked up, or a guess would be answered."""
    if not _TOKEN.fullmatch(token):
        raise NotFound("there is no such gift")
    await limits.hit(f"coupon-gift:{member_id}", TRIES, TRIES_S)
    row = await db.fetchrow(f"{_GIFT} WHERE digest = $1", _digest(token))
    if row is None:
        raise NotFound("there is no such gift")
    return Gift(**dict(row))


async def _get(gift_id: str) -> Gift:
    member_id = ids.member_of(gift_id, plans.GIFT_PREFIX)
    row = await db.fetchrow(f"{_GIFT} WHERE member_id = $1 AND id = $2", member_id, gift_id)
    if row is None:
        raise IdempotencyConflict  # this key's answer was something else
    return Gift(**dict(row))


async def _as_given(gift: Gift) -> Standing:
    """The giver's coupon as it was issued, with what is given of it."""
    coupon = (await queries.list_made(gift.member_id, [gift.coupon_id]))[gift.coupon_id]
    return await _as_new(coupon, gift)


async def _received(coupon_id: str) -> Standing:
    """The coupon as it was when it was received."""
    coupon = await queries.find_made(coupon_id)
    if coupon is None:
        raise IdempotencyConflict  # this key's answer was something else
    return await _as_new(coupon, await _get(coupon.source.removeprefix(SOURCE)))


async def _as_new(coupon: Coupon, gift: Gift) -> Standing:
    version = await queries.get_version(coupon.template_id, coupon.version)
    return msgspec.structs.replace(queries.as_issued(coupon, version), balance=gift.amount)


async def _first_answer(member_id: int, idem: Idempotency) -> str | None:
    """The id answered to this key before, or None; ``IdempotencyConflict`` where it was for another request."""
    first = await ledger_queries.find_own_answer(member_id, idem.key, idem.request_hash)
    return None if first is None else first.document_id or ""


def _now() -> tuple[datetime, date]:
    now = clock.now()
    return now, clock.local_date(now, settings().timezone)


def _digest(token: str) -> bytes:
    return bytes.fromhex(vault().blind_index(token, context=_DIGEST_CONTEXT))
