"""Members' pictures: uploaded by the phone, served to whoever was given their signed address."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import limits
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, RateLimited, Unavailable, ValidationFailed
from backend.kernel.http import Reply, Request, Router, public
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.pictures import MOST_BYTES

from .. import queries
from ..commands import uploads
from ..schemas.phone import AddressQuery, UploadOut

router = Router(tag="mall")

_KINDS = frozenset({"image/jpeg", "image/png", "image/webp"})
_HEADERS = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}


@router.post(
    "/v1/member/media",
    guard=member,
    status=201,
    body_limit=MOST_BYTES,
    summary="上传图片",
    errors=(ValidationFailed, UnsupportedMediaType, RateLimited, Unavailable),
)
async def add_picture(caller: MemberCaller, body: bytes, request: Request) -> UploadOut:
    """Keep a picture (JPEG, PNG or WebP, as the body, at most 8 MiB) for a review or an after-sales request.

    It is drawn anew, so that nothing but pixels is kept, and forgotten after two days in which it was not used. The
    same picture again has the same id. Up to 40 in 24 hours.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _KINDS:
        raise UnsupportedMediaType("the body must be a picture: Content-Type image/jpeg, image/png or image/webp")
    upload_id, picture = await uploads.add(body, caller.member_id)
    shown = queries.upload_address(upload_id)
    return UploadOut(upload_id, shown.url, shown.small_url, picture.width, picture.height)


@router.get(
    "/v1/uploads/{upload_id}", guard=public, rate_limited=False, quiet=True, summary="会员图片", errors=(NotFound,)
)
async def get_picture(upload_id: str, query: AddressQuery, request: Request) -> Reply:
    """A member's picture, for whoever was shown its address, while that is good."""
    return await _picture(upload_id, query, request, small=False)


@router.get(
    "/v1/uploads/{upload_id}/small",
    guard=public,
    rate_limited=False,
    quiet=True,
    summary="会员图片（缩略图）",
    errors=(NotFound,),
)
async def get_small_picture(upload_id: str, query: AddressQuery, request: Request) -> Reply:
    """The same within 400 pixels, for lists."""
    return await _picture(upload_id, query, request, small=True)


async def _picture(upload_id: str, query: AddressQuery, request: Request, *, small: bool) -> Reply:
    found = await queries.find_upload(upload_id, until=query.until, signature=query.signature, small=small)
    if found is None:
        await limits.hit(f"address:{request.client}", settings().rate_anonymous_per_minute)
        raise NotFound("there is no such picture")
    kind, body = found
    return Reply(body, kind, headers=_HEADERS)
