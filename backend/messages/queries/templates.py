"""Templates: those that domains bring along, with the texts that staff put in their place, and staff's own."""

from __future__ import annotations

import msgspec

from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.kept import Kept

from ..types import Builtin, Channel, Purpose, Template, Text, Variable

KEPT_S = 2.0
"""How old the texts may be that letters are written with."""

MOST = 500
"""Templates of staff's own."""

_VERSION = (
    "SELECT t.code, t.purpose, t.builtin, v.version, v.title, v.body, v.channels, v.variables, v.texts"
    " FROM message_template t JOIN message_template_version v ON v.code = t.code"
)
_variables = msgspec.json.Decoder(tuple[Variable, ...])
_texts = msgspec.json.Decoder(dict[Channel, Text])
_builtins: dict[str, Builtin] = {}


def declare(*builtins: Builtin) -> None:
    """Bring templates along; at import of a domain's ``events`` or ``handlers``. Codes are for good."""
    for builtin in builtins:
        if _builtins.setdefault(builtin.code, builtin) != builtin:
            raise TypeError(f"two built-in templates are called {builtin.code}")


def find_builtin(code: str) -> Template | None:
    """A built-in with its own text, or None."""
    builtin = _builtins.get(code)
    if builtin is None:
        return None
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


def _template(row: db.Record) -> Template:
    return Template(
        code=row["code"],
        purpose=Purpose(row["purpose"]),
        version=row["version"],
        title=row["title"],
        body=row["body"],
        channels=tuple(Channel(name) for name in row["channels"]),
        variables=_variables.decode(row["variables"]),
        texts=_texts.decode(row["texts"]),
        builtin=row["builtin"],
    )


async def _read_written() -> dict[str, Template]:
    rows = await db.fetch(f"{_VERSION} WHERE v.version = t.version ORDER BY t.code")
    return {row["code"]: _template(row) for row in rows}


_written = Kept(_read_written, keep_s=KEPT_S)


def forget_templates() -> None:
    """Read the texts again at the next question: one was changed here."""
    _written.forget()


async def find_template(code: str) -> Template | None:
    """The template as it is used now, or None; at most ``KEPT_S`` old."""
    return (await _written.get()).get(code) or find_builtin(code)


async def list_templates() -> list[Template]:
    """Every template as it is used now, by code."""
    written = await _written.get()
    known = {code: found for code in _builtins if (found := find_builtin(code)) is not None} | written
    return [known[code] for code in sorted(known)]


async def find_version(code: str, version: int) -> Template | None:
    """A template as one version says it; 0 is the built-in's own text."""
    if version == 0:
        return find_builtin(code)
    row = await db.fetchrow(f"{_VERSION} WHERE v.code = $1 AND v.version = $2", code, version)
    return _template(row) if row else None


async def list_versions(code: str, *, before: int | None, limit: int) -> list[Template]:
    """A template's versions, newest first, from below ``before``; a built-in's own text is not among them."""
    rows = await db.fetch(
        f"{_VERSION} WHERE v.code = $1 AND ($2::int IS NULL OR v.version < $2) ORDER BY v.version DESC LIMIT $3",
        code,
        before,
        limit,
    )
    return [_template(row) for row in rows]


changes = Changes("message_template_change", "code")
"""What staff did to a template."""
