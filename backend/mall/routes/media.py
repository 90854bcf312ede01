"""Pictures of products and stores, for whoever knows their address."""

from __future__ import annotations

import re

from backend.kernel import limits
from backend.kernel.config import settings
from backend.kernel.errors import NotFound
from backend.kernel.http import Reply, Request, Router, public

from .. import queries

router = Router(tag="mall")

_ID = re.compile(r"[0-9a-f]{64}\Z")
# An address names its bytes: it may be kept for good, and asking again needs no answer.
_FOR_GOOD = "public, max-age=31536000, immutable"


@router.get("/v1/media/{media_id}", guard=public, rate_limited=False, quiet=True, summary="图片", errors=(NotFound,))
async def get_picture(media_id: str, request: Request) -> Reply:
    """A picture, at most 1600 pixels wide and high; to be kept for good."""
    return await _picture(media_id, request, small=False)


@router.get(
    "/v1/media/{media_id}/small",
    guard=public,
    rate_limited=False,
    quiet=True,
    summary="缩略图",
    errors=(NotFound,),
)
async def get_small_picture(media_id: str, request: Request) -> Reply:
    """The same within 400 pixels, for lists."""
    return await _picture(media_id, request, small=True)


async def _picture(media_id: str, request: Request, *, small: bool) -> Reply:
    etag = f'"{media_id[:32]}{"s" if small else ""}"'
    headers = {"cache-control": _FOR_GOOD, "etag": etag, "x-content-type-options": "nosniff"}
    found = await queries.find_image(media_id, small=small) if _ID.match(media_id) else None
    if found is None:
        # What is there may be asked for by everybody at once; who guesses is counted.
        await limits.hit(f"address:{request.client}", settings().rate_anonymous_per_minute)
        raise NotFound("there is no such picture")
    kind, body = found
    if request.headers.get("if-none-match") == etag:
        return Reply(b"", kind, status=304, headers=headers)
    return Reply(body, kind, headers=headers)
