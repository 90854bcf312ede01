"""Reads of sheets of labels."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.audience.types import Audience
from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.paging import Place

from ..types import Purpose, State

SHEET = (
    "SELECT id, layout, skip, purpose, audience, batch_id, store_id, state, problem, labels, pages, no_address,"
    " no_consent, created_at, ended_at FROM message_sheet"
)
_audience = msgspec.json.Decoder(Audience)


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet of labels: for whom, how far it is, and who of them is not on it."""

    id: str
    layout: str
    skip: int
    purpose: Purpose
    audience: Audience | None
    batch_id: str | None
    store_id: str | None
    state: str
    problem: str | None
    labels: int
    pages: int
    no_address: int
    no_consent: int
    created_at: datetime
    ended_at: datetime | None


class Posted(msgspec.Struct, frozen=True):
    """A letter of a batch that goes by post."""

    member_id: int
    letter_id: str
    title: str
    body: str


def sheet_of(row: db.Record) -> Sheet:
    """A row of ``SHEET``."""
    audience = _audience.decode(row["audience"]) if row["audience"] else None
    return Sheet(**dict(row) | {"purpose": Purpose(row["purpose"]), "audience": audience})


async def find_sheet(sheet_id: str) -> Sheet | None:
    """A sheet, or None."""
    row = await db.fetchrow(f"{SHEET} WHERE id = $1", sheet_id)
    return sheet_of(row) if row else None


async def list_sheets(*, store_id: str | None, before: Place | None, limit: int) -> list[Sheet]:
    """Sheets of a store (None: of all, and head office's), newest first, from below ``before``."""
    rows = await db.fetch(
        f"{SHEET} WHERE ($1::text IS NULL OR store_id = $1)"
        " AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::text))"
        " ORDER BY created_at DESC, id DESC LIMIT $4",
        store_id,
        *(before or (None, None)),
        limit,
    )
    return [sheet_of(row) for row in rows]


async def find_sealed(sheet_id: str) -> str | None:
    """The PDF of a sheet as it lies there, or None where there is none yet, or no more."""
    sealed: str | None = await db.fetchval("SELECT sealed FROM message_sheet WHERE id = $1", sheet_id)
    return sealed


async def list_posted(tx: Tx, batch_id: str, state: State, *, after: int, limit: int) -> list[Posted]:
    """The letters of a batch by post in that state, in order of their members, from above ``after``; they are locked.

    A member has at most one letter of a batch.
    """
    rows = await db.fetch_in(
        tx,
        "SELECT d.member_id, d.letter_id, l.title, l.body FROM message_delivery d"
        " JOIN message_letter l ON l.member_id = d.member_id AND l.id = d.letter_id"
        " WHERE d.batch_id = $1 AND d.channel = 'post' AND d.state = $2 AND d.member_id > $3"
        " ORDER BY d.member_id LIMIT $4 FOR UPDATE OF d",
        batch_id,
        state.value,
        after,
        limit,
    )
    return [Posted(**dict(row)) for row in rows]
