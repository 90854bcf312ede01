"""Members' pictures: uploaded by the phone, served to whoever was given their signed address."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import RateLimited, Unavailable, ValidationFailed
from backend.kernel.http import Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.pictures import MOST_BYTES

from .. import queries
from ..commands import uploads
from ..schemas.phone import UploadOut

router = Router(tag="mall")

_KINDS = frozenset({"image/jpeg", "image/png", "image/webp"})


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


queries.UPLOADS.serve(router, queries.find_upload, summary="会员图片")
