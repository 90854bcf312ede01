"""Temporary files: what customers send and what the merchant uploads, kept for three days.

Source: developers.weixin.qq.com, 新增图片素材 (uploadTempMedia), 获取客服消息内的临时素材 (getTempMedia).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .crypto import random_string
from .miniprogram import MiniProgram
from .platform import Platform
from .wire import PayError, WeixinError, json_response, read_body

MOST_BYTES = 10 << 20
KEPT = timedelta(days=3)

_BOUNDARY = re.compile(r"multipart/form-data;\s*boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})")
_KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"), (b"GIF8", "image/gif"))
_UPLOADED = frozenset({"image/jpeg", "image/png", "image/gif"})


class Media:
    """The files of this mini-program."""

    def __init__(self, platform: Platform, mini: MiniProgram) -> None:
        self._config, self._store = platform.config, platform.store
        self._platform, self._mini = platform, mini

    def routes(self) -> list[Route]:
        """WeChat's paths, and where a customer's screen finds a picture."""
        return [
            Route("/cgi-bin/media/upload", self._mini.answered(self.upload), methods=["POST"]),
            Route("/cgi-bin/media/get", self._refusing(self.get), methods=["GET"]),
            Route("/media/{media_id}", self._platform.open(self.show), methods=["GET"]),
        ]

    async def keep(self, data: bytes) -> str:
        """Store a file; its media id."""
        media_id, now = random_string(64), self._config.now()
        await self._store.fetch("DELETE FROM media WHERE expires_at <= $1", now)
        await self._store.fetch(
            "INSERT INTO media (media_id, kind, body, expires_at) VALUES ($1, $2, $3, $4)",
            media_id,
            _kind(data),
            data,
            now + KEPT,
        )
        return media_id

    async def upload(self, request: Request) -> dict[str, Any]:
        """A picture of the merchant's, as the field ``media`` of a form."""
        await self._mini.check_token(request)
        if request.query_params.get("type") != "image":
            raise WeixinError(40004, "invalid media type")
        data = _field(request.headers.get("content-type", ""), await read_body(request, MOST_BYTES + 4096))
        if _kind(data) not in _UPLOADED:
            raise WeixinError(40005, "invalid file type")
        at = int(self._config.now().timestamp())
        return {"type": "image", "media_id": await self.keep(data), "created_at": at}

    async def get(self, request: Request) -> Response:
        """A file as it was sent; refusals come as JSON."""
        await self._mini.check_token(request)
        return await self._file(request.query_params.get("media_id", ""))

    async def show(self, request: Request) -> Response:
        """The same, for the customer's screen."""
        try:
            return await self._file(request.path_params["media_id"])
        except WeixinError as error:
            raise PayError(404, "RESOURCE_NOT_EXISTS", error.errmsg) from None

    async def _file(self, media_id: str) -> Response:
        row = await self._store.fetchrow(
            "SELECT kind, body FROM media WHERE media_id = $1 AND expires_at > $2",
            media_id.replace("\x00", ""),
            self._config.now(),
        )
        if row is None:
            raise WeixinError(40007, "invalid media_id")
        return Response(row["body"], media_type=row["kind"], headers={"X-Content-Type-Options": "nosniff"})

    def _refusing(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return await handler(request)
            except WeixinError as error:
                return json_response({"errcode": error.errcode, "errmsg": error.errmsg})

        return endpoint


def _kind(data: bytes) -> str:
    return next((kind for start, kind in _KINDS if data.startswith(start)), "application/octet-stream")


def _field(content_type: str, body: bytes) -> bytes:
    """The content of the form's one field called ``media``."""
    boundary = _BOUNDARY.match(content_type)
    if boundary is None:
        raise WeixinError(41005, "media data missing")
    for part in body.split(b"--" + boundary[1].encode()):
        head, found, content = part.partition(b"\r\n\r\n")
        if found and b'name="media"' in head:
            return content.removesuffix(b"\r\n")
    raise WeixinError(41005, "media data missing")
