"""Typed HTTP routes. This is the guide to writing one.

A domain's ``routes.py`` has one module-level ``router``; ``backend.app`` puts the routers together::

    from backend.kernel.http import Answer, Body, Idempotency, Router

    router = Router(tag="wallet")


    class CreateRecharge(Body):
        offer_id: str | None = None
        amount_fen: Fen | None = None


    @router.post("/v1/member/recharges", guard=member, status=201, idempotent=True, errors=(OfferGone,),
                 summary="下充值单")
    async def create_recharge(caller: MemberCaller, body: CreateRecharge, idem: Idempotency) -> Answer[Recharge]:
        posted = await commands.create_recharge(caller.member_id, body, key=idem)
        return Answer(posted.recharge, replayed=posted.replayed)

**The guard** is required: who may call. A route without one does not import, and ``build_app`` checks again.
``public`` lets everybody in. What the guard's ``authenticate(request)`` returns is the handler's ``caller``; if that
has a ``rate_key`` and a ``rate_per_minute``, its calls are counted; callers without credentials (and those that were
refused) are counted by address. ``rate_limited=False`` for callbacks and probes.

**Parameters are filled by name**; anything else is a ``TypeError`` at import:

========== ====================================================================================================
caller     what the guard returned (None for ``public``)
body       a ``Body`` struct: the JSON body. ``X | None``: the body may be left out. ``bytes``: the raw body
query      a ``Body`` struct: the query string; texts become int and bool where the struct says so
<name>     for each ``{name}`` of the path: ``str``, or a type to convert to
idem       ``Idempotency(key, request_hash)``; needs ``idempotent=True``
request    the ``Request``: method, path, target (as sent), headers, body (bytes), client, id, query
========== ====================================================================================================

**What comes back**: a struct → JSON with the route's ``status``; ``None`` → 204; ``Answer(value, replayed=…,
headers=…, status=…)`` → the same with more said (``Answer(msgspec.Raw(stored))`` sends stored JSON as it is);
``Reply(body, media_type, status, headers)`` → bytes as they are, or pieces of a file as they are made.

**Refusals** are raised: any ``DomainError`` becomes ``application/problem+json``, its status chosen from its ``kind``
in ``kernel.http.problems`` alone. List the domain's own in ``errors=`` so that the API's pages know them. What is no
``DomainError`` is a 500 with the request id and no more; the log has the rest.

**Shapes** say their limits (``Annotated[str, Meta(min_length=1, max_length=64)]``, ``money.Fen``): what is not refused
there reaches the handler. Already refused before it: bodies above the limit (413), slow ones (408), another content
type (415), and with 422 and the field's JSON pointer: what is not JSON, bad UTF-8, NUL characters, keys given twice,
more than 32 levels, unknown fields, wrong types. Query and path errors point to ``/query/x`` and ``/path/x``.

**WebSockets**: ``@router.websocket("/v1/member/live", guard=member, subprotocol="huiyuan.v1")`` over ``async def
live(websocket, caller)``. The guard's ``authenticate_ws(websocket)`` runs before the handshake is accepted, and each
counts as one call; the handler gets an accepted Starlette ``WebSocket``. Refusals close with 4401, 4403, 4404, 4429
(after accepting: browsers show no code otherwise); a ``DomainError`` that the handler raises later does the same.

**Guards** are objects with ``name``, ``scheme`` (OpenAPI: ``"memberBearer"``, ``"terminalHmac"``, None) and ``async
authenticate(request)`` that raises ``Unauthenticated`` or ``Forbidden``.
"""

from .app import build_app
from .guards import Guard, Work, public
from .lanes import Crowded, Lane
from .openapi import document as openapi_document
from .problems import status_of
from .request import Request
from .routing import Route, Router, WebSocketRoute, iter_routes
from .system import Check, database_check, redis_check
from .types import Answer, Body, Idempotency, Reply, Response

__all__ = [
    "Answer",
    "Body",
    "Check",
    "Crowded",
    "Guard",
    "Idempotency",
    "Lane",
    "Reply",
    "Request",
    "Response",
    "Route",
    "Router",
    "WebSocketRoute",
    "Work",
    "build_app",
    "database_check",
    "iter_routes",
    "openapi_document",
    "public",
    "redis_check",
    "status_of",
]
