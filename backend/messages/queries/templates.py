"""Templates: those that domains bring along."""

from __future__ import annotations

from ..types import Builtin, Template

_builtins: dict[str, Builtin] = {}


def declare(*builtins: Builtin) -> None:
    """Bring templates along; at import of a domain's ``events`` or ``handlers``. Codes are for good."""
    for builtin in builtins:
        if _builtins.setdefault(builtin.code, builtin) != builtin:
            raise TypeError(f"two built-in templates are called {builtin.code}")


def builtins() -> dict[str, Builtin]:
    """Every built-in of this process, by code."""
    return dict(sorted(_builtins.items()))


def of_builtin(builtin: Builtin) -> Template:
    """A built-in as it is used where staff put no other text in its place."""
    return Template(
        code=builtin.code,
        purpose=builtin.purpose,
        version=0,
        title=builtin.title,
        body=builtin.body,
        channels=builtin.channels,
        variables=builtin.variables,
        builtin=True,
    )


async def find_template(code: str) -> Template | None:
    """The template as it is used now, or None."""
    builtin = _builtins.get(code)
    return of_builtin(builtin) if builtin else None
