"""Staff's calls about pictures: of products, of stores with their floor plans, and on top of the first page."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.pictures import MOST_BYTES

from .. import queries, views
from ..commands import media
from ..queries.places import StorePicture
from ..schemas.admin import (
    BannerAdminOut,
    BannerIdOut,
    BannerIn,
    BannersOut,
    MediaOut,
    StorePicturesIn,
    StorePicturesOut,
)
from ..schemas.phone import StorePictureOut
from .admin import reached_store

router = Router(tag="mall")

_MALL = "/v1/admin/mall"


@router.post(
    f"{_MALL}/media",
    guard=staff(Permission.CATALOGUE_PUBLISH, Permission.CATALOGUE_WRITE, Permission.BANNERS_MANAGE),
    status=201,
    body_limit=MOST_BYTES,
    summary="上传图片",
    errors=(ValidationFailed, UnsupportedMediaType),
)
async def add_picture(caller: StaffCaller, body: bytes, request: Request) -> MediaOut:
    """Keep a picture (JPEG, PNG or WebP, as the body, at most 8 MiB): drawn anew, so that nothing but pixels is kept.

    One that no product, store or banner shows within two days is forgotten.
    """
    if not request.headers.get("content-type", "").startswith(("image/", "application/octet-stream")):
        raise UnsupportedMediaType("the body must be a picture: Content-Type image/jpeg, image/png or image/webp")
    kept = await media.add_picture(body, caller.staff_id)
    shown = views.picture_at(kept.id)
    return MediaOut(kept.id, shown.url, shown.small_url, kept.width, kept.height)


@router.get(
    f"{_MALL}/stores/{{store_id}}/pictures",
    guard=staff(Permission.CATALOGUE_READ),
    summary="门店图片",
    errors=(NotFound,),
)
async def list_store_pictures(caller: StaffCaller, store_id: str) -> StorePicturesOut:
    """A store's pictures and floor plans."""
    await reached_store(caller, store_id)
    return _store_pictures((await queries.list_store_pictures(store_id)).get(store_id, []))


@router.put(
    f"{_MALL}/stores/{{store_id}}/pictures",
    guard=staff(Permission.CATALOGUE_PUBLISH),
    summary="保存门店图片",
    errors=(NotFound, ValidationFailed),
)
async def put_store_pictures(caller: StaffCaller, store_id: str, body: StorePicturesIn) -> StorePicturesOut:
    """Show these pictures and floor plans, in this order, in place of those before; a manager at the own store."""
    await reached_store(caller, store_id)
    await media.put_store_pictures(store_id, body, caller.staff_id)
    return _store_pictures((await queries.list_store_pictures(store_id)).get(store_id, []))


def _store_pictures(items: list[StorePicture]) -> StorePicturesOut:
    return StorePicturesOut([StorePictureOut(p.kind, p.title, views.picture_at(p.media_id)) for p in items])


@router.get(f"{_MALL}/banners", guard=staff(Permission.BANNERS_MANAGE), summary="首页横幅")
async def list_banners(caller: StaffCaller) -> BannersOut:
    """Every banner."""
    return BannersOut(
        [
            BannerAdminOut(
                item.title,
                views.picture_at(item.picture),
                item.link_kind,
                item.link,
                item.id,
                item.store_id,
                item.sort,
                item.starts_at,
                item.ends_at,
            )
            for item in await queries.list_banners()
        ]
    )


@router.post(
    f"{_MALL}/banners",
    guard=staff(Permission.BANNERS_MANAGE),
    status=201,
    summary="新增横幅",
    errors=(NotFound, ValidationFailed),
)
async def add_banner(caller: StaffCaller, body: BannerIn) -> BannerIdOut:
    """Put a picture on top of the first page, of one store or of all."""
    if body.store_id is not None:
        await reached_store(caller, body.store_id)
    return BannerIdOut(await media.add_banner(body, caller.staff_id))


@router.delete(
    f"{_MALL}/banners/{{banner_id}}", guard=staff(Permission.BANNERS_MANAGE), summary="撤下横幅", errors=(NotFound,)
)
async def remove_banner(caller: StaffCaller, banner_id: str) -> None:
    """Take a banner down."""
    await media.remove_banner(banner_id, caller.staff_id)
