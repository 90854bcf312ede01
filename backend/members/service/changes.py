"""The log of what is changed about members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from backend.kernel import clock, db, events
from backend.kernel.db import Tx
from backend.kernel.vault import vault

from .. import queries, telling
from ..events import MemberChanged
from ..telling import Became
from ..types import Actor

Change = tuple[Any, Any]
"""A value before and after, as JSON has them (dates too); None for none."""

_INSERT = """
WITH moved AS (UPDATE member SET version = version + 1 WHERE id = ANY($1::bigint[]))
INSERT INTO member_change (member_id, at, actor, actor_id, field, before_sealed, after_sealed, reason)
SELECT member_id, $5, $6, $7, field, before, after, $8
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
       AS c (member_id, field, before, after, place)
 ORDER BY place
RETURNING id, member_id, field"""


async def changed(
    tx: Tx, member_id: int, *, by: Actor, changes: Mapping[str, Change], reason: str | None = None
) -> None:
    """Note what became of a member's fields, by whom and why; what is as it was is left out.

    Every command that changes a member's profile, status, store, card or validity says so here, on the transaction
    that does it, and holds the member. Attributes are called ``attributes.<code>``. The member's version moves,
    ``MemberChanged`` is published, and whoever listens (``telling``) is told.
    """
    await changed_many(tx, {member_id: changes}, by=by, reason=reason)


async def changed_many(
    tx: Tx, changes: Mapping[int, Mapping[str, Change]], *, by: Actor, reason: str | None = None
) -> None:
    """The same of many members at once, all of whom the caller holds."""
    rows = [
        (member_id, field, _sealed(before), _sealed(after))
        for member_id, fields in changes.items()
        for field, (before, after) in fields.items()
        if before != after
    ]
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    written = await db.fetch_in(tx, _INSERT, *columns, clock.now(), by.kind.value, by.id, reason)
    told: dict[int, tuple[list[int], list[str]]] = {}
    for row in written:
        ids, fields = told.setdefault(row["member_id"], ([], []))
        ids.append(row["id"])
        fields.append(row["field"])
    await events.publish_many(
        tx,
        [
            MemberChanged(member_id=member_id, fields=tuple(fields), change_ids=tuple(ids))
            for member_id, (ids, fields) in told.items()
        ],
    )
    new = {member_id for member_id, fields in changes.items() if "status" in fields and fields["status"][0] is None}
    await telling.tell(
        tx,
        [
            Became(member_id=member_id, change_ids=tuple(ids), joined=member_id in new)
            for member_id, (ids, _) in told.items()
        ],
    )


def _sealed(value: Any) -> str | None:
    return None if value is None else vault().seal(msgspec.json.encode(value), context=queries.CHANGE_CONTEXT)
