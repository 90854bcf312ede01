"""Requests and answers as the platform's two families of API write them: ``errcode`` and ``{"code","message"}``."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

BODY_LIMIT = 64 * 1024
T = TypeVar("T")


class WeixinError(Exception):
    """A refusal of the mini-program API: always HTTP 200, told by ``errcode``."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        self.errcode, self.errmsg = errcode, errmsg
        super().__init__(errmsg)


class PayError(Exception):
    """A refusal of Pay v3, and of the simulator's own calls: an HTTP status and ``{"code","message"}``."""

    def __init__(self, status: int, code: str, message: str, detail: dict[str, Any] | None = None) -> None:
        self.status, self.code, self.message, self.detail = status, code, message, detail
        super().__init__(message)

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        found = {"code": self.code, "message": self.message}
        return found | {"detail": self.detail} if self.detail else found


async def read_body(request: Request, most: int = BODY_LIMIT) -> bytes:
    """The request's body, at most 64 KiB where nothing else is said."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > most:
            raise PayError(413, "REQUEST_TOO_LARGE", "请求体过大")
    return bytes(chunks)


def decode(body: bytes, shape: type[T]) -> T:
    """The JSON body as that shape; PARAM_ERROR that names the field otherwise."""
    if b"\\u0000" in body:
        raise PayError(400, "PARAM_ERROR", "请求体含有非法字符")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        issue, _, path = str(error).partition(" - at `$")
        field = "/" + path.rstrip("`").lstrip(".").replace(".", "/")
        detail = {"location": "body", "field": field, "issue": issue}
        raise PayError(400, "PARAM_ERROR", f"参数错误: {field}: {issue}", detail) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PayError(400, "PARAM_ERROR", "请求体不是合法的 JSON") from None


def json_response(value: Any, status: int = 200, media_type: str = "application/json") -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, media_type=media_type)
