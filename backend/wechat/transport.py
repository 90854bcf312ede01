"""HTTP to WeChat: one client a process, limits on connections, time and size, no redirects, no proxy from outside."""

from __future__ import annotations

import asyncio
import logging as stdlib_logging
from collections.abc import Mapping

import httpx
import msgspec

from backend.kernel import logging

from .errors import WechatUnavailable

log = logging.get(__name__)

MAX_ANSWER_BYTES = 256 * 1024
TOTAL_S = 8.0
"""What one attempt may take, from connecting to the last byte."""

_TIMEOUT = httpx.Timeout(5.0, connect=3.0, pool=3.0)
_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30.0)


class Answer(msgspec.Struct, frozen=True):
    """Status, headers by lower-case name, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"<Answer {self.status}>"


class Unreachable(WechatUnavailable):
    """No whole answer came; what was asked may have happened."""


class Transport:
    """Sends requests; whatever goes wrong below HTTP is ``Unreachable``."""

    def __init__(self) -> None:
        # These libraries log addresses, and WeChat's addresses carry the AppSecret, codes and tokens.
        for name in ("httpx", "httpcore"):
            stdlib_logging.getLogger(name).setLevel(stdlib_logging.WARNING)
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT,
            limits=_LIMITS,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "huiyuan", "Accept": "application/json", "Accept-Encoding": "identity"},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(
        self,
        call: str,
        method: str,
        url: httpx.URL,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = MAX_ANSWER_BYTES,
        total_s: float = TOTAL_S,
    ) -> Answer:
        """One attempt within ``total_s``; ``call`` is its name for the log, ``most_bytes`` what its answer may be."""
        try:
            async with asyncio.timeout(total_s):
                request = self._client.build_request(method, url, content=content, headers=headers)
                return await self._exchange(request, most_bytes)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            log.warning("wechat.unreachable", call=call, error=type(error).__name__)
            raise Unreachable(retry_after_s=2) from None  # the cause holds the address

    async def _exchange(self, request: httpx.Request, most_bytes: int) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > most_bytes:
                    raise httpx.DecodingError("the answer is too large", request=request)
            return Answer(response.status_code, response.headers, bytes(body))
        finally:
            await response.aclose()
