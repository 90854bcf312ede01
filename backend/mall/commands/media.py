"""Pictures: of products, of stores, and on top of the first page."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from backend.kernel import clock, db, drawing, ids, logging, pictures, windows
from backend.kernel.errors import NotFound, invalid

from .. import service, shown
from ..schemas.admin import BannerIn, StorePicturesIn

log = logging.get(__name__)

KEPT_UNUSED = timedelta(days=2)
"""How long a picture is kept that nothing shows."""

_SWEPT = 500


async def add_picture(data: bytes, staff_id: int) -> pictures.Picture:
    """Keep a picture, drawn anew; the same one again changes nothing. ``ValidationFailed`` for what is none."""
    picture = await drawing.draw(data)
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO mall_media (id, kind, width, height, large, small, at, staff_id)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at",
            picture.id,
            pictures.KIND,
            picture.width,
            picture.height,
            picture.large,
            picture.small,
            clock.now(),
            staff_id,
        )
    log.info("mall.picture_added", media_id=picture.id, staff_id=staff_id, size=len(picture.large))
    return picture


async def put_store_pictures(store_id: str, body: StorePicturesIn, staff_id: int) -> None:
    """Show these pictures and floor plans of a store, in this order, in place of those before."""
    media = [item.media_id for item in body.items]
    if len(set(media)) < len(media):
        raise invalid("/items", "each picture at most once")
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, "SELECT id FROM mall_media WHERE id = ANY($1) ORDER BY id FOR KEY SHARE", media)
        known = {row[0] for row in rows}
        for position, media_id in enumerate(media):
            if media_id not in known:
                raise invalid(f"/items/{position}/media_id", "there is no such picture")
        # Two at once would put both lists together.
        await db.raw(tx).execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('mall_store_picture ' || $1, 0))", store_id
        )
        await db.raw(tx).execute("DELETE FROM mall_store_picture WHERE store_id = $1", store_id)
        await db.raw(tx).execute(
            "INSERT INTO mall_store_picture (store_id, media_id, kind, title, sort)"
            " SELECT $1, w.media_id, w.kind, w.title, w.sort"
            "  FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS w (media_id, kind, title, sort)",
            store_id,
            media,
            [item.kind for item in body.items],
            [item.title for item in body.items],
        )
        await service.note(tx, "store", store_id, staff_id, "pictures", msgspec.to_builtins(body), clock.now())
    shown.forget()
    log.info("mall.store_pictures_put", store_id=store_id, staff_id=staff_id, count=len(media))


async def add_banner(body: BannerIn, staff_id: int) -> str:
    """Put a picture on top of the first page, of one store or of all; returns its id."""
    windows.check(body.starts_at, body.ends_at)
    banner_id = ids.new_short("N")
    async with db.transaction() as tx:
        if not await db.fetch_in(tx, "SELECT 1 FROM mall_media WHERE id = $1 FOR KEY SHARE", body.picture):
            raise invalid("/picture", "there is no such picture")
        (count,) = (await db.fetch_in(tx, "SELECT count(*) FROM mall_banner"))[0]
        if count >= 100:
            raise invalid("", "there are a hundred banners; remove one")
        await db.raw(tx).execute(
            "INSERT INTO mall_banner (id, title, picture, link_kind, link, store_id, sort, starts_at, ends_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            banner_id,
            body.title,
            body.picture,
            body.link_kind,
            body.link,
            body.store_id,
            body.sort,
            body.starts_at,
            body.ends_at,
        )
        await service.note(tx, "banner", banner_id, staff_id, "add", msgspec.to_builtins(body), clock.now())
    shown.forget()
    return banner_id


async def remove_banner(banner_id: str, staff_id: int) -> None:
    """Take a banner down."""
    async with db.transaction() as tx:
        if not await db.fetch_in(tx, "DELETE FROM mall_banner WHERE id = $1 RETURNING 1", banner_id):
            raise NotFound("there is no such banner")
        await service.note(tx, "banner", banner_id, staff_id, "remove", {}, clock.now())
    shown.forget()


_UNUSED = """
DELETE FROM mall_media WHERE id = ANY (ARRAY(
    SELECT m.id FROM mall_media m
     WHERE m.at < $1
       AND NOT EXISTS (SELECT FROM mall_product p WHERE p.pictures ? m.id)
       AND NOT EXISTS (SELECT FROM mall_article a WHERE a.picture = m.id)
       AND NOT EXISTS (SELECT FROM mall_category c WHERE c.picture = m.id)
       AND NOT EXISTS (SELECT FROM mall_brand b WHERE b.picture = m.id)
       AND NOT EXISTS (SELECT FROM mall_banner n WHERE n.picture = m.id)
       AND NOT EXISTS (SELECT FROM mall_store_picture s WHERE s.media_id = m.id)
       AND NOT EXISTS (SELECT FROM mall_media_use u WHERE u.media_id = m.id)
     ORDER BY m.id LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1"""


async def drop_unused() -> int:
    """Forget pictures that nothing has shown for two days; returns how many.

    What begins to show one holds its row until it is done, and is passed over. What showed it by the time this began
    is seen: only who both read before and wrote after could lose, and they hold the row.
    """
    async with db.transaction() as tx:
        return len(await db.fetch_in(tx, _UNUSED, clock.now() - KEPT_UNUSED, _SWEPT))
