"""HTTP to WeChat: one client a process, limits on connections, time and size, no redirects, no proxy from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
import msgspec
from aiohttp.client_middlewares import ClientHandlerType
from yarl import URL

from backend.kernel import logging

from .errors import WechatUnavailable

log = logging.get(__name__)

MAX_ANSWER_BYTES = 256 * 1024
TOTAL_S = 8.0
"""What one attempt may take, from connecting to the last byte."""

_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=3.0, sock_read=5.0)
_CONNECTIONS = 64
_KEPT_S = 30.0


class Answer(msgspec.Struct, frozen=True):
    """Status, headers by lower-case name, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"<Answer {self.status}>"


class Unreachable(WechatUnavailable):
    """No whole answer came; what was asked may have happened."""


class _Cut(Exception):
    """The connection ended before an answer."""


class Transport:
    """Sends requests; whatever goes wrong below HTTP is ``Unreachable``."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        call: str,
        method: str,
        url: URL,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One attempt; ``call`` is its name for the log."""
        try:
            async with asyncio.timeout(TOTAL_S):
                return await self._exchange(method, url, content, headers)
        except (aiohttp.ClientError, _Cut, OSError, TimeoutError) as error:
            log.warning("wechat.unreachable", call=call, error=type(error.__cause__ or error).__name__)
            raise Unreachable(retry_after_s=2) from None  # the cause holds the address

    async def _exchange(
        self, method: str, url: URL, content: bytes | None, headers: Mapping[str, str] | None
    ) -> Answer:
        async with self._client().request(
            method, url, data=content, headers=headers, allow_redirects=False
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise aiohttp.ClientPayloadError("the answer is too large")
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, names, bytes(body))

    def _client(self) -> aiohttp.ClientSession:
        """Made at the first call, because it belongs to the event loop of its calls."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEPT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=_TIMEOUT,
                trust_env=False,
                auto_decompress=False,  # none is asked for, and no bomb is opened
                middlewares=(_once,),
                headers={"User-Agent": "huiyuan", "Accept": "application/json", "Accept-Encoding": "identity"},
            )
        return self._session


async def _once(request: aiohttp.ClientRequest, send: ClientHandlerType) -> aiohttp.ClientResponse:
    """Send once: aiohttp would send a GET again after a cut connection, but a login code is good once."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Cut from error
