"""One call of one route: who, how often, what, then the handler, then the bytes."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from backend.kernel import limits
from backend.kernel.errors import Forbidden, Unauthenticated, ValidationFailed, invalid

from . import decoding
from .errors import IdempotencyKeyRequired, UnsupportedMediaType
from .guards import public
from .request import Request
from .routing import Route
from .types import Answer, Idempotency, Reply, Response

_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")
_JSON = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?\Z', re.IGNORECASE)
_JSON_HEADER = (b"content-type", b"application/json")
_REPLAYED = (b"idempotency-replayed", b"true")
_NO_BODY = b"null"


async def call(route: Route, request: Request, values: tuple[str, ...], caller: Any) -> Response:
    """Run a route for a request whose body is there; raises every refusal as a ``DomainError``."""
    if route.watch is not None:
        return await route.watch.watch(route, request, caller, lambda: _run(route, request, values, caller))
    return await _run(route, request, values, caller)


async def _run(route: Route, request: Request, values: tuple[str, ...], caller: Any) -> Response:
    signature = route.signature
    arguments: dict[str, Any] = {}
    if signature.caller:
        arguments["caller"] = caller
    if values:
        _read_path(route, values, arguments)
    if signature.query is not None:
        arguments["query"] = read_query(request, signature.query)
    elif request.scope["query_string"] and not signature.request:
        _refuse_query(request)
    canonical = _NO_BODY
    if route.decoder is not None:
        arguments["body"], canonical = _read_json(route, request)
    elif signature.body is bytes:
        arguments["body"] = request.body
    elif request.body and not signature.request:
        canonical = _refuse_body(request)
    if signature.idem:
        key = idempotency_key(request)
        arguments["idem"] = Idempotency(key, decoding.request_hash(request.method, request.path, canonical))
    if signature.request:
        arguments["request"] = request
    return _respond(route, await route.handler(**arguments))


async def authenticate(route: Route, request: Request, anonymous_per_minute: int) -> Any:
    """The caller, counted: known ones by their key, the rest (failed log-ins too) by address."""
    if route.guard is public:
        if route.rate_limited:
            await limits.hit(f"address:{request.client}", anonymous_per_minute)
        return None
    try:
        caller = await route.guard.authenticate(request)
    except Unauthenticated:
        await limits.hit(f"address:{request.client}", anonymous_per_minute)
        raise
    except Forbidden as error:
        if route.watch is not None:
            await route.watch.refused(route, request, error)
        raise
    if route.rate_limited:
        key = getattr(caller, "rate_key", None)
        if key is not None:
            await limits.hit(key, caller.rate_per_minute)
    return caller


def _read_path(route: Route, values: tuple[str, ...], arguments: dict[str, Any]) -> None:
    for (name, hint), value in zip(route.signature.path.items(), values, strict=True):
        if "\0" in value:
            raise invalid(f"/path/{name}", "contains a NUL character")
        if hint is str:
            arguments[name] = value
            continue
        try:
            arguments[name] = msgspec.convert(value, hint, strict=False)
        except msgspec.ValidationError as error:
            raise decoding.from_msgspec(error, f"/path/{name}") from None


def read_query(request: Request, struct: type[msgspec.Struct]) -> Any:
    """The query string as a struct; texts become numbers and booleans where the struct asks for them."""
    given: dict[str, Any] = request.query
    for name, value in given.items():
        if isinstance(value, list):
            raise invalid(f"/query/{decoding.escape(name)}", "is given twice")
    try:
        return msgspec.convert(given, struct, strict=False)
    except msgspec.ValidationError as error:
        raise decoding.from_msgspec(error, "/query") from None


def _refuse_query(request: Request) -> None:
    for name in request.query:
        raise invalid(f"/query/{decoding.escape(name)}", "is not a field of this call")


def _read_json(route: Route, request: Request) -> tuple[Any, bytes]:
    body = request.body
    media_type = request.headers.get("content-type", "")
    if not body and not media_type:
        if route.signature.body_optional:
            return None, _NO_BODY
        raise invalid("", "a JSON body is required")
    if media_type != "application/json" and not _JSON.match(media_type):
        raise UnsupportedMediaType
    if not body and route.signature.body_optional:
        return None, _NO_BODY
    assert route.decoder is not None
    return decoding.decode(body, route.decoder)


def _refuse_body(request: Request) -> bytes:
    """A call without body takes none or an empty object."""
    if not _JSON.match(request.headers.get("content-type", "")):
        raise UnsupportedMediaType
    _, canonical = decoding.decode(request.body, _EMPTY)
    return _NO_BODY if canonical == b"{}" else canonical


class _Empty(msgspec.Struct, forbid_unknown_fields=True):
    """No fields."""


_EMPTY: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Empty)


def idempotency_key(request: Request) -> str:
    """The client's key; refused when it is missing (400) or not 1–255 visible ASCII characters (422)."""
    key = request.headers.get("idempotency-key", "")
    if not key:
        raise IdempotencyKeyRequired
    if not _KEY.match(key):
        raise _bad_header("Idempotency-Key", "must be 1–255 visible ASCII characters")
    return key


def _bad_header(name: str, what: str) -> ValidationFailed:
    return invalid(f"/header/{name}", what)


def _respond(route: Route, result: Any) -> Response:
    if result is None:
        return Response(204, b"", [])
    if type(result) is Reply:
        headers = [(b"content-type", result.media_type.encode())]
        headers.extend(_encoded(result.headers))
        return Response(result.status, result.body, headers)
    if type(result) is Answer:
        if result.value is None:
            return Response(result.status or 204, b"", _encoded(result.headers or {}))
        headers = [_JSON_HEADER]
        if result.replayed:
            headers.append(_REPLAYED)
        if result.headers:
            headers.extend(_encoded(result.headers))
        return Response(result.status or route.status, route.encode(result.value), headers)
    return Response(route.status, route.encode(result), [_JSON_HEADER])


def _encoded(headers: dict[str, str] | Any) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
