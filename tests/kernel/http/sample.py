"""A small application that has one route of every sort; what the tests of ``kernel.http`` talk to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import Meta
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route as StarletteRoute
from starlette.websockets import WebSocket

from backend.kernel.errors import DomainError, Kind, Unauthenticated
from backend.kernel.http import Answer, Body, Idempotency, Reply, Request, Router, build_app, public

router = Router(tag="sample")


class SoldOut(DomainError):
    """Nothing is left of it."""

    code = "sold_out"
    kind = Kind.CONFLICT


class Caller(msgspec.Struct, frozen=True):
    name: str
    rate_key: str
    rate_per_minute: int


class TokenGuard:
    """Takes the token ``good`` (plenty of calls) and ``rare`` (three a minute)."""

    name = "member"
    scheme: str | None = "memberBearer"
    may_forbid = False

    async def authenticate(self, request: Request) -> Caller:
        return self._caller(request.headers.get("authorization", "").removeprefix("Bearer "))

    async def authenticate_ws(self, websocket: WebSocket) -> Caller:
        tokens = [item.removeprefix("bearer.") for item in websocket.scope["subprotocols"]]
        return self._caller(tokens[-1] if tokens else "")

    def _caller(self, token: str) -> Caller:
        if token not in ("good", "rare"):
            raise Unauthenticated
        return Caller(token, f"test:{token}", 3 if token == "rare" else 1_000_000)


guard = TokenGuard()
ended: list[int] = []
"""Files that were made to their end, or left."""


class PiecesQuery(Body):
    count: Annotated[int, Meta(ge=0, le=255)]
    breaks: bool = False


class Line(Body):
    sku: Annotated[str, Meta(min_length=1, max_length=64)]
    qty: Annotated[int, Meta(ge=1, le=1_000_000)]


class Order(Body):
    name: Annotated[str, Meta(max_length=64)]
    lines: Annotated[list[Line], Meta(max_length=200)] = msgspec.field(default_factory=list)
    attributes: dict[str, object] = msgspec.field(default_factory=dict)
    counts: dict[str, int] = msgspec.field(default_factory=dict)


class Made(msgspec.Struct, kw_only=True):
    id: str
    name: str
    request_hash: str


class Page(Body):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    account: Literal["stored", "points"] = "stored"
    cursor: str | None = None


class Listing(msgspec.Struct):
    limit: int
    account: str


class Seen(msgspec.Struct):
    target: str
    client: str
    id: str
    length: int


@router.post("/v1/orders", guard=guard, status=201, idempotent=True, errors=(SoldOut,), summary="下单")
async def create_order(caller: Caller, body: Order, idem: Idempotency) -> Answer[Made]:
    if body.name == "sold out":
        raise SoldOut(extra={"id": "O1", "status": "never"}, retry_after_s=7)
    made = Made(id="O1", name=body.name, request_hash=idem.request_hash.hex())
    return Answer(made, replayed=idem.key == "again", headers={"X-Sample": "yes"})


@router.post("/v1/orders/{id}/cancel", guard=guard)
async def cancel_order(id: str) -> None:  # noqa: A002 - the path's name
    """Cancel an order."""


@router.get("/v1/orders/{order_id}", guard=guard)
async def get_order(order_id: str, caller: Caller) -> Made:
    return Made(id=order_id, name=caller.name, request_hash="")


@router.get("/v1/orders", guard=guard)
async def list_orders(query: Page) -> Listing:
    return Listing(query.limit, query.account)


@router.put("/v1/logout", guard=guard)
@router.post("/v1/logout", guard=guard)
async def logout(body: Page | None) -> None:
    return


@router.get("/v1/image", guard=public)
async def image() -> Reply:
    return Reply(b"\x89PNG", "image/png", headers={"cache-control": "max-age=60"})


@router.get("/v1/large", guard=public, in_schema=False)
async def large() -> Reply:
    return Reply(b"x" * 1_000_000)


@router.get("/v1/pieces", guard=public, in_schema=False)
async def get_pieces(query: PiecesQuery) -> Reply:
    """So many pieces of a hundred thousand bytes; the last one cannot be made where it ``breaks``."""

    async def pieces() -> AsyncIterator[bytes]:
        try:
            for number in range(query.count):
                if query.breaks and number == query.count - 1:
                    raise ValueError("a piece that cannot be made")
                yield bytes([number]) * 100_000
        finally:
            ended.append(query.count)

    return Reply(pieces(), "application/octet-stream")


@router.post("/v1/raw", guard=public)
async def raw(body: bytes, request: Request) -> Seen:
    return Seen(target=request.target, client=request.client, id=request.id, length=len(body))


@router.post("/v1/pictures", guard=guard, body_limit=1_000_000, in_schema=False)
async def pictures(body: bytes, request: Request) -> Seen:
    return Seen(target=request.target, client=request.client, id=request.id, length=len(body))


@router.get("/v1/crossed", guard=public, in_schema=False)
async def crossed() -> None:
    """Is in somebody's way, who is in its own: the database ends one of the two."""
    raise asyncpg.DeadlockDetectedError("hunter2")


@router.get("/v1/broken", guard=public, in_schema=False)
async def broken() -> None:
    raise RuntimeError("the password is hunter2")


class Mistake(DomainError):
    """The plan is wrong."""

    kind = Kind.INTERNAL


@router.get("/v1/mistake", guard=public, in_schema=False)
async def mistake() -> None:
    raise Mistake('could not extend file "base/1/2": hunter2')


@router.get("/v1/slow", guard=public, in_schema=False)
async def slow() -> Listing:
    await asyncio.sleep(0.4)
    return Listing(1, "stored")


@router.get("/v1/stuck", guard=public, in_schema=False)
async def stuck() -> Listing:
    await asyncio.sleep(30)
    return Listing(1, "stored")


@router.websocket("/v1/live", guard=guard, subprotocol="sample.v1")
async def live(websocket: WebSocket, caller: Caller) -> None:
    await websocket.send_json({"hello": caller.name})
    if await websocket.receive_text() == "end my session":
        raise Unauthenticated
    await websocket.send_text("bye")


async def _hello(_: Any) -> PlainTextResponse:
    return PlainTextResponse("hello", headers={"content-security-policy": "default-src 'self'"})


async def _read(request: Any) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _fail(_: Any) -> PlainTextResponse:
    raise RuntimeError("inside")


pages = Starlette(
    routes=[
        StarletteRoute("/hello", _hello),
        StarletteRoute("/read", _read, methods=["POST"]),
        StarletteRoute("/fail", _fail),
    ]
)


def build(**options: Any) -> Any:
    """The application, with pages mounted at the root."""
    options.setdefault("checks", ())
    return build_app([router], mounts=[("", pages)], **options)
