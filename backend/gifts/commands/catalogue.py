"""Head office keeps the catalogue: every change is written down, what was redeemed keeps what it was promised."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.coupons import queries as coupons
from backend.kernel import clock, db, ids, logging, windows
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.mall import queries as mall
from backend.mall import service as mall_service
from backend.members import queries as members
from backend.stock import queries as stock

from .. import locks, queries
from ..errors import GiftConflict
from ..schemas import GiftIn
from ..types import Gift, GiftKind, GiftState

log = logging.get(__name__)

MOST_PUBLISHED = queries.MOST_SHOWN
MOVES = {"publish": GiftState.PUBLISHED, "withdraw": GiftState.WITHDRAWN}

_WRITE = """
INSERT INTO gifts_gift AS g (id, kind, state, title, note, picture, points, pay_fen, sku, template_id, stored_fen,
    stored_days, pickup, stores, ship_from, pickup_days, per_member, per_member_day, total, day_total, levels,
    starts_at, ends_at, sort, created_at, updated_at)
VALUES ($1, $2, 'draft', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
    $23, $24, $24)
ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, note = EXCLUDED.note, picture = EXCLUDED.picture,
    points = EXCLUDED.points, pay_fen = EXCLUDED.pay_fen, sku = EXCLUDED.sku, template_id = EXCLUDED.template_id,
    stored_fen = EXCLUDED.stored_fen, stored_days = EXCLUDED.stored_days, pickup = EXCLUDED.pickup,
    stores = EXCLUDED.stores, ship_from = EXCLUDED.ship_from, pickup_days = EXCLUDED.pickup_days,
    per_member = EXCLUDED.per_member, per_member_day = EXCLUDED.per_member_day, total = EXCLUDED.total,
    day_total = EXCLUDED.day_total, levels = EXCLUDED.levels, starts_at = EXCLUDED.starts_at,
    ends_at = EXCLUDED.ends_at, sort = EXCLUDED.sort, version = g.version + 1, updated_at = EXCLUDED.updated_at"""


async def get_gift(gift_id: str) -> Gift:
    """A gift; ``NotFound`` for none."""
    found = await queries.find_gift(gift_id)
    if found is None:
        raise NotFound("there is no such gift")
    return found


async def create_gift(body: GiftIn, staff_id: int) -> Gift:
    """Add a gift as a draft: members see nothing of it before it is published."""
    await check(body)
    gift_id, now = ids.new_short("GF"), clock.now()
    async with db.transaction() as tx:
        await write(tx, gift_id, body, now)
        await queries.changes.note(tx, gift_id, staff_id, "create", msgspec.to_builtins(body), now)
    return await get_gift(gift_id)


async def write(tx: Tx, gift_id: str, body: GiftIn, now: datetime) -> None:
    """Add a gift as a draft, or change one; with it, its picture is kept."""
    if await mall_service.show_pictures(tx, f"gift:{gift_id}", [body.picture] if body.picture else []):
        raise invalid("/picture", "there is no such picture")
    await db.raw(tx).execute(
        _WRITE,
        *(gift_id, body.kind.value, body.title, body.note, body.picture, body.points, body.pay_fen, body.sku),
        *(body.template_id, body.stored_fen, body.stored_days, body.pickup, list(body.stores), body.ship_from),
        *(body.pickup_days, body.per_member, body.per_member_day, body.total, body.day_total, list(body.levels)),
        *(body.starts_at, body.ends_at, body.sort, now),
    )


async def change_gift(gift_id: str, body: GiftIn, staff_id: int) -> Gift:
    """Put another text and other terms in its place; what was redeemed before keeps its own. Its kind stays."""
    await check(body)
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_gift(tx, gift_id)
        if body.version != found.version:
            raise GiftConflict("somebody changed this gift meanwhile", extra={"version": found.version})
        if body.kind is not found.kind:
            raise GiftConflict("a gift stays what it is: goods, a coupon or stored value")
        if body.total is not None and body.total < found.taken:
            raise invalid("/total", f"{found.taken} were redeemed already")
        await write(tx, gift_id, body, now)
        await queries.changes.note(tx, gift_id, staff_id, "change", msgspec.to_builtins(body), now)
    return await get_gift(gift_id)


async def move_gift(gift_id: str, move: str, staff_id: int) -> Gift:
    """Publish a gift, or withdraw it; repeated, it changes nothing. What was redeemed goes its way."""
    target = MOVES[move]
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_gift(tx, gift_id)
        if found.state is not target:
            if target is GiftState.PUBLISHED:
                await _check_published(tx, found, now)
            elif found.state is GiftState.DRAFT:
                raise GiftConflict("a draft was never published")
            await db.raw(tx).execute(
                "UPDATE gifts_gift SET state = $2, version = version + 1, updated_at = $3 WHERE id = $1",
                gift_id,
                target.value,
                now,
            )
            await queries.changes.note(tx, gift_id, staff_id, move, {}, now)
    log.info("gifts.moved", gift_id=gift_id, staff_id=staff_id, move=move)
    return await get_gift(gift_id)


async def _check_published(tx: Tx, found: Gift, now: datetime) -> None:
    """There is room on phones, its time is not over, and what it promises can be had."""
    await db.raw(tx).execute("SELECT pg_advisory_xact_lock(hashtext('gifts_publish'))")
    if await queries.count_published(tx) >= MOST_PUBLISHED:
        raise GiftConflict(f"{MOST_PUBLISHED} gifts are published already; withdraw one")
    if found.ends_at is not None and found.ends_at <= now:
        raise GiftConflict("the gift's time is over")
    if found.template_id is not None:
        template = await coupons.find_template(found.template_id)
        if template is None or template.state != "active":
            raise GiftConflict("the coupon's template is not active")


async def check(body: GiftIn) -> None:
    """What the shapes alone cannot say; each refusal names its field."""
    windows.check(body.starts_at, body.ends_at)
    _check_kind(body)
    await auth.check_stores(body.stores, "/stores")
    levels = await members.levels()
    for index, code in enumerate(body.levels):
        if code not in levels:
            raise invalid(f"/levels/{index}", "there is no such level")
    if body.per_member is not None and (body.per_member_day or 0) > body.per_member:
        raise invalid("/per_member_day", "is more than one member may have at all")
    if body.total is not None and (body.day_total or 0) > body.total:
        raise invalid("/day_total", "is more than there are at all")
    if body.sku is not None and body.sku not in await mall.find_article_names([body.sku]):
        raise invalid("/sku", "there is no such article")
    if body.template_id is not None and not await coupons.list_titles([body.template_id]):
        raise invalid("/template_id", "there is no such template")
    if body.ship_from is not None:
        await _check_place(body.ship_from)
    limit = settings().stored_limit_fen
    if body.stored_fen is not None and limit and body.stored_fen > limit:
        raise invalid("/stored_fen", f"nobody may hold more than {limit} fen")


async def _check_place(place_id: str) -> None:
    try:
        place = await stock.get_place(place_id)
    except NotFound:
        raise invalid("/ship_from", "there is no such place") from None
    if not place.active:
        raise invalid("/ship_from", "this place is closed")


def _check_kind(body: GiftIn) -> None:
    """Nothing is said that the kind does not mean."""
    own = {"sku": GiftKind.GOODS, "template_id": GiftKind.COUPON, "stored_fen": GiftKind.STORED}
    for field, kind in own.items():
        given = getattr(body, field) is not None
        if given is not (body.kind is kind):
            raise invalid(f"/{field}", "is for another kind of gift" if given else "is missing")
    goods = body.kind is GiftKind.GOODS
    if not goods and (body.pickup or body.ship_from or body.stores):
        raise invalid("/stores" if body.stores else "/pickup", "is for goods")
    if goods and not (body.pickup or body.ship_from):
        raise invalid("/pickup", "goods are fetched, sent, or both")
    if body.stores and not body.pickup:
        raise invalid("/stores", "is for goods that are fetched")
    if body.stored_days is not None and body.kind is not GiftKind.STORED:
        raise invalid("/stored_days", "is for stored value")
    if body.pay_fen and body.kind is GiftKind.STORED:
        raise invalid("/pay_fen", "stored value is not paid with stored value")
