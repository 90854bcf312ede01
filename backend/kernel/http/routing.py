"""Routers: modules register their handlers at import; the application puts the routers together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from backend.kernel.errors import DomainError

from . import signatures
from .guards import Guard, Watch
from .lanes import Lane
from .signatures import Handler, Signature

H = TypeVar("H", bound=Handler)

_PARAM = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class Route:
    """One method on one path, with everything that a call needs computed at import."""

    __slots__ = (
        "body_limit", "counters", "decoder", "encode", "errors", "guard", "handler", "idempotent", "in_schema",
        "lane", "method", "name", "path", "path_params", "pattern", "private", "quiet", "rate_limited", "signature",
        "status", "summary", "tag", "watch",
    )  # fmt: skip

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        tag: str,
        guard: Guard,
        status: int,
        idempotent: bool,
        errors: tuple[type[DomainError], ...],
        summary: str,
        rate_limited: bool,
        body_limit: int | None,
        in_schema: bool,
        quiet: bool,
        private: bool,
        lane: Lane | None,
    ) -> None:
        check_guard(guard, f"{method} {path}")
        self.method = method
        self.path = path
        self.handler = handler
        self.name: str = getattr(handler, "__name__", "")
        self.tag = tag
        self.guard = guard
        self.idempotent = idempotent
        self.errors = errors
        self.summary = summary or (handler.__doc__ or "").strip().split("\n")[0]
        self.rate_limited = rate_limited
        self.body_limit = body_limit
        self.in_schema = in_schema
        self.quiet = quiet
        self.private = private
        self.lane = lane
        self.path_params = path_parameters(path)
        self.pattern = path_pattern(path)
        self.signature: Signature = signatures.read(handler, self.path_params, idempotent=idempotent)
        body = self.signature.body
        self.decoder: msgspec.json.Decoder[Any] | None = None if body in (None, bytes) else msgspec.json.Decoder(body)
        self.encode = msgspec.json.Encoder().encode
        self.status = 204 if self.signature.returns is None else status
        self.watch: Watch | None = guard if method != "GET" and isinstance(guard, Watch) else None
        self.counters: dict[int, tuple[Any, Any]] = {}

    def __repr__(self) -> str:
        return f"<Route {self.method} {self.path} guard={self.guard.name}>"


class WebSocketRoute:
    """One WebSocket address."""

    __slots__ = ("guard", "handler", "path", "path_params", "pattern", "subprotocol", "summary", "tag")

    def __init__(
        self, path: str, handler: Handler, *, tag: str, guard: Guard, summary: str, subprotocol: str | None
    ) -> None:
        check_guard(guard, f"WS {path}")
        if not hasattr(guard, "authenticate_ws"):
            raise TypeError(f"WS {path}: guard {guard.name} has no authenticate_ws")
        self.path = path
        self.handler = handler
        self.tag = tag
        self.guard = guard
        self.summary = summary or (handler.__doc__ or "").strip().split("\n")[0]
        self.subprotocol = subprotocol
        self.path_params = path_parameters(path)
        self.pattern = path_pattern(path)

    def __repr__(self) -> str:
        return f"<WebSocketRoute {self.path} guard={self.guard.name}>"


class Router:
    """The routes of one module, under one tag of the API's pages."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.routes: list[Route | WebSocketRoute] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        guard: Guard,
        status: int = 200,
        idempotent: bool = False,
        errors: Iterable[type[DomainError]] = (),
        summary: str = "",
        rate_limited: bool = True,
        body_limit: int | None = None,
        in_schema: bool = True,
        quiet: bool = False,
        private: bool = False,
        lane: Lane | None = None,
    ) -> Callable[[H], H]:
        """Register a handler.

        Args:
            method: HTTP method; GET answers HEAD too.
            path: with ``{name}`` for each path parameter (one segment each).
            guard: who may call; required, ``public`` for everybody.
            status: of a success; a handler that returns None answers 204.
            idempotent: the call needs an ``Idempotency-Key`` and its handler takes ``idem``.
            errors: the domain's refusals, for the API's description.
            summary: one line for the API's pages; by default the docstring's first line.
            rate_limited: count calls against the caller's or the address's limit.
            body_limit: bytes, instead of the setting. Where it is more, and the guard goes by a token, the caller is
                asked for before the body: nobody else has room for it.
            in_schema: list it in ``/openapi.json``.
            quiet: log successes at debug level only (probes).
            private: neither log nor count its calls, whatever comes of them: when somebody called must not be known.
            lane: what its calls are worked on in, a few at a time, where they come in crowds.
        """

        def register(handler: H) -> H:
            self.routes.append(
                Route(
                    method,
                    path,
                    handler,
                    tag=self.tag,
                    guard=guard,
                    status=status,
                    idempotent=idempotent,
                    errors=tuple(errors),
                    summary=summary,
                    rate_limited=rate_limited,
                    body_limit=body_limit,
                    in_schema=in_schema,
                    quiet=quiet,
                    private=private,
                    lane=lane,
                )
            )
            return handler

        return register

    def get(self, path: str, *, guard: Guard, **options: Any) -> Callable[[H], H]:
        """Register a read; it answers HEAD too."""
        return self.route("GET", path, guard=guard, **options)

    def post(self, path: str, *, guard: Guard, **options: Any) -> Callable[[H], H]:
        """Register a POST."""
        return self.route("POST", path, guard=guard, **options)

    def put(self, path: str, *, guard: Guard, **options: Any) -> Callable[[H], H]:
        """Register a PUT."""
        return self.route("PUT", path, guard=guard, **options)

    def patch(self, path: str, *, guard: Guard, **options: Any) -> Callable[[H], H]:
        """Register a PATCH; mini-programs cannot send one, so offer the same as POST."""
        return self.route("PATCH", path, guard=guard, **options)

    def delete(self, path: str, *, guard: Guard, **options: Any) -> Callable[[H], H]:
        """Register a DELETE."""
        return self.route("DELETE", path, guard=guard, **options)

    def websocket(
        self, path: str, *, guard: Guard, summary: str = "", subprotocol: str | None = None
    ) -> Callable[[H], H]:
        """Register a WebSocket: ``async def live(websocket, caller)`` gets it authenticated and accepted."""

        def register(handler: H) -> H:
            self.routes.append(
                WebSocketRoute(path, handler, tag=self.tag, guard=guard, summary=summary, subprotocol=subprotocol)
            )
            return handler

        return register


def check_guard(guard: object, where: str) -> None:
    """``TypeError`` unless the object is a guard: a route without one must not start."""
    if not isinstance(guard, Guard) or isinstance(guard, type):
        raise TypeError(f"{where}: guard is {guard!r}, not a guard; say `public` where everybody may call")


def path_parameters(path: str) -> tuple[str, ...]:
    """The names in braces, in order."""
    if not path.startswith("/"):
        raise TypeError(f"{path!r}: a path begins with a slash")
    return tuple(_PARAM.findall(path))


def path_pattern(path: str) -> re.Pattern[str]:
    """A path as a regular expression; a parameter is one non-empty segment."""
    parts = _PARAM.split(path)
    literal = [re.escape(part) if index % 2 == 0 else "([^/]+)" for index, part in enumerate(parts)]
    return re.compile("".join(literal) + r"\Z", re.DOTALL)


def iter_routes(routers: Iterable[Router]) -> Iterator[Route | WebSocketRoute]:
    """Every route of the routers, in order of registration; what a test of the guards walks."""
    for router in routers:
        yield from router.routes


def check_routes(routers: Iterable[Router]) -> None:
    """Start-up check: every route has a guard, and no method of a path is registered twice."""
    seen: set[tuple[str, str]] = set()
    for route in iter_routes(routers):
        method = route.method if isinstance(route, Route) else "WS"
        check_guard(route.guard, f"{method} {route.path}")
        key = (method, _PARAM.sub("{}", route.path))
        if key in seen:
            raise TypeError(f"{method} {route.path} is registered twice")
        seen.add(key)


class Table:
    """Finds what is registered at a path: whole paths by dictionary, templates by number of segments."""

    def __init__(self, routes: Iterable[Route | WebSocketRoute]) -> None:
        self._exact: dict[str, dict[str, Any]] = {}
        self._templates: dict[int, list[tuple[re.Pattern[str], dict[str, Any]]]] = {}
        by_template: dict[str, dict[str, Any]] = {}
        for route in routes:
            method = route.method if isinstance(route, Route) else "WS"
            methods = by_template.get(route.pattern.pattern)
            if methods is None:
                methods = by_template[route.pattern.pattern] = {}
                if route.path_params:
                    self._templates.setdefault(route.path.count("/"), []).append((route.pattern, methods))
                else:
                    self._exact[route.path] = methods
            methods[method] = route
            if method == "GET":
                methods.setdefault("HEAD", route)

    def find(self, path: str) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        """The routes of a path by method, and the path's parameters in order; (None, ()) where there is nothing."""
        methods = self._exact.get(path)
        if methods is not None:
            return methods, ()
        for pattern, methods in self._templates.get(path.count("/"), ()):
            if match := pattern.match(path):
                return methods, match.groups()
        return None, ()
