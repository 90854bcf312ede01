"""Who may call a route. Every route names its guard; there is no default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from starlette.websockets import WebSocket

from backend.kernel.errors import Forbidden

from .request import Request
from .types import Response


@runtime_checkable
class Guard(Protocol):
    """Turns a request into a caller, or refuses it.

    ``name`` is shown by ``iter_routes`` and in the API's pages; ``scheme`` is the OpenAPI security scheme: a name that
    ends in ``Bearer`` (a token) or ``Hmac`` (a signed request), or None where nothing is asked for. A guard that
    never refuses with ``Forbidden`` says ``may_forbid = False``, and 403 is not documented; one that wants another
    ``WWW-Authenticate`` than ``Bearer`` has it as ``challenge``. Guards of WebSockets also have
    ``authenticate_ws(websocket)``. One that has calls written down is a ``Watch`` too.
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


Work = Callable[[], Awaitable[Response]]


@runtime_checkable
class Watch(Protocol):
    """A guard that is there while its calls are worked on, and told of those that it refused."""

    async def watch(
        self, route: Any, request: Request, caller: Any, work: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Work on the call, and give back what comes of it."""
        ...

    async def refused(self, route: Any, request: Request, error: Forbidden) -> None:
        """Somebody it knows may not make this call."""
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
