"""Suggestions and what was said in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place
from backend.kernel.vault import vault

from ..types import Author, Message, Suggestion, SuggestionState

RECEIPT_CONTEXT = "suggestion.receipt"
"""The vault's context of the digests that receipts are found by."""

_FIELDS = (
    "s.id, s.box_id, s.member_id, s.state, s.day, s.at, s.assigned_to, s.answered_at, s.closed_at, s.rating,"
    " s.rating_text, s.messages, s.unanswered, s.version"
)
SUGGESTION = f"SELECT {_FIELDS} FROM suggestion s"  # noqa: S608 - put together of constants
_MESSAGE = "SELECT suggestion_id, seq, author, staff_id, text, pictures, day, at FROM suggestion_message"
_names = msgspec.json.Decoder(tuple[str, ...])


def suggestion_of(row: db.Record) -> Suggestion:
    """A row of ``SUGGESTION``."""
    return Suggestion(**dict(row) | {"state": SuggestionState(row["state"])})


def _message(row: db.Record) -> Message:
    return Message(
        **dict(row) | {"author": Author(row["author"]), "pictures": _names.decode(row["pictures"])},
    )


def receipt_digest(receipt: str) -> str:
    """What a suggestion is found by, of its receipt."""
    return vault().blind_index(receipt, context=RECEIPT_CONTEXT)


async def find_by_receipt(receipt: str) -> str | None:
    """The id of the suggestion with that receipt, or None."""
    found: str | None = await db.fetchval("SELECT id FROM suggestion WHERE receipt = $1", receipt_digest(receipt))
    return found


async def find_suggestion(suggestion_id: str) -> Suggestion | None:
    """A suggestion as it stands, or None."""
    row = await db.fetchrow(f"{SUGGESTION} WHERE s.id = $1", suggestion_id)
    return suggestion_of(row) if row else None


async def get_suggestion(suggestion_id: str) -> Suggestion:
    """A suggestion; ``NotFound`` for none."""
    found = await find_suggestion(suggestion_id)
    if found is None:
        raise NotFound("there is no such suggestion")
    return found


async def list_messages(suggestion_id: str) -> list[Message]:
    """All that was said, oldest first; a suggestion has at most a hundred messages and an answer to each."""
    rows = await db.fetch(f"{_MESSAGE} WHERE suggestion_id = $1 ORDER BY seq", suggestion_id)
    return [_message(row) for row in rows]


async def messages_in(tx: Tx, message_id: str) -> tuple[str, str] | None:
    """Suggestion and request of the message with that id, on an open transaction; None for none."""
    rows = await db.fetch_in(tx, "SELECT suggestion_id, request FROM suggestion_message WHERE id = $1", message_id)
    return (rows[0][0], rows[0][1]) if rows else None


async def list_of_member(
    member_id: int, *, before: Place | None, limit: int, box_ids: Sequence[str] | None = None
) -> list[tuple[Suggestion, str]]:
    """A member's signed suggestions with their first words, newest first; those in these boxes, or in all."""
    rows = await db.fetch(
        f"SELECT {_FIELDS}, m.text FROM suggestion s"  # noqa: S608 - put together of constants
        " JOIN suggestion_message m ON m.suggestion_id = s.id AND m.seq = 1"
        " WHERE s.member_id = $1 AND ($2::timestamptz IS NULL OR (s.at, s.id) < ($2, $3))"
        " AND ($5::text[] IS NULL OR s.box_id = ANY($5)) ORDER BY s.at DESC, s.id DESC LIMIT $4",
        member_id,
        *(before or (None, None)),
        limit,
        None if box_ids is None else list(box_ids),
    )
    return [_with_text(row) for row in rows]


# A page of each box, then the page of them all: a box is read as far as the page goes, however much is in it.
_INBOX = f"""
SELECT {_FIELDS}, m.text
  FROM (SELECT n.* FROM unnest($1::text[]) AS b (id) CROSS JOIN LATERAL (
            SELECT * FROM suggestion WHERE box_id = b.id %s ORDER BY day DESC, id DESC LIMIT $2) AS n
         ORDER BY n.day DESC, n.id DESC LIMIT $2) AS s
  JOIN suggestion_message m ON m.suggestion_id = s.id AND m.seq = 1
 ORDER BY s.day DESC, s.id DESC"""  # noqa: S608 - put together of constants


async def list_inbox(
    box_ids: Sequence[str], state: SuggestionState | None, *, before: tuple[date, str] | None, limit: int
) -> list[tuple[Suggestion, str]]:
    """What is in these boxes with its first words, the newest day first; within a day in no order of time."""
    conditions, arguments = "", list[object]([list(box_ids), limit])
    if state is not None:
        arguments.append(state.value)
        conditions += f" AND state = ${len(arguments)}"
    if before is not None:
        arguments += before
        conditions += f" AND (day, id) < (${len(arguments) - 1}, ${len(arguments)})"
    rows = await db.fetch(_INBOX % conditions, *arguments)
    return [_with_text(row) for row in rows]


def _with_text(row: db.Record) -> tuple[Suggestion, str]:
    fields = dict(row)
    text: str = fields.pop("text")
    return Suggestion(**fields | {"state": SuggestionState(fields["state"])}), text
