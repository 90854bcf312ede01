"""The API's description, OpenAPI 3.1, made from the registered routes: what runs is what is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from backend import __version__
from backend.kernel.errors import (
    DomainError,
    Forbidden,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
)

from .errors import (
    BadRequest,
    IdempotencyKeyRequired,
    InternalError,
    PayloadTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)
from .guards import public
from .lanes import Crowded
from .problems import MEDIA_TYPE, STATUS_OF, Problem, title_of
from .problems import document as problem_document
from .routing import Route, Router, WebSocketRoute, iter_routes
from .types import Reply

REF = "#/components/schemas/{name}"

_DESCRIPTION = """\
会员、储值、积分与收银的接口。金额一律为整数“分”（`*_fen`），时间为 RFC 3339 UTC，编号是不透明字符串。

- **错误**：一律 `application/problem+json`（RFC 9457）；`code` 稳定，`errors[].pointer` 用 JSON Pointer 指出字段。
- **幂等**：动账的 POST 须带 `Idempotency-Key`；同键同内容重发得到第一次的结果，并带 `Idempotency-Replayed: true`。
- **未知字段** 会被拒绝（422）；响应可能增加字段与枚举值，请忽略不认识的。
- **`503` / `429`** 带 `Retry-After`；`outcome_unknown` 时请原样重发同一请求。
"""

_TAGS = {
    "system": "健康检查与指标",
    "auth": "登录、会话与设备",
    "member": "会员",
    "members": "会员",
    "wallet": "储值、积分、明细",
    "pos": "收银（POS）",
    "mall": "商品",
    "stock": "库存与进销存",
    "orders": "购物车与订单",
    "admin": "后台",
    "wechat": "微信回调",
}


def document(routers: Iterable[Router]) -> dict[str, Any]:
    """The whole document for these routers."""
    everything = list(iter_routes(routers))
    routes = [route for route in everything if isinstance(route, Route) and route.in_schema]
    schemas = _Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    for route, name in zip(routes, _operation_ids(routes), strict=True):
        paths[route.path][route.method.lower()]["operationId"] = name
    tags = dict.fromkeys(route.tag for route in everything)
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "惠员（Huiyuan）接口", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": _TAGS[tag]} if tag in _TAGS else {"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {name: _security_scheme(name) for name in sorted(_schemes(routes))},
            "headers": _HEADERS,
        },
    }
    sockets = [_websocket(route) for route in everything if isinstance(route, WebSocketRoute)]
    if sockets:
        described["x-websockets"] = sockets
    return described


def _anything(hint: type) -> dict[str, Any]:
    """``object`` and stored JSON (``msgspec.Raw``) are any JSON; what msgspec's hook does not know, it says so."""
    if hint in (object, msgspec.Raw):
        return {"description": "任意 JSON"}
    raise NotImplementedError


def _of_text(schema: dict[str, Any]) -> dict[str, Any]:
    """A query field's schema: it is left out or it is there; a query string has no way to say null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if not choices:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf" and not (key == "default" and value is None)}
    return rest | (choices[0] if len(choices) == 1 else {"anyOf": choices})


def _operation_ids(routes: list[Route]) -> list[str]:
    """The handlers' names; with method or tag where several have the same."""
    ids = [route.name for route in routes]
    longer_names: tuple[Callable[[Route], str], ...] = (
        lambda route: f"{route.name}_{route.method.lower()}",
        lambda route: f"{route.tag}_{route.name}_{route.method.lower()}",
    )
    for longer in longer_names:
        taken = Counter(ids)
        ids = [longer(route) if taken[name] > 1 else name for route, name in zip(routes, ids, strict=True)]
    return ids


class _Schemas:
    """Every struct the routes speak of, by its component name."""

    def __init__(self, routes: list[Route]) -> None:
        wanted: list[Any] = [Problem]
        for route in routes:
            signature = route.signature
            wanted += [hint for hint in (signature.body, signature.query) if hint not in (None, bytes)]
            wanted += signature.path.values()
            if signature.returns not in (None, Reply):
                wanted.append(signature.returns)
        self._types: list[Any] = []
        for hint in wanted:
            if not any(hint is known for known in self._types):
                self._types.append(hint)
        found, components = msgspec.json.schema_components(self._types, ref_template=REF, schema_hook=_anything)
        self._found = list(found)
        self._refusals: dict[tuple[int, tuple[type[DomainError], ...]], dict[str, Any]] = {}
        self.components: dict[str, Any] = components
        problem = components["Problem"]
        problem["additionalProperties"] = True

    def of(self, hint: Any) -> dict[str, Any]:
        """The schema (most often a reference) of a type the routes use."""
        for known, schema in zip(self._types, self._found, strict=True):
            if hint is known:
                return schema
        raise KeyError(hint)

    def refusals(self, status: int, errors: list[type[DomainError]]) -> dict[str, Any]:
        """The answer of this status for these errors; one object for all routes that give it, most give the same."""
        key = (status, tuple(errors))
        if key not in self._refusals:
            self._refusals[key] = _refusals(status, errors)
        return self._refusals[key]

    def fields_of(self, struct: Any) -> tuple[dict[str, Any], list[str]]:
        """The properties of a struct and the names of those required."""
        schema = self.of(struct)
        name = schema["$ref"].rpartition("/")[2]
        component = self.components[name]
        return component.get("properties", {}), component.get("required", [])


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": "",
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": list(_parameters(route, schemas)),
        "responses": _responses(route, schemas),
    }
    description = _description(route)
    if description:
        operation["description"] = description
    if not operation["parameters"]:
        del operation["parameters"]
    body = route.signature.body
    if body is bytes:
        operation["requestBody"] = {"content": {"*/*": {"schema": {}}}}
    elif body is not None:
        operation["requestBody"] = {
            "required": not route.signature.body_optional,
            "content": {"application/json": {"schema": schemas.of(body)}},
        }
    operation["security"] = [{route.guard.scheme: []}] if route.guard.scheme else []
    operation["x-guard"] = route.guard.name
    return operation


def _description(route: Route) -> str:
    """The handler's docstring without its first line, which is the summary."""
    _, _, rest = (route.handler.__doc__ or "").strip().partition("\n")
    return "\n".join(line.strip() for line in rest.strip().splitlines())


def _parameters(route: Route, schemas: _Schemas) -> Iterator[dict[str, Any]]:
    for name, hint in route.signature.path.items():
        schema = dict(schemas.of(hint))
        if schema.get("type") == "string":
            schema.setdefault("minLength", 1)
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if route.signature.query is not None:
        properties, required = schemas.fields_of(route.signature.query)
        for name, schema in properties.items():
            parameter = {"name": name, "in": "query", "required": name in required, "schema": _of_text(schema)}
            if "description" in schema:
                parameter["description"] = schema["description"]
            yield parameter
    if route.idempotent:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "本次操作的唯一键；重试时用同一个键。",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
            "example": "8b6f1c1e-6f0e-4f0b-9a53-0a1f5b0f7d11",
        }


def errors_of(route: Route) -> list[type[DomainError]]:
    """Every refusal a route can give: the pipeline's, the guard's and its own."""
    signature = route.signature
    errors: list[type[DomainError]] = [BadRequest, ValidationFailed]
    if route.idempotent:
        errors.append(IdempotencyKeyRequired)
    if route.guard is not public:
        errors.append(Unauthenticated)
        if getattr(route.guard, "may_forbid", True):
            errors.append(Forbidden)
    if signature.path:
        errors.append(NotFound)
    errors += [RequestTimeout, PayloadTooLarge]
    if signature.body is not bytes:
        errors.append(UnsupportedMediaType)
    errors += [RateLimited, InternalError, Unavailable]
    if route.lane is not None:
        errors.append(Crowded)
    errors += [error for error in route.errors if error not in errors]
    return errors


def _responses(route: Route, schemas: _Schemas) -> dict[str, Any]:
    responses: dict[str, Any] = {str(route.status): _success(route, schemas)}
    by_status: dict[int, list[type[DomainError]]] = {}
    for error in errors_of(route):
        by_status.setdefault(STATUS_OF[error.kind], []).append(error)
    for status in sorted(by_status):
        responses[str(status)] = schemas.refusals(status, by_status[status])
    return responses


def _success(route: Route, schemas: _Schemas) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if route.idempotent:
        headers["Idempotency-Replayed"] = {"$ref": "#/components/headers/Idempotency-Replayed"}
    success: dict[str, Any] = {"description": title_of(route.status), "headers": headers}
    returns = route.signature.returns
    if returns is Reply:
        success["content"] = {"*/*": {"schema": {}}}
    elif returns is not None:
        success["content"] = {"application/json": {"schema": schemas.of(returns)}}
    return success


def _refusals(status: int, errors: list[type[DomainError]]) -> dict[str, Any]:
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    return {
        "description": "；".join(f"`{error.code}`" for error in errors),
        "headers": headers,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": REF.format(name="Problem")},
                "examples": {error.code: {"value": _example(error)} for error in errors},
            }
        },
    }


def _example(error: type[DomainError]) -> dict[str, Any]:
    """The problem document of an error with its default words."""
    plain = error.__new__(error)
    DomainError.__init__(plain)
    return problem_document(plain)


_HEADERS: dict[str, Any] = {
    "X-Request-Id": {"description": "本次请求的编号；报障时请提供。", "schema": {"type": "string"}},
    "Idempotency-Replayed": {"description": "结果来自第一次请求。", "schema": {"const": "true"}},
    "Retry-After": {"description": "多少秒后再试。", "schema": {"type": "integer", "minimum": 1}},
}


def _schemes(routes: list[Route]) -> set[str]:
    return {route.guard.scheme for route in routes if route.guard.scheme}


def _security_scheme(name: str) -> dict[str, Any]:
    if name in ("smsHmac", "mailHmac"):
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": (
                f"`HUIYUAN-HMAC-SHA256 key={name.removesuffix('Hmac')},timestamp=<unix s>,nonce=<16–64>,"
                "signature=<hex>`；signature 为 "
                "HMAC-SHA256(密钥, `METHOD\\nTARGET\\nTIMESTAMP\\nNONCE\\n` + 正文的 SHA-256)，"
                "均为小写十六进制。"
            ),
        }
    if name.endswith("Hmac"):
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": (
                "`HUIYUAN-HMAC-SHA256 terminal=<id>,timestamp=<unix s>,nonce=<8–64>,signature=<hex>`；signature 为 "
                "HMAC-SHA256(密钥, `METHOD\\nTARGET\\nTIMESTAMP\\nNONCE\\nIDEMPOTENCY-KEY\\n` + 正文的 SHA-256)，"
                "均为小写十六进制。"
            ),
        }
    shown = _SHOWN.get(name, "<access token>")
    return {"type": "http", "scheme": "bearer", "description": f"`Authorization: Bearer {shown}`"}


_SHOWN = {
    "ticketBearer": "<key_id>.<nonce>.<signature>",
    "receiptBearer": "<receipt>",
    "subscriberBearer": "<key>",
}
"""What those show who have no session."""


def _websocket(route: WebSocketRoute) -> dict[str, Any]:
    described: dict[str, Any] = {
        "path": route.path,
        "tag": route.tag,
        "summary": route.summary,
        "guard": route.guard.name,
        "description": (route.handler.__doc__ or "").strip().partition("\n")[2].strip(),
    }
    if route.subprotocol:
        described["subprotocol"] = route.subprotocol
    return described
