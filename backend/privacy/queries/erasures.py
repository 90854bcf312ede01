"""Erasures, and who was here before."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from backend.auth import queries as auth
from backend.kernel import db
from backend.kernel.vault import vault
from backend.members import queries as members

from ..types import Erasure, ErasureState

FORMER_CONTEXT = "privacy_former.digest"
"""The vault's context of hashes of who was here: another than the phone's index, so that the two do not match."""

COLUMNS = (
    "id, member_id, state, store_id, staff_id, approved_by, reason, given_up, asked_at, due_at, tries, problem, place,"
    " ended_at"
)
ERASURE = f"SELECT {COLUMNS} FROM privacy_erasure"


def erasure_of(row: db.Record) -> Erasure:
    """An erasure from a row of ``COLUMNS``."""
    return Erasure(
        **dict(row) | {"state": ErasureState(row["state"]), "given_up": msgspec.json.decode(row["given_up"])}
    )


async def find_erasure(erasure_id: str) -> Erasure | None:
    """An erasure, or None."""
    row = await db.fetchrow(f"{ERASURE} WHERE id = $1", erasure_id)
    return erasure_of(row) if row else None


async def find_open_erasure(member_id: int) -> Erasure | None:
    """A member's erasure that cools off or is under way, or None."""
    row = await db.fetchrow(f"{ERASURE} WHERE member_id = $1 AND state IN ('cooling', 'erasing')", member_id)
    return erasure_of(row) if row else None


async def list_erasures(
    store_id: str | None, state: str | None, *, before: tuple[datetime, str] | None, limit: int
) -> list[Erasure]:
    """Erasures newest first, of one state or of all, from below ``before``; ``store_id`` keeps it to that store's."""
    rows = await db.fetch(
        f"{ERASURE} WHERE ($1::text IS NULL OR store_id = $1) AND ($2::text IS NULL OR state = $2)"
        " AND ($3::timestamptz IS NULL OR asked_at < $3 OR (asked_at = $3 AND id > $4))"
        " ORDER BY asked_at DESC, id LIMIT $5",
        store_id,
        state,
        *(before or (None, None)),
        limit,
    )
    return [erasure_of(row) for row in rows]


def former_digest(kind: str, value: str) -> str:
    """What a phone number or openid of somebody who was here is known by; useless without the key."""
    return vault().blind_index(f"{kind}:{value}", context=FORMER_CONTEXT)


async def was_here(member_id: int, on: date) -> bool:
    """Whether this member's phone number or WeChat account was another member's that was erased, not long ago.

    Offers that are for new people only ask it.
    """
    phone, openid = await members.find_phone(member_id), await auth.find_openid(member_id)
    digests = [former_digest(kind, value) for kind, value in (("phone", phone), ("openid", openid)) if value]
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT FROM privacy_former WHERE digest = ANY($1::text[]) AND until >= $2)", digests, on
        )
    )
