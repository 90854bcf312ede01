"""What a handler asks for by its parameter names, read once at import."""

from __future__ import annotations

import inspect
import types
from collections.abc import Awaitable, Callable
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from .types import Answer, Idempotency, Reply, is_struct

Handler = Callable[..., Awaitable[Any]]


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A handler's parameters and result. ``body`` is a Struct class, ``bytes`` for the raw body, or None."""

    caller: bool
    request: bool
    idem: bool
    body: Any
    body_optional: bool
    query: Any
    path: dict[str, Any]
    returns: Any


def read(handler: Handler, path_params: tuple[str, ...], *, idempotent: bool) -> Signature:
    """Check a handler against its path; ``TypeError`` at import for anything the pipeline could not fill."""
    where = f"{handler.__module__}.{getattr(handler, '__qualname__', handler)}"
    if not inspect.iscoroutinefunction(handler):
        raise TypeError(f"{where}: a handler is an async function")
    hints = get_type_hints(handler, include_extras=True)
    names = set(inspect.signature(handler).parameters)
    known = {"caller", "body", "query", "idem", "request", *path_params}
    if names - known:
        raise TypeError(f"{where}: unknown parameters {sorted(names - known)}; a handler may ask for {sorted(known)}")
    if missing := set(path_params) - names:
        raise TypeError(f"{where}: does not take the path's {sorted(missing)}")
    if ("idem" in names) != idempotent:
        raise TypeError(f"{where}: `idem: Idempotency` and idempotent=True go together")
    if "idem" in names and hints.get("idem") is not Idempotency:
        raise TypeError(f"{where}: idem is an Idempotency")
    body, optional = _optional(hints.get("body"))
    if body is not None and body is not bytes and not is_struct(body) and not _is_union_of_structs(body):
        raise TypeError(f"{where}: body is a Struct, or bytes for the raw body")
    query = hints.get("query")
    if query is not None and not is_struct(query):
        raise TypeError(f"{where}: query is a Struct")
    for struct in (body, query):
        if struct is not None and is_struct(struct) and not struct.__struct_config__.forbid_unknown_fields:
            raise TypeError(f"{where}: {struct.__name__} must refuse unknown fields (derive it from Body)")
    if "return" not in hints:
        raise TypeError(f"{where}: says nothing of what it returns")
    return Signature(
        caller="caller" in names,
        request="request" in names,
        idem="idem" in names,
        body=body,
        body_optional=optional,
        query=query,
        path={name: hints.get(name, str) for name in path_params},
        returns=_returned(hints["return"]),
    )


def _optional(hint: Any) -> tuple[Any, bool]:
    """``X | None`` taken apart: (X, True); anything else is itself."""
    if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
        rest = tuple(arg for arg in get_args(hint) if arg is not type(None))
        return (rest[0] if len(rest) == 1 else Union[rest]), True  # noqa: UP007 - built from a tuple
    return hint, False


def _is_union_of_structs(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType) and all(is_struct(arg) for arg in get_args(hint))


def _returned(hint: Any) -> Any:
    """The type of the JSON that goes out: what ``Answer`` holds, None for 204, ``Reply`` for raw bytes."""
    if get_origin(hint) is Answer:
        return get_args(hint)[0]
    if hint is type(None) or hint is None:
        return None
    return Reply if hint is Reply else hint
