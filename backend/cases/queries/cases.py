"""Cases and their steps."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place
from backend.kernel.vault import vault

from ..rules import WAITING
from ..types import Action, By, Case, CaseChannel, CaseKind, CaseState, Contact, Given, Outcome, Priority, Step

CONTACT_CONTEXT = "feedback_case.contact"
"""The vault's context of walk-in customers' names and numbers."""

CASE = (
    "SELECT c.id, c.kind, c.channel, c.state, c.priority, c.member_id, c.contact_sealed IS NOT NULL AS has_contact,"
    " c.store_id, c.reference, c.sku, c.excerpt, c.assigned_to, c.round, c.since, c.due_at, c.created_at, c.updated_at,"
    " c.answered_at, c.answered_by, c.closed_at, c.outcome, c.compensation, c.given, c.rating, c.rating_text, c.version"
    " FROM feedback_case c"
)
_WAITING = "c.state IN ({})".format(", ".join(f"'{state.value}'" for state in WAITING))
_names = msgspec.json.Decoder(tuple[str, ...])
_detail = msgspec.json.Decoder(dict[str, str])
_contact = msgspec.json.Decoder(Contact)
_given = msgspec.json.Decoder(Given)


def case_of(row: db.Record) -> Case:
    """A row of ``CASE``."""
    return Case(
        **dict(row)
        | {
            "kind": CaseKind(row["kind"]),
            "channel": CaseChannel(row["channel"]),
            "state": CaseState(row["state"]),
            "priority": Priority(row["priority"]),
            "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
            "given": _given.decode(row["given"]) if row["given"] else None,
        }
    )


async def find_case(case_id: str) -> Case | None:
    """A case as it stands, or None."""
    row = await db.fetchrow(f"{CASE} WHERE c.id = $1", case_id)
    return case_of(row) if row else None


async def get_case(case_id: str) -> Case:
    """A case; ``NotFound`` for none."""
    found = await find_case(case_id)
    if found is None:
        raise NotFound("there is no such case")
    return found


async def find_contact(case_id: str) -> Contact | None:
    """The name and number that a walk-in customer left, or None."""
    sealed = await db.fetchval("SELECT contact_sealed FROM feedback_case WHERE id = $1", case_id)
    return _contact.decode(vault().open(sealed, context=CONTACT_CONTEXT)) if sealed else None


_STEP = "SELECT version, action, state, by, staff_id, text, pictures, detail, at FROM feedback_step"


def _step(row: db.Record) -> Step:
    return Step(
        **dict(row)
        | {
            "action": Action(row["action"]),
            "state": CaseState(row["state"]),
            "by": By(row["by"]),
            "pictures": _names.decode(row["pictures"]),
            "detail": _detail.decode(row["detail"]),
        }
    )


async def list_steps(case_id: str) -> list[Step]:
    """What happened to a case, oldest first; there are at most some two hundred."""
    return [_step(row) for row in await db.fetch(f"{_STEP} WHERE case_id = $1 ORDER BY version", case_id)]


async def last_step(tx: Tx, case: Case) -> Step:
    """What happened last to a case that is locked."""
    (row,) = await db.fetch_in(tx, f"{_STEP} WHERE case_id = $1 AND version = $2", case.id, case.version)
    return _step(row)


async def step_under(tx: Tx, key: str) -> tuple[str, str] | None:
    """Case and request of the step that was taken under a key; None for none."""
    rows = await db.fetch_in(tx, "SELECT case_id, request FROM feedback_step WHERE key = $1", key)
    return (rows[0][0], rows[0][1]) if rows else None


async def list_of_member(
    member_id: int, *, before: Place | None = None, limit: int, store_id: str | None = None
) -> list[Case]:
    """A member's cases, newest first; a store's, or all."""
    rows = await db.fetch(
        f"{CASE} WHERE c.member_id = $1 AND ($2::timestamptz IS NULL OR (c.created_at, c.id) < ($2, $3))"
        " AND ($5::text IS NULL OR c.store_id = $5) ORDER BY c.created_at DESC, c.id DESC LIMIT $4",
        member_id,
        *(before or (None, None)),
        limit,
        store_id,
    )
    return [case_of(row) for row in rows]


async def count_open(member_id: int, store_id: str | None) -> int:
    """How many of a member's cases are not closed, at most 1,000; a store's, or all."""
    count: int = await db.fetchval(
        "SELECT count(*) FROM (SELECT FROM feedback_case WHERE member_id = $1 AND state <> 'closed'"
        " AND ($2::text IS NULL OR store_id = $2) LIMIT 1000) AS c",
        member_id,
        store_id,
    )
    return count


async def list_claimable(tx: Tx, contact_index: str, since: datetime, limit: int) -> list[Case]:
    """Walk-in customers' cases with that phone that no member has, since then; locked, by id."""
    rows = await db.fetch_in(
        tx,
        f"{CASE} WHERE c.contact_index = $1 AND c.member_id IS NULL AND c.created_at > $2"
        " ORDER BY c.id LIMIT $3 FOR UPDATE",
        contact_index,
        since,
        limit,
    )
    return [case_of(row) for row in rows]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases of the desk; None does not limit."""

    store_id: str | None = None
    kind: CaseKind | None = None
    state: CaseState | None = None
    priority: Priority | None = None
    assigned_to: int | None = None
    waiting: bool = False
    overdue_at: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None


_FILTER = (
    "($1::text IS NULL OR c.store_id = $1) AND ($2::text IS NULL OR c.kind = $2) AND ($3::text IS NULL OR c.state = $3)"
    " AND ($4::text IS NULL OR c.priority = $4) AND ($5::bigint IS NULL OR c.assigned_to = $5)"
    " AND ($6::timestamptz IS NULL OR c.created_at >= $6) AND ($7::timestamptz IS NULL OR c.created_at < $7)"
)


async def list_desk(wanted: Filter, *, after: Place | None, limit: int) -> list[Case]:
    """Cases newest first; those whose answer is due, or overdue, the soonest first."""
    values = (
        wanted.store_id,
        wanted.kind.value if wanted.kind else None,
        wanted.state.value if wanted.state else None,
        wanted.priority.value if wanted.priority else None,
        wanted.assigned_to,
        wanted.since,
        wanted.until,
        *(after or (None, None)),
        limit,
    )
    if wanted.waiting or wanted.overdue_at is not None:
        rows = await db.fetch(
            f"{CASE} WHERE {_FILTER} AND {_WAITING} AND ($11::timestamptz IS NULL OR c.due_at <= $11)"
            " AND ($8::timestamptz IS NULL OR (c.due_at, c.id) > ($8, $9)) ORDER BY c.due_at, c.id LIMIT $10",
            *values,
            wanted.overdue_at,
        )
    else:
        rows = await db.fetch(
            f"{CASE} WHERE {_FILTER} AND ($8::timestamptz IS NULL OR (c.created_at, c.id) < ($8, $9))"
            " ORDER BY c.created_at DESC, c.id DESC LIMIT $10",
            *values,
        )
    return [case_of(row) for row in rows]
