"""WebSockets: authenticated by the route's guard, accepted, then handed to the handler; refusals are close codes."""

from __future__ import annotations

from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from backend.kernel import config, limits, logging
from backend.kernel.errors import DomainError, Kind, Unauthenticated

from .guards import public
from .request import Receive, Scope, Send, client_address
from .routing import WebSocketRoute

log = logging.get(__name__)

CLOSE_OF: dict[Kind, int] = {
    Kind.UNAUTHENTICATED: 4401,
    Kind.FORBIDDEN: 4403,
    Kind.NOT_FOUND: 4404,
    Kind.LIMITED: 4429,
    Kind.UNAVAILABLE: 1013,
}


async def serve(route: WebSocketRoute, values: tuple[str, ...], scope: Scope, receive: Receive, send: Send) -> None:
    """Run one WebSocket from handshake to close.

    A refused one is accepted first and closed with its code (4401, 4403, …): browsers show no code for a refused
    handshake.
    """
    websocket = WebSocket(scope, receive, send)
    offered = scope.get("subprotocols", [])
    subprotocol = route.subprotocol if route.subprotocol in offered else None
    try:
        caller = await _authenticate(route.guard, websocket)
        await websocket.accept(subprotocol=subprotocol)
        parameters = dict(zip(route.path_params, values, strict=True))
        await route.handler(websocket=websocket, caller=caller, **parameters)
        await _close(websocket, 1000)
    except WebSocketDisconnect:
        return
    except DomainError as error:
        if websocket.application_state is WebSocketState.CONNECTING:
            await websocket.accept(subprotocol=subprotocol)
        await _close(websocket, CLOSE_OF.get(error.kind, 1008))
    except Exception:
        log.exception("http.websocket_failed", route=route.path)
        await _close(websocket, 1011)


async def _authenticate(guard: Any, websocket: WebSocket) -> Any:
    """The caller, counted like that of a request: known ones by their key, the rest by address."""
    try:
        caller = await guard.authenticate_ws(websocket)
    except Unauthenticated:
        await _count_address(websocket)
        raise
    if guard is public:
        await _count_address(websocket)
    elif (key := getattr(caller, "rate_key", None)) is not None:
        await limits.hit(key, caller.rate_per_minute)
    return caller


async def _count_address(websocket: WebSocket) -> None:
    settings = config.settings()
    peer, forwarded_for = websocket.client, ", ".join(websocket.headers.getlist("x-forwarded-for"))
    address = client_address(peer.host if peer else "", forwarded_for, settings.trusted_proxies)
    await limits.hit(f"address:{address}", settings.rate_anonymous_per_minute)


async def refuse_unknown(receive: Receive, send: Send) -> None:
    """There is nothing at this address: the handshake fails (403 on the wire, as ASGI servers do it)."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


async def _close(websocket: WebSocket, code: int) -> None:
    if websocket.application_state is not WebSocketState.DISCONNECTED and (
        websocket.client_state is not WebSocketState.DISCONNECTED
    ):
        await websocket.close(code)
