"""What a member accepted of WeChat's subscribe messages: each acceptance is one message, spent once.

A delivery takes its one before it is sent and keeps it over its tries. It is given back only where it is certain that
WeChat was not asked. What WeChat refuses because the member did not subscribe (43101) says that our count is wrong: it
becomes zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx

MOST = 100
"""Messages of one template that may be accepted in advance."""

Wanted = tuple[int, str]
"""A member, and the id of a template at WeChat."""


async def accept(tx: Tx, member_id: int, template_ids: Iterable[str], at: datetime) -> None:
    """Count one message more of each template; no more than ``MOST`` wait."""
    await db.raw(tx).execute(
        "INSERT INTO message_subscription AS s (member_id, template_id, available, accepted, updated_at)"
        " SELECT $1, t, 1, 1, $3 FROM unnest($2::text[]) AS t ORDER BY t"
        " ON CONFLICT (member_id, template_id) DO UPDATE SET available = s.available + 1, accepted = s.accepted + 1,"
        " updated_at = $3 WHERE s.available < $4",
        member_id,
        sorted(set(template_ids)),
        at,
        MOST,
    )


async def lock_available(tx: Tx, wanted: Iterable[Wanted]) -> dict[Wanted, int]:
    """How many messages these members may be sent of these templates; nobody else spends them now."""
    asked = sorted(set(wanted))
    rows = await db.fetch_in(
        tx,
        "SELECT s.member_id, s.template_id, s.available FROM message_subscription s"
        " JOIN unnest($1::bigint[], $2::text[]) AS w (m, t) ON s.member_id = w.m AND s.template_id = w.t"
        " ORDER BY s.member_id, s.template_id FOR UPDATE OF s",
        [member_id for member_id, _ in asked],
        [template_id for _, template_id in asked],
    )
    return {(row["member_id"], row["template_id"]): row["available"] for row in rows}


async def spend(tx: Tx, taken: Mapping[Wanted, int], at: datetime) -> None:
    """Take so many messages off; the database refuses more than there are."""
    await db.raw(tx).execute(
        "UPDATE message_subscription s SET available = s.available - w.n, used = s.used + w.n, updated_at = $4"
        " FROM unnest($1::bigint[], $2::text[], $3::int[]) AS w (m, t, n)"
        " WHERE s.member_id = w.m AND s.template_id = w.t",
        [member_id for member_id, _ in taken],
        [template_id for _, template_id in taken],
        list(taken.values()),
        at,
    )


async def give_back(member_id: int, template_id: str, at: datetime) -> None:
    """One that was taken and certainly not sent may be sent after all."""
    await db.fetchval(
        "UPDATE message_subscription SET available = available + 1, used = used - 1, updated_at = $3"
        " WHERE member_id = $1 AND template_id = $2 AND used > 0 AND available < $4 RETURNING 1",
        member_id,
        template_id,
        at,
        MOST,
    )


async def set_to_zero(member_id: int, template_id: str, at: datetime) -> None:
    """WeChat says that the member did not subscribe: there is nothing to spend until the next acceptance."""
    await db.fetchval(
        "UPDATE message_subscription SET available = 0, refused_at = $3, updated_at = $3"
        " WHERE member_id = $1 AND template_id = $2 RETURNING 1",
        member_id,
        template_id,
        at,
    )
