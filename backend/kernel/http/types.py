"""What a handler takes and gives back, apart from its own structs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar, dataclass_transform

import msgspec

T = TypeVar("T")


# Type checkers do not inherit `frozen` and `kw_only` from a Struct's base; this tells them.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of every request body and query: unknown fields are refused, arguments are named, nothing changes later.

    ``SECRETS`` names fields of which a request's fingerprint knows nothing: few digits under a digest are soon guessed.
    A retry may lack them.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ()


class Idempotency(msgspec.Struct, frozen=True):
    """Which request this is: the client's key, and what a retry with that key must match.

    ``request_hash`` is the SHA-256 over method, path and the canonical form of the parsed JSON body (32 bytes).
    """

    key: str
    request_hash: bytes


class Answer(Generic[T]):
    """A value to send as JSON, where the handler has more to say than the value.

    Args:
        value: what the route's schema describes; ``msgspec.Raw`` sends stored JSON as it is.
        replayed: this is a stored first answer; adds ``Idempotency-Replayed: true``.
        headers: further response headers.
        status: instead of the route's own.
    """

    __slots__ = ("headers", "replayed", "status", "value")

    def __init__(
        self,
        value: T,
        *,
        replayed: bool = False,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> None:
        self.value = value
        self.replayed = replayed
        self.headers = headers
        self.status = status


class Reply(msgspec.Struct, frozen=True):
    """Bytes to send as they are: images, XML for WeChat, pages; or, piece by piece, a file as it is made.

    A file that cannot be made to its end is cut off: the connection closes before the last piece, as clients notice.
    """

    body: bytes | AsyncIterator[bytes]
    media_type: str = "application/octet-stream"
    status: int = 200
    headers: dict[str, str] = {}


class Response(msgspec.Struct):
    """What goes to the wire (inside ``kernel.http`` only)."""

    status: int
    body: bytes | AsyncIterator[bytes]
    headers: list[tuple[bytes, bytes]]


def is_struct(candidate: Any) -> bool:
    """Whether the annotation is a msgspec Struct class."""
    return isinstance(candidate, type) and issubclass(candidate, msgspec.Struct)
