"""The request as guards and handlers see it, and the reading of its body within size and time."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from backend.kernel.errors import invalid

from .errors import (
    BadRequest,
    ClientGone,
    PayloadTooLarge,
    RequestTimeout,
    UnsupportedEncoding,
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ADMIT = "huiyuan.admit"
"""The ASGI extension by which the server is told that a sender is known and has its body counted among such."""

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


class Request:
    """One HTTP request: method, decoded path, lower-case headers, the whole body, who sent it and its id.

    ``unread``: its body is awaited. An answer given meanwhile ends the connection, for the rest is no request.
    """

    __slots__ = ("_trusted", "body", "headers", "id", "id_given", "method", "path", "path_params", "scope", "unread")

    def __init__(self, scope: Scope, trusted_proxies: str = "") -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.path_params: dict[str, str] = {}
        self.body = b""
        self.unread = False
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name = raw_name.decode("latin-1")
            value = raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self.headers = headers
        given = headers.get("x-request-id")
        self.id_given = given is not None and _SANE_ID.match(given) is not None
        self.id = given if given is not None and self.id_given else os.urandom(12).hex()
        self._trusted = trusted_proxies

    def admit(self) -> None:
        """The caller is known and may send more than others: the body is counted with theirs from here on."""
        admit = self.scope.get("extensions", {}).get(ADMIT)
        if admit is not None:  # not where all of it is here already
            admit()

    @property
    def target(self) -> str:
        """The request target exactly as sent: path, and ``?query`` if there was one."""
        path: str = self.scope["raw_path"].decode("latin-1")
        query: bytes = self.scope["query_string"]
        return f"{path}?{query.decode('latin-1')}" if query else path

    @property
    def client(self) -> str:
        """The sender's address; behind a trusted proxy the one it names. IPv6 senders count as their /64 network."""
        peer = self.scope.get("client")
        return client_address(peer[0] if peer else "", self.headers.get("x-forwarded-for", ""), self._trusted)

    @property
    def query(self) -> dict[str, str | list[str]]:
        """The query string's fields; a field that is repeated is a list. Text that is not UTF-8 is refused."""
        raw: bytes = self.scope["query_string"]
        if not raw:
            return {}
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
        except UnicodeDecodeError:
            raise invalid("/query", "is not UTF-8") from None
        except ValueError:
            raise invalid("/query", "has too many fields") from None
        fields: dict[str, str | list[str]] = {}
        for name, value in pairs:
            if "\0" in name or "\0" in value:
                raise invalid(f"/query/{name[:100]}".replace("\0", ""), "contains a NUL character")
            earlier = fields.get(name)
            if earlier is None:
                fields[name] = value
            elif isinstance(earlier, list):
                earlier.append(value)
            else:
                fields[name] = [earlier, value]
        return fields


@lru_cache(maxsize=8)
def _networks(trusted: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(item.strip(), strict=False) for item in trusted.split(",") if item.strip())


_FORWARDED_CHARACTERS = 500
"""As much of ``X-Forwarded-For`` as is looked at, from the right: what proxies of ours have added is there."""


def client_address(peer: str, forwarded_for: str, trusted: str) -> str:
    """The address to count by: the right-most in ``X-Forwarded-For`` that is not a trusted proxy's own.

    Without trusted proxies the header is not looked at, so that nobody fills the memory of what was seen before.
    """
    return _client_address(peer, forwarded_for[-_FORWARDED_CHARACTERS:] if trusted else "", trusted)


@lru_cache(maxsize=4096)
def _client_address(peer: str, forwarded_for: str, trusted: str) -> str:
    networks = _networks(trusted)
    address = peer
    for hop in reversed([*forwarded_for.split(","), peer] if forwarded_for else [peer]):
        parsed = _parse(hop.strip())
        if parsed is None:
            break
        address = hop.strip()
        if not any(parsed in network for network in networks if network.version == parsed.version):
            break
    final = _parse(address)
    if isinstance(final, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(final), 64), strict=False))
    return str(final) if final else "local"


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A server that listens on :: sees IPv4 clients, and proxies, as mapped addresses.
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def announced_length(request: Request) -> int | None:
    """The body's length by its header: 0 for none, None for a chunked body of unknown length."""
    if "transfer-encoding" in request.headers:
        return None
    text = request.headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest("Content-Length is not a number")
    return int(text)


async def read_body(request: Request, receive: Receive, *, limit: int, timeout_s: float) -> bytes:
    """The body; ``PayloadTooLarge`` before more than ``limit`` bytes are kept, ``RequestTimeout`` for slow ones."""
    length = announced_length(request)
    if length == 0:
        return b""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedEncoding
    if length is not None and length > limit:
        raise PayloadTooLarge(f"a request body may have at most {limit} bytes")
    # A bare timer, not asyncio.timeout(): this runs for every request, and is three times cheaper.
    task = asyncio.current_task()
    assert task is not None
    timer = _Timer(task)
    handle = asyncio.get_running_loop().call_later(timeout_s, timer.fire)
    try:
        return await _collect(receive, limit)
    except asyncio.CancelledError:
        if timer.fired and task.uncancel() == 0:
            raise RequestTimeout("the request body did not arrive in time") from None
        raise
    finally:
        handle.cancel()


class _Timer:
    """Cancels a task once, and knows that it did."""

    __slots__ = ("fired", "task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.fired = False

    def fire(self) -> None:
        self.fired = True
        self.task.cancel()


async def _collect(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        if len(whole) > limit:
            raise PayloadTooLarge(f"a request body may have at most {limit} bytes")
        return whole
    return await _collect_pieces(message, receive, limit)


async def _collect_pieces(message: MutableMapping[str, Any], receive: Receive, limit: int) -> bytes:
    body = bytearray()  # a list of pieces would weigh many times what a trickling client sends
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            raise PayloadTooLarge(f"a request body may have at most {limit} bytes")
        if not message.get("more_body", False):
            return bytes(body)
        message.clear()  # while the next piece is waited for, only one copy of this one is kept
        message = await receive()
