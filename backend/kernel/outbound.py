"""Requests to addresses that somebody else has chosen (webhooks): to the public internet only.

The name is resolved once, every address it has must be public, and the connection goes to the address that was checked:
a name that means another address a moment later (DNS rebinding) changes nothing. Redirects come through here again.
Calls to addresses of the operator's own (WeChat, by settings) need none of this.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

import httpx

from .errors import DomainError, Kind

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

RESOLVE_S = 3.0
PORTS = frozenset({80, 443, 8080, 8443})


class AddressRefused(DomainError):
    """This address is not on the public internet."""

    code = "address_refused"
    kind = Kind.INVALID


def is_public(text: str) -> bool:
    """Whether an IP address is reached over the public internet, whatever form it is written in."""
    address: Address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(str(address.ipv4_mapped))
        if address.sixtofour or address.teredo:  # an IPv4 address of whatever sort inside
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def read_networks(text: str) -> list[Network]:
    """The networks of a setting, by commas; ``ValueError`` for what is none."""
    return [ipaddress.ip_network(item.strip(), strict=False) for item in text.split(",") if item.strip()]


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a host name."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_S):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class PublicOnly(httpx.AsyncBaseTransport):
    """A transport for ``httpx.AsyncClient`` that refuses with ``AddressRefused`` what is not public.

    What lies in the networks of our ``own`` is called, too: at any port, and without TLS. With ``tls`` everything else
    is called by https only. Give the client ``trust_env=False``: a proxy of the environment would resolve names itself.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport | None = None,
        *,
        resolve: Resolve = resolve,
        public: Callable[[str], bool] = is_public,
        own: Sequence[Network] = (),
        tls: bool = False,
    ) -> None:
        self._inner = inner or httpx.AsyncHTTPTransport(trust_env=False)
        self._resolve = resolve
        self._public = public
        self._own = own
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send to the address that was checked; the Host header and the certificate's name stay the host's."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        if url.scheme not in ("http", "https") or url.userinfo:
            raise AddressRefused("an address is http:// or https://, without a user")
        address = await self._checked(url.host, port)
        if not self._is_own(address) and (port not in PORTS or (self._tls and url.scheme == "http")):
            raise AddressRefused("an address on the internet has a usual port, and is called with TLS")
        pinned = httpx.Request(
            request.method,
            url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions | {"sni_hostname": url.host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _checked(self, host: str, port: int) -> str:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError, TimeoutError):
            raise AddressRefused("this host name has no address") from None
        if not addresses or not all(self._public(one) or self._is_own(one) for one in addresses):
            raise AddressRefused
        return addresses[0]

    def _is_own(self, text: str) -> bool:
        address: Address = ipaddress.ip_address(text)
        return any(address in network for network in self._own)
