"""The fields of what calls take, whatever lies in what."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import msgspec


def structs_in(hint: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for inner in typing.get_args(hint):
        yield from structs_in(inner)


def fields_of(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    for item in msgspec.structs.fields(struct):
        yield prefix + item.name
        for inner in structs_in(item.type):
            yield from fields_of(inner, f"{prefix}{item.name}.")
