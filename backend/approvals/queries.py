"""Reads of approvals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place

from . import rules
from .types import Alone, Approval, ApprovalState

APPROVAL = (
    "SELECT id, kind, state, store_id, summary, reason, body, asked_by, asked_at, expires_at, decided_by, decided_at,"
    " note FROM approval"
)


def approval_of(row: db.Record) -> Approval:
    """A row of ``APPROVAL``, as it stands now."""
    state = rules.standing(ApprovalState(row["state"]), row["expires_at"], clock.now())
    return Approval(**dict(row) | {"state": state, "body": msgspec.Raw(row["body"].encode())})


async def get_approval(approval_id: str) -> Approval:
    """One request; ``NotFound`` for none."""
    row = await db.fetchrow(f"{APPROVAL} WHERE id = $1", approval_id)
    if row is None:
        raise NotFound("there is no such approval")
    return approval_of(row)


async def was_asked(staff_id: int, key: str) -> bool:
    """Whether this person asked for something under that key."""
    return bool(await db.fetchval("SELECT true FROM approval WHERE asked_by = $1 AND key = $2", staff_id, key))


async def list_over(asked: Mapping[str, str]) -> list[str]:
    """Of things that wait for a second person, those that nobody will approve any more: rejected, withdrawn, expired.

    Args:
        asked: by the thing, who asked and the key of the request, as ``<staff>/<key>``.
    """
    pairs = [one.partition("/")[::2] for one in asked.values()]
    rows = await db.fetch(
        "SELECT a.asked_by || '/' || a.key AS asked, a.state, a.expires_at"
        " FROM unnest($1::bigint[], $2::text[]) AS w (staff_id, key)"
        " JOIN approval a ON a.asked_by = w.staff_id AND a.key = w.key",
        [int(staff_id) for staff_id, _ in pairs],
        [key for _, key in pairs],
    )
    now, open_ = clock.now(), (ApprovalState.WAITING, ApprovalState.APPROVED)
    over = {
        row["asked"] for row in rows if rules.standing(ApprovalState(row["state"]), row["expires_at"], now) not in open_
    }
    return [thing for thing, one in asked.items() if one in over]


async def counted_alone(staff_id: int) -> dict[str, int]:
    """What this person decided alone today, by what it is."""
    today = clock.local_date(clock.now(), settings().timezone)
    rows = await db.fetch(
        "SELECT what, amount FROM approval_alone WHERE staff_id = $1 AND on_day = $2", staff_id, today
    )
    return {row["what"]: row["amount"] for row in rows}


async def is_alone(staff_id: int, wishes: Sequence[Alone]) -> bool:
    """Whether this person could decide so much alone now; ``service.count_alone`` decides."""
    return is_within(wishes, await counted_alone(staff_id))


def is_within(wishes: Sequence[Alone], counted: Mapping[str, int]) -> bool:
    """The same of what was counted before."""
    return rules.is_alone(wishes, counted)


async def list_states(approval_ids: Sequence[str]) -> dict[str, ApprovalState]:
    """How requests stand now, by id; what is none is absent."""
    rows = await db.fetch("SELECT id, state, expires_at FROM approval WHERE id = ANY($1)", list(approval_ids))
    now = clock.now()
    return {row["id"]: rules.standing(ApprovalState(row["state"]), row["expires_at"], now) for row in rows}


# $1 who asks, $2 the kinds they decide, $3 whether they reach every store, $4 else the one, $5 now.
_DECIDED = "kind = ANY($2) AND ($3 OR store_id = $4)"
_STATE = "CASE WHEN state = 'waiting' AND expires_at <= $5 THEN 'expired' ELSE state END"
_PAGE = (
    " AND ($6::text IS NULL OR kind = $6) AND ($7::timestamptz IS NULL OR (asked_at, id) < ($7, $8))"
    " ORDER BY asked_at DESC, id DESC LIMIT $9"
)
_TODO = f"{APPROVAL} WHERE state = 'waiting' AND expires_at > $5 AND asked_by <> $1 AND {_DECIDED}{_PAGE}"
_SEEN = f"{APPROVAL} WHERE (asked_by = $1 OR NOT $10 AND {_DECIDED}) AND ($11::text IS NULL OR {_STATE} = $11){_PAGE}"


class Viewer(msgspec.Struct, frozen=True):
    """Somebody who looks: the kinds they decide, and where (None: everywhere)."""

    staff_id: int
    kinds: Sequence[str]
    store_id: str | None


async def list_todo(viewer: Viewer, kind: str | None, *, before: Place | None, limit: int) -> list[Approval]:
    """A page of what waits for this person's decision, newest first."""
    return [approval_of(row) for row in await db.fetch(_TODO, *_asked(viewer, kind, before, limit))]


async def list_seen(
    viewer: Viewer, kind: str | None, state: ApprovalState | None, *, mine: bool, before: Place | None, limit: int
) -> list[Approval]:
    """A page of what this person asked for, and unless ``mine`` of what they decide, newest first."""
    asked = _asked(viewer, kind, before, limit)
    return [approval_of(row) for row in await db.fetch(_SEEN, *asked, mine, state.value if state else None)]


def _asked(viewer: Viewer, kind: str | None, before: Place | None, limit: int) -> tuple[object, ...]:
    everywhere = viewer.store_id is None
    place = before or (None, None)
    return (viewer.staff_id, list(viewer.kinds), everywhere, viewer.store_id, clock.now(), kind, *place, limit)


async def list_approved(store_id: str | None, *, before: Place | None, limit: int) -> list[Approval]:
    """A page of what was approved, everywhere or of one store, by when it was asked for, newest first."""
    rows = await db.fetch(
        f"{APPROVAL} WHERE state = 'approved' AND ($1::text IS NULL OR store_id = $1)"
        " AND ($2::timestamptz IS NULL OR (asked_at, id) < ($2, $3)) ORDER BY asked_at DESC, id DESC LIMIT $4",
        store_id,
        *(before or (None, None)),
        limit,
    )
    return [approval_of(row) for row in rows]


async def list_waiting_about(tx: Tx, member_id: int, *, but: str, limit: int) -> list[str]:
    """Requests that wait for somebody and name this member as whom they are about, but for those of one kind."""
    rows = await db.fetch_in(
        tx,
        "SELECT id FROM approval WHERE state = 'waiting' AND expires_at > $2 AND kind <> $3"
        " AND body->>'member_id' = $1 ORDER BY asked_at LIMIT $4",
        str(member_id),
        clock.now(),
        but,
        limit,
    )
    return [row["id"] for row in rows]
