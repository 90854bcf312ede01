"""Who may call a route. Every route names its guard; there is no default."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from starlette.websockets import WebSocket

from .request import Request


@runtime_checkable
class Guard(Protocol):
    """Turns a request into a caller, or refuses it.

    ``name`` is shown by ``iter_routes`` and in the API's pages; ``scheme`` is the OpenAPI security scheme: a name that
    ends in ``Bearer`` (a token) or ``Hmac`` (a signed request), or None where nothing is asked for. A guard that
    never refuses with ``Forbidden`` says ``may_forbid = False``, and 403 is not documented; one that wants another
    ``WWW-Authenticate`` than ``Bearer`` has it as ``challenge``. Guards of WebSockets also have
    ``authenticate_ws(websocket)``.
    """

    @property
    def name(self) -> str:
        """As the API's pages call it."""
        ...

    @property
    def scheme(self) -> str | None:
        """The OpenAPI security scheme."""
        ...

    async def authenticate(self, request: Request) -> Any:
        """The caller; raises ``Unauthenticated``, ``Forbidden`` or ``RateLimited``."""
        ...


class Public:
    """Lets everybody in; the caller is None."""

    name = "public"
    scheme = None

    async def authenticate(self, request: Request) -> None:
        """Ask nothing."""

    async def authenticate_ws(self, websocket: WebSocket) -> None:
        """Ask nothing."""


public = Public()
"""The guard of open routes."""
