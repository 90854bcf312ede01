"""The application: our routes in front, Starlette behind for lifespan, mounted applications and files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from time import perf_counter
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from structlog.contextvars import bind_contextvars

from backend.kernel import config, db, logging
from backend.kernel.config import Settings
from backend.kernel.errors import DomainError, Kind, NotFound, Unavailable

from . import mounted, problems, sockets, system
from .access import MOUNTED, UNKNOWN, AccessLog
from .errors import (
    ClientGone,
    InternalError,
    MethodNotAllowed,
)
from .lanes import others
from .pipeline import authenticate, call
from .request import Receive, Request, Scope, Send, read_body
from .routing import Route, Router, Table, check_routes, iter_routes
from .types import Response

log = logging.get("http")

PIECE_TIMEOUT_S = 60.0
MAX_IN_FLIGHT = 2_000
"""Requests a process works on at once; more are refused with 503 before anything is done for them."""

API_HEADERS: list[tuple[bytes, bytes]] = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]
_API_HEADER_NAMES = frozenset(name for name, _ in API_HEADERS)
MountLike = BaseRoute | tuple[str, Any]


def build_app(
    routers: Sequence[Router],
    *,
    lifespan: Callable[[Starlette], Any] | None = None,
    mounts: Sequence[MountLike] = (),
    checks: Sequence[system.Check] = (system.database_check, system.redis_check),
    settings: Settings | None = None,
) -> HttpApp:
    """Put the routers together; ``TypeError`` for a route without a guard or registered twice.

    Args:
        routers: the modules' routers; health, metrics and the API's pages are added.
        lifespan: Starlette's: an async context manager over start-up and shutdown.
        mounts: Starlette routes or (prefix, ASGI app) pairs, asked in order for what no route of ours answers; what
            begins with ``/v1/`` is never theirs.
        checks: what ``/readyz`` asks.
        settings: by default the process's.
    """
    everything = [*routers, system.build_router(routers, checks)]
    check_routes(everything)
    return HttpApp(everything, lifespan, mounts, settings or config.settings())


class HttpApp:
    """The ASGI application."""

    def __init__(
        self,
        routers: Sequence[Router],
        lifespan: Callable[[Starlette], Any] | None,
        mounts: Sequence[MountLike],
        settings: Settings,
    ) -> None:
        self.routers = routers
        self.settings = settings
        self._table = Table(iter_routes(routers))
        routes = [route for route in iter_routes(routers) if isinstance(route, Route)]
        limits = [route.body_limit or 0 for route in routes if not self._asks_first(route)]
        self.largest_body_bytes = max([settings.body_limit_bytes, *limits])
        self.largest_admitted_bytes = max(
            (route.body_limit or 0 for route in routes if self._asks_first(route)), default=0
        )
        self._has_mounts = bool(mounts)
        self._outside = Starlette(
            routes=[Mount(item[0], app=item[1]) if isinstance(item, tuple) else item for item in mounts],
            lifespan=lifespan,
        )
        self._outside.router.redirect_slashes = False
        self._access = AccessLog(settings)
        self._in_flight = 0

    @property
    def state(self) -> Any:
        """Starlette's application state, for what the lifespan wants to keep."""
        return self._outside.state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event: a request, a WebSocket, or the server's start and end."""
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._outside(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        request = Request(scope, self.settings.trusted_proxies)
        bind_contextvars(request_id=request.id)
        path = request.path
        methods, values = self._table.find(path)
        if methods is None and self._has_mounts and not path.startswith("/v1/"):
            status = await mounted.serve(self._outside, request, receive, send, self.settings)
            self._access.note(request, None, MOUNTED, status, started)
            return
        route: Route | None = methods.get(request.method) if methods else None
        label = route.path if route else UNKNOWN
        self._in_flight += 1
        is_other = route is None or route.lane is None
        if is_other:
            others.begin()
        try:
            response = await self._answer(route, methods, values, request, receive)
            await _send(response, request, send)
        except ClientGone:
            self._access.note(request, route, label, 499, started)
            return
        except asyncio.CancelledError:
            # Only a shutdown whose grace is over cancels a request: say so, as far as the client still listens.
            await _send(problems.response(Unavailable(), request.id), request, send)
            raise
        finally:
            self._in_flight -= 1
            if is_other:
                others.end()
        self._access.note(request, route, label, response.status, started)

    async def _answer(
        self,
        route: Route | None,
        methods: dict[str, Any] | None,
        values: tuple[str, ...],
        request: Request,
        receive: Receive,
    ) -> Response:
        try:
            if self._in_flight > MAX_IN_FLIGHT:
                raise Unavailable("the server is busy; try again in a moment")
            if route is None:
                if methods is None or not any(name != "WS" for name in methods):
                    raise NotFound("there is nothing at this address")
                raise MethodNotAllowed(", ".join(sorted(name for name in methods if name != "WS")))
            return await self._call(route, values, request, receive)
        except DomainError as error:
            if error.kind is Kind.INTERNAL:  # a mistake of ours; what it says is for the log
                log.exception("http.failed", method=request.method, route=route.path if route else "")
                return problems.response(InternalError(), request.id)
            challenge = getattr(route.guard, "challenge", "Bearer") if route else "Bearer"
            return problems.response(error, request.id, challenge)
        except ClientGone:
            raise
        except db.UNREACHABLE as error:
            log.error("http.database_unreachable", method=request.method, error=type(error).__name__)
            return problems.response(Unavailable("the database cannot be reached; try again"), request.id)
        except Exception:
            log.exception("http.failed", method=request.method, route=route.path if route else "")
            return problems.response(InternalError(), request.id)

    async def _call(self, route: Route, values: tuple[str, ...], request: Request, receive: Receive) -> Response:
        """Read the body and find the caller; the caller first where the body may be larger than others'."""
        settings = self.settings
        request.unread = True
        asks_first = route.body_limit is not None and self._asks_first(route)
        caller = await authenticate(route, request, settings.rate_anonymous_per_minute) if asks_first else None
        if asks_first:
            request.admit()
        limit = route.body_limit or settings.body_limit_bytes
        request.body = await read_body(request, receive, limit=limit, timeout_s=settings.body_timeout_s)
        request.unread = False
        if route.lane is None:
            return await self._work(route, values, request, caller)
        return await route.lane.run(lambda: self._work(route, values, request, caller))

    async def _work(self, route: Route, values: tuple[str, ...], request: Request, caller: Any) -> Response:
        """Find the caller, where that was not done, and run the route."""
        if caller is None:
            caller = await authenticate(route, request, self.settings.rate_anonymous_per_minute)
        return await call(route, request, values, caller)

    def _asks_first(self, route: Route) -> bool:
        """Whether a route takes more than others, of callers whom their token alone makes known."""
        return (route.body_limit or 0) > self.settings.body_limit_bytes and (route.guard.scheme or "").endswith(
            "Bearer"
        )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods, values = self._table.find(scope["path"])
        route = methods.get("WS") if methods else None
        if route is not None:
            await sockets.serve(route, values, scope, receive, send)
        elif self._has_mounts and not scope["path"].startswith("/v1/"):
            await self._outside(scope, receive, send)
        else:
            await sockets.refuse_unknown(receive, send)


async def _send(response: Response, request: Request, send: Send) -> None:
    headers = response.headers
    own = {name for name, _ in headers}
    headers += API_HEADERS if own.isdisjoint(_API_HEADER_NAMES) else [h for h in API_HEADERS if h[0] not in own]
    headers.append((b"x-request-id", request.id.encode()))
    body = response.body
    if isinstance(body, bytes) and response.status != 204:
        headers.append((b"content-length", str(len(body)).encode()))
    if request.unread:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body, "more_body": False})
    else:
        await _send_pieces(body, send)


async def _send_pieces(pieces: AsyncIterator[bytes], send: Send) -> None:
    """A file as it is made; who takes none of it for a minute is left. What fails on the way cuts it off."""
    try:
        async for piece in pieces:
            async with asyncio.timeout(PIECE_TIMEOUT_S):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except (Exception, asyncio.CancelledError) as error:  # the head is out: there is no other answer any more
        log.warning("http.cut_off", error=type(error).__name__)
        raise ClientGone from error
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
