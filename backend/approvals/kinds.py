"""The kinds that domains declared when they were imported."""

from __future__ import annotations

from .types import Kind

_kinds: dict[str, Kind] = {}


def declare(*kinds: Kind) -> None:
    """Make kinds known; a domain does it when its ``handlers`` are imported. Two of one code are a mistake."""
    for kind in kinds:
        if _kinds.setdefault(kind.code, kind) is not kind:
            raise TypeError(f"two kinds of approvals are called {kind.code}")


def find(code: str) -> Kind | None:
    """The kind of that code; None where no domain of this release declares it."""
    return _kinds.get(code)


def every() -> list[Kind]:
    """All kinds, by code."""
    return [_kinds[code] for code in sorted(_kinds)]
