"""The lists of an archive: every table that ``members.holding`` says is to be shown, read page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.vault import vault
from backend.members.holding import Holding, Shown, Table, all_holdings, quoted

PAGE_ROWS = 500
PAGE_PICTURES = 8
END = ""
"""The place behind the last list."""

_TYPES = """
SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute
 WHERE attrelid = $1::text::regclass AND attname = ANY($2::text[]) AND NOT attisdropped"""
_EXTENSIONS = ((b"\xff\xd8", "jpg"), (b"\x89PNG", "png"), (b"RIFF", "webp"))


class Page(msgspec.Struct, frozen=True):
    """What one read brought: parts as (name of a picture, rows, content), and where the next read begins."""

    parts: list[tuple[str | None, int, bytes]]
    rows: int
    after: list[str] | None


def shown() -> list[tuple[Holding, Table]]:
    """Every list, in order."""
    return [(holding, table) for holding in all_holdings() for table in holding.tables if table.shown is not None]


Step = tuple[Table, int]
"""A list, of one of the members who became one."""


def steps(member_ids: Sequence[int]) -> list[Step]:
    """What is read for an archive, in order: list by list, each of everybody who was merged into its member too."""
    return [(table, member_id) for _, table in shown() for member_id in member_ids]


def place_of(step: Step) -> str:
    """The place that is kept of a step."""
    return f"{step[0].name}:{step[1]}"


def at(place: str | None, member_ids: Sequence[int]) -> Step | None:
    """The step that a place names, the first one for None; None behind the last, and for one that is no more."""
    every = steps(member_ids)
    if place is None:
        return every[0]
    return next((step for step in every if place_of(step) == place), None)


def following(step: Step, member_ids: Sequence[int]) -> str:
    """The place behind a step."""
    every = steps(member_ids)
    index = every.index(step) + 1
    return place_of(every[index]) if index < len(every) else END


async def read(tx: Tx, table: Table, member_id: int, after: Sequence[str] | None) -> Page:
    """One page of a member's rows, from behind ``after``; sealed columns are opened."""
    look = table.shown
    assert look is not None
    size = PAGE_PICTURES if look.pictures else PAGE_ROWS
    arguments: list[Any] = [member_id, size + 1]
    behind = "true"
    if after is not None:
        types = {row["attname"]: row["type"] for row in await db.fetch_in(tx, _TYPES, table.name, list(look.key))}
        last = ", ".join(f"($3::text[])[{n}]::{types[key]}" for n, key in enumerate(look.key, 1))
        behind = f"({_listed(look.key)}) > ({last})"
        arguments.append(list(after))
    rows = await db.fetch_in(tx, _select(table, look, behind), *arguments)
    page, more = rows[:size], len(rows) > size
    parts, records = _parts(table.name, look, page)
    if records:
        parts.append((None, len(records), msgspec.json.encode(records)))
    return Page(parts, len(page), list(page[-1]["key"]) if more else None)


def _select(table: Table, look: Shown, behind: str) -> str:
    plain = [column for column in look.columns if column not in look.pictures]
    values = ", ".join(f"'{column}', {quoted(column)}" for column in plain)
    key = ", ".join(f"{quoted(column)}::text" for column in look.key)
    pictures = "".join(f", {quoted(column)}" for column in look.pictures)
    return (
        f"SELECT jsonb_build_object({values})::text AS record, ARRAY[{key}] AS key{pictures} FROM {table.name}"
        f" WHERE ({table.whose}) AND ({look.only}) AND {behind} ORDER BY {_listed(look.key)} LIMIT $2"
    )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(quoted(column) for column in columns)


def _parts(
    name: str, look: Shown, rows: Sequence[db.Record]
) -> tuple[list[tuple[str | None, int, bytes]], list[dict[str, Any]]]:
    parts: list[tuple[str | None, int, bytes]] = []
    records = []
    for row in rows:
        record: dict[str, Any] = msgspec.json.decode(row["record"])
        for column, context in look.sealed.items():
            if record[column]:
                record[column] = _opened(vault().open(record[column], context=context))
        for column in look.pictures:
            file = f"{name}-{'-'.join(row['key'])}.{_extension(bytes(row[column]))}"
            parts.append((file, 0, bytes(row[column])))
            record[column] = file
        records.append({column: record[column] for column in look.columns})
    return parts, records


def _opened(content: bytes) -> Any:
    """What was sealed: JSON where it was sealed as JSON, else text."""
    if content[:1] in (b"{", b"["):
        return msgspec.json.decode(content)
    return content.decode()


def _extension(content: bytes) -> str:
    return next((extension for start, extension in _EXTENSIONS if content.startswith(start)), "bin")
