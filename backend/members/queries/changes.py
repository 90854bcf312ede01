"""What was changed about members."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.vault import vault

from ..types import Actor, ActorKind, MemberChange

CHANGE_CONTEXT = "member_change"
"""The vault's context of values that were changed."""

_CHANGES = (
    "SELECT id, member_id, at, actor, actor_id, field, before_sealed, after_sealed, reason, erased FROM member_change"
)
_NEWEST = (
    "id IN (SELECT max(id) FROM member_change WHERE member_id = ANY($1::bigint[]) AND field = $2 GROUP BY member_id)"
)


async def list_changes(member_id: int, *, before: int | None, limit: int) -> list[MemberChange]:
    """What was changed about a member, newest first, from before that change on; values as they were."""
    rows = await db.fetch(
        f"{_CHANGES} WHERE member_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        member_id,
        before,
        limit,
    )
    return [_change(row) for row in rows]


async def list_changes_by_id(change_ids: Sequence[int]) -> list[MemberChange]:
    """These changes, in the order they were noted; what is none is absent."""
    rows = await db.fetch(f"{_CHANGES} WHERE id = ANY($1::bigint[]) ORDER BY id", list(change_ids))
    return [_change(row) for row in rows]


async def list_newest_changes(member_ids: Collection[int], field: str) -> dict[int, MemberChange]:
    """The last change of this field, by member; of whom it was never changed is absent."""
    rows = await db.fetch(
        f"{_CHANGES} WHERE {_NEWEST}",
        list(member_ids),
        field,
    )
    return {row["member_id"]: _change(row) for row in rows}


def _change(row: db.Record) -> MemberChange:
    return MemberChange(
        id=row["id"],
        member_id=row["member_id"],
        at=row["at"],
        by=Actor(ActorKind(row["actor"]), row["actor_id"]),
        field=row["field"],
        before=open_value(row["before_sealed"]),
        after=open_value(row["after_sealed"]),
        reason=row["reason"],
        erased=row["erased"],
    )


def open_value(sealed: str | None) -> Any:
    """A value of a change as it was; None for none."""
    return None if sealed is None else msgspec.json.decode(vault().open(sealed, context=CHANGE_CONTEXT))
