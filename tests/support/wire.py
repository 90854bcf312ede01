"""The clients of the tests: httpx to call them, and below it nothing but a socket and the parser the server has too.

httpx's own connections take six times as long as the server takes to answer, which was a third of what the tests cost;
what it does between them and its caller takes half as long as the server.
Everything the program itself asks over HTTP goes through httpx's.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httptools
import httpx

from tests.support.logs import watch

Origin = tuple[str, int]


@asynccontextmanager
async def connected(base_url: str, *, timeout: float = 60, connections: int = 100) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that server; no call waits longer for its answer, and no more calls are under way at once."""
    async with Client(base_url=base_url, timeout=timeout, transport=Wire(connections)) as client:
        yield client


class Client(httpx.AsyncClient):
    """Sends what it is told to and returns the whole answer. It keeps no cookies, follows nobody, logs in nowhere."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request; a stream, and whatever else httpx can do, it does."""
        if any(option is not False and option is not httpx.USE_CLIENT_DEFAULT for option in options.values()):
            return await super().send(request, **options)
        answer = await self._transport.handle_async_request(request)
        answer.request = request
        await answer.aread()
        return answer

    def _merge_url(self, url: httpx.URL | str) -> httpx.URL:
        """A path at the server is read once; httpx reads it, puts it together and reads that."""
        if isinstance(url, str) and url.startswith("/") and not url.startswith("//") and self.base_url.path == "/":
            return httpx.URL(f"{self.base_url.scheme}://{self.base_url.netloc.decode()}{url}")
        return super()._merge_url(url)


class Wire(httpx.AsyncBaseTransport):
    """HTTP/1.1 over TCP: connections are kept and used again, the last one first, as httpx does it."""

    def __init__(self, connections: int) -> None:
        self._idle: dict[Origin, list[Connection]] = collections.defaultdict(list)
        self._free = asyncio.Semaphore(connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and wait for the whole answer."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        if "Transfer-Encoding" in request.headers:
            body = b"".join([b"%x\r\n%s\r\n" % (len(part), part) async for part in request.stream]) + b"0\r\n\r\n"
        else:
            body = await request.aread()
        limit = request.extensions.get("timeout", {}).get("read")
        async with self._free:
            try:
                async with asyncio.timeout(limit):
                    return await self._ask(request, body)
            except TimeoutError as error:
                raise httpx.ReadTimeout("no answer in time", request=request) from error

    async def _ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        origin = request.url.host, request.url.port or 80
        connection = self._kept(origin) or await self._dial(origin)
        watch.sent(request.headers.raw, body)
        try:
            answer = await connection.ask(request, body)
        except BaseException:
            connection.close()
            raise
        if connection.is_reusable:
            self._idle[origin].append(connection)
        else:
            connection.close()
        return answer

    def _kept(self, origin: Origin) -> Connection | None:
        while idle := self._idle[origin]:
            connection = idle.pop()
            if connection.is_reusable:
                return connection
        return None

    async def _dial(self, origin: Origin) -> Connection:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(Connection, *origin)
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return connection

    async def aclose(self) -> None:
        """Close what is kept."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()
        await asyncio.sleep(0)  # a transport closes in the loop's next round


class Connection(asyncio.Protocol):
    """One connection, and the answer that is being read from it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser
        self._request: httpx.Request
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._answer: asyncio.Future[httpx.Response] | None = None
        self._is_last = False

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent on it."""
        return not (self._is_last or self._transport.is_closing())

    async def ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """Send the request, and wait for the whole answer to it."""
        self._request = request
        self._parser = httptools.HttpResponseParser(self)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(_head(request) + body)
        return await self._answer

    def close(self) -> None:
        """Close it, whatever is under way."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():  # what nobody asked for
            self._end("more than one answer")
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(str(error))

    def eof_received(self) -> None:
        """The server has said all; the transport closes itself."""

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"the server closed the connection: {error}")

    def _end(self, why: str) -> None:
        self._is_last = True
        self._transport.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(httpx.RemoteProtocolError(why, request=self._request))

    # What the parser calls:

    def on_message_begin(self) -> None:
        self._headers, self._body = [], []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_headers_complete(self) -> None:
        if self._request.method == "HEAD":  # the parser would wait for the body whose length is told
            self.on_message_complete()
            self._is_last = True

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        assert self._answer is not None
        if status < 200 or self._answer.done():  # 103 comes before the answer itself
            return
        self._is_last = not self._parser.should_keep_alive()
        body = b"".join(self._body)
        watch.sent((), body)
        content = httpx.ByteStream(body)
        self._answer.set_result(httpx.Response(status, headers=self._headers, stream=content))


def _head(request: httpx.Request) -> bytes:
    """The request line and the headers, as they are to go out; nothing is put right."""
    target = request.extensions.get("target", request.url.raw_path)
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), target)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    return b"\r\n".join(lines) + b"\r\n\r\n"
