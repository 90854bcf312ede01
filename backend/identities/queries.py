"""Reads of requests and documents (public)."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.vault import vault

from .types import Request, RequestState, Rights, Way

DOCUMENT_CONTEXT = "identity.document"
"""The vault's context of documents' numbers and of their index."""

_REQUEST = (
    "SELECT id, terminal_id, store_id, way, member_id, state, rights, pin_tries, at, expires_at, decided_at"
    " FROM identity_request"
)
MOST_WAITING = 20


def document_index(number: str) -> str:
    """What the number of a document is found by."""
    return vault().blind_index(number, context=DOCUMENT_CONTEXT)


def request_of(row: db.Record, now: datetime) -> Request:
    """A row as a request, as it stands at that instant."""
    state = RequestState(row["state"])
    over = state is RequestState.WAITING and row["expires_at"] <= now
    return Request(
        **dict(row)
        | {
            "way": Way(row["way"]),
            "state": RequestState.EXPIRED if over else state,
            "rights": Rights(row["rights"]) if row["rights"] else None,
        }
    )


async def find_request(request_id: int, terminal_id: str, now: datetime) -> Request | None:
    """A request of that terminal, or None."""
    row = await db.fetchrow(f"{_REQUEST} WHERE id = $1 AND terminal_id = $2", request_id, terminal_id)
    return request_of(row, now) if row else None


async def list_waiting(member_id: int, now: datetime) -> list[Request]:
    """The requests that wait for this member now, newest first."""
    rows = await db.fetch(
        f"{_REQUEST} WHERE member_id = $1 AND state = 'waiting' AND expires_at > $2 ORDER BY at DESC LIMIT $3",
        member_id,
        now,
        MOST_WAITING,
    )
    return [request_of(row, now) for row in rows]


async def count_codes(member_id: int, since: datetime) -> int:
    """How many codes by SMS were asked for, for a member, with the requests since then."""
    return int(
        await db.fetchval(
            "SELECT coalesce(sum(codes), 0) FROM identity_request WHERE member_id = $1 AND at > $2", member_id, since
        )
    )


async def find_by_document(number: str) -> int | None:
    """The member whose document has this number, or None."""
    member_id: int | None = await db.fetchval(
        "SELECT member_id FROM identity_document WHERE number_index = $1", document_index(number)
    )
    return member_id


async def document_last4(member_id: int) -> str | None:
    """The last four characters of a member's document, or None where none is registered."""
    sealed: str | None = await db.fetchval(
        "SELECT number_sealed FROM identity_document WHERE member_id = $1", member_id
    )
    return vault().open(sealed, context=DOCUMENT_CONTEXT).decode()[-4:] if sealed else None
