"""Documents: one, a member's, and those that are due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from backend.kernel import db, ids

from ..types import Document

_DOCUMENT = "member_id, id, kind, state, version, store_id, body, progress, memo, at, updated_at, due_at"


def _document(row: db.Record) -> Document:
    fields = dict(row)
    for name in ("body", "progress", "memo"):
        fields[name] = msgspec.json.decode(fields[name])
    return Document(**fields)


async def find_document(member_id: int, document_id: str) -> Document | None:
    """A member's document, or None."""
    row = await db.fetchrow(
        f"SELECT {_DOCUMENT} FROM ledger_document WHERE member_id = $1 AND id = $2", member_id, document_id
    )
    return _document(row) if row else None


_BY_IDS = f"""
SELECT d.* FROM unnest({db.given(1, "bigint")}, {db.given(2, "text")}) AS w (member_id, id)
  JOIN (SELECT {_DOCUMENT} FROM ledger_document) d ON d.member_id = w.member_id AND d.id = w.id"""


async def find_documents(wanted: Iterable[tuple[int, str]]) -> dict[str, Document]:
    """Those of these ``(member, id)`` that there are, by id."""
    keys = list(wanted)
    rows = await db.fetch(_BY_IDS, [member_id for member_id, _ in keys], [document_id for _, document_id in keys])
    return {row["id"]: _document(row) for row in rows}


async def find_documents_of(document_ids: Iterable[str]) -> dict[str, Document]:
    """Those of these documents that there are, by id, whosever they are: an id says it, also after a merge.

    For who knows already that they may read them: a job that follows a fact.
    """
    named = [(ids.member_of(document_id, document_id[:1]), document_id) for document_id in document_ids]
    return await find_documents([(member_id, document_id) for member_id, document_id in named if member_id])


_AFTER = f"""
SELECT {_DOCUMENT} FROM ledger_document
 WHERE (member_id, id) > ($2, $3) AND kind = ANY($1) ORDER BY member_id, id LIMIT $4"""


async def list_documents_after(kinds: Sequence[str], member_id: int, document_id: str, limit: int) -> list[Document]:
    """Documents of these kinds, whoever's they are, in the order of member and id, from behind that one."""
    return [_document(row) for row in await db.fetch(_AFTER, list(kinds), member_id, document_id, limit)]


async def list_documents(
    member_id: int, kind: str, *, states: Sequence[str], limit: int, store_id: str | None = None
) -> list[Document]:
    """A member's documents of a kind in these states, newest first; of one store, or of any."""
    rows = await db.fetch(
        f"SELECT {_DOCUMENT} FROM ledger_document WHERE member_id = $1 AND kind = $2 AND state = ANY($3)"
        " AND ($5::text IS NULL OR store_id = $5) ORDER BY at DESC, id LIMIT $4",
        member_id,
        kind,
        list(states),
        limit,
        store_id,
    )
    return [_document(row) for row in rows]


async def list_documents_before(
    member_id: int, kind: str, *, before: tuple[datetime, str] | None, limit: int
) -> list[Document]:
    """A page of a member's documents of a kind, newest first, from behind that time and id."""
    at, document_id = before or (None, "")
    rows = await db.fetch(
        f"SELECT {_DOCUMENT} FROM ledger_document WHERE member_id = $1 AND kind = $2"
        " AND ($3::timestamptz IS NULL OR (at, id) < ($3, $4)) ORDER BY at DESC, id DESC LIMIT $5",
        member_id,
        kind,
        at,
        document_id,
        limit,
    )
    return [_document(row) for row in rows]


async def list_due(kind: str, *, before: datetime, limit: int) -> list[Document]:
    """Documents of a kind whose time has come, the longest overdue first."""
    rows = await db.fetch(
        f"SELECT {_DOCUMENT} FROM ledger_document WHERE kind = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3",
        kind,
        before,
        limit,
    )
    return [_document(row) for row in rows]
