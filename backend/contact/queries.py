"""Finding members, and reading who looked at whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backend.auth import queries as auth
from backend.kernel import db
from backend.kernel.paging import Place
from backend.members import queries as members

from .types import By, Look, Outcome, View

FIND: dict[By, Callable[[str], Awaitable[int | None]]] = {
    By.PHONE: members.find_id_by_phone,
    By.MEMBER_NO: members.find_id_by_number,
    By.OPENID: auth.find_member_by_openid,
}
"""How a member is found by what is no secret of a moment; a code is ``auth.service.shown``'s."""

_LOOKS = """
SELECT id, at, staff_id, by, outcome, member_id, view FROM contact_look
 WHERE ($1::bigint IS NULL OR member_id = $1) AND ($2::bigint IS NULL OR staff_id = $2)
   AND ($3::timestamptz IS NULL OR (at, id) < ($3, $4)) ORDER BY at DESC, id DESC LIMIT $5"""


async def list_looks(member_id: int | None, staff_id: int | None, *, before: Place | None, limit: int) -> list[Look]:
    """Looks at a member, of somebody, or all, newest first."""
    at, look_id = (before[0], int(before[1])) if before else (None, 0)
    rows = await db.fetch(_LOOKS, member_id, staff_id, at, look_id, limit)
    return [
        Look(
            row["id"],
            row["at"],
            row["staff_id"],
            By(row["by"]),
            Outcome(row["outcome"]),
            row["member_id"],
            View(row["view"]) if row["view"] else None,
        )
        for row in rows
    ]
