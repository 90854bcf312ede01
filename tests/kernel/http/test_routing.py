"""What cannot work does not import; what is registered can be walked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from backend.kernel.http import Answer, Body, Idempotency, Router, build_app, iter_routes, public

from . import sample
from .conftest import make_settings


class Loose(msgspec.Struct):
    """Does not refuse unknown fields."""

    a: int = 0


class Strict(Body):
    a: int = 0


async def plain() -> None:
    return


async def takes_idem(idem: Idempotency) -> None:
    return


async def takes_much(wallet: str) -> None:
    return


async def loose_body(body: Loose) -> None:
    return


async def loose_query(query: Loose) -> None:
    return


async def untold(body: Strict):
    return


def not_async() -> None:
    return


MISTAKES: list[tuple[str, Any, dict[str, Any]]] = [
    ("/x", plain, {"guard": None}),
    ("/x", plain, {"guard": object()}),
    ("/x", plain, {"guard": sample.TokenGuard}),
    ("x", plain, {}),
    ("/x/{id}", plain, {}),
    ("/x", takes_much, {}),
    ("/x", takes_idem, {}),
    ("/x", plain, {"idempotent": True}),
    ("/x", loose_body, {}),
    ("/x", loose_query, {}),
    ("/x", untold, {}),
    ("/x", not_async, {}),
]


@pytest.mark.parametrize(("path", "handler", "options"), MISTAKES)
def test_a_route_with_a_mistake_cannot_be_registered(path: str, handler: Any, options: dict[str, Any]) -> None:
    router = Router(tag="t")

    with pytest.raises(TypeError):
        router.post(path, **{"guard": public, **options})(handler)

    assert router.routes == []


def test_a_route_needs_a_guard_by_name() -> None:
    with pytest.raises(TypeError):
        Router(tag="t").get("/x")  # type: ignore[call-arg]


def test_a_websocket_needs_a_guard_that_knows_websockets() -> None:
    class HttpOnly:
        name = "http only"
        scheme = None

        async def authenticate(self, request: Any) -> None: ...

    async def handler(websocket: Any, caller: Any) -> None: ...

    with pytest.raises(TypeError):
        Router(tag="t").websocket("/x", guard=HttpOnly())(handler)


def test_a_route_whose_guard_was_taken_away_does_not_start() -> None:
    router = Router(tag="t")
    router.get("/x", guard=public)(plain)
    router.routes[0].guard = None  # type: ignore[assignment]

    with pytest.raises(TypeError):
        build_app([router], settings=make_settings())


def test_a_method_of_a_path_is_registered_once() -> None:
    router = Router(tag="t")
    router.get("/x/{a}", guard=public)(_with("a"))
    router.get("/x/{b}", guard=public)(_with("b"))

    with pytest.raises(TypeError):
        build_app([router], settings=make_settings())


def _with(name: str) -> Any:
    async def take_a(a: str) -> None: ...

    async def take_b(b: str) -> None: ...

    return {"a": take_a, "b": take_b}[name]


def test_every_route_can_be_walked() -> None:
    seen = {(getattr(route, "method", "WS"), route.path, route.guard.name) for route in iter_routes([sample.router])}

    assert ("POST", "/v1/orders", "member") in seen
    assert ("WS", "/v1/live", "member") in seen
    assert ("GET", "/v1/image", "public") in seen


def test_a_handler_is_left_as_it_was() -> None:
    async def handler() -> Answer[Strict]:
        return Answer(Strict())

    assert Router(tag="t").get("/x", guard=public)(handler) is handler
