"""Reads of groups, their people, what they spent, and key accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.db import Tx
from backend.kernel.paging import Place
from backend.members import queries as members

from .types import (
    AllotBatch,
    Allotment,
    AllotmentKind,
    AllotRow,
    BatchState,
    Group,
    GroupRole,
    GroupRule,
    GroupState,
    KeyAccount,
    Spent,
    SubMember,
)

changes = Changes("group_change", "subject")

_rules = msgspec.json.Decoder(tuple[GroupRule, ...])

GROUP = (
    "SELECT id, number, name, contact, note, state, store_id, level, discount_bp, member_limit, months, rules,"
    " earned_level, earned_until, version, created_at FROM group_account"
)
PERSON = "SELECT id, group_id, member_id, role, joined_at, left_at FROM group_member"
KEY = "SELECT member_id, staff_id, discount_bp, level_locked, note, since FROM key_account"


def group_of(row: db.Record) -> Group:
    """A group from its row."""
    fields = dict(row) | {"state": GroupState(row["state"]), "rules": _rules.decode(row["rules"])}
    return Group(**fields)


def person_of(row: db.Record) -> SubMember:
    """A sub-member from their row."""
    return SubMember(**dict(row) | {"role": GroupRole(row["role"])})


def key_of(row: db.Record) -> KeyAccount:
    """A key account from its row."""
    return KeyAccount(**dict(row))


async def find_group(group_id: str) -> Group | None:
    """A group, or None."""
    row = await db.fetchrow(f"{GROUP} WHERE id = $1", group_id)
    return group_of(row) if row else None


async def list_groups(
    store_id: str | None, state: GroupState | None, number: str | None, *, after: Place | None, limit: int
) -> list[Group]:
    """Groups, newest first, of a store's (None: of all), from behind a place in the list."""
    at, group_id = after or (None, "")
    rows = await db.fetch(
        f"{GROUP} WHERE ($1::text IS NULL OR store_id = $1) AND ($2::text IS NULL OR state = $2)"
        " AND ($3::text IS NULL OR number = $3)"
        " AND ($4::timestamptz IS NULL OR created_at < $4 OR (created_at = $4 AND id > $5))"
        " ORDER BY created_at DESC, id LIMIT $6",
        store_id,
        state.value if state else None,
        number,
        at,
        group_id,
        limit,
    )
    return [group_of(row) for row in rows]


async def find_belonging(member_id: int) -> SubMember | None:
    """What a member is in a group now, or None."""
    row = await db.fetchrow(f"{PERSON} WHERE member_id = $1 AND left_at IS NULL", member_id)
    return person_of(row) if row else None


async def count_people(group_ids: Sequence[str]) -> dict[str, int]:
    """How many belong to each of these groups; one without anybody is absent."""
    rows = await db.fetch(
        "SELECT group_id, count(*) AS people FROM group_member WHERE group_id = ANY($1) AND left_at IS NULL"
        " GROUP BY group_id",
        list(group_ids),
    )
    return {row["group_id"]: row["people"] for row in rows}


async def list_people(group_id: str, *, after: Place | None, limit: int, gone: bool = False) -> list[SubMember]:
    """Who belongs to a group in the order of joining, from behind a place; with ``gone`` also who did."""
    at, person_id = after or (None, "")
    rows = await db.fetch(
        f"{PERSON} WHERE group_id = $1 AND ($2 OR left_at IS NULL)"
        " AND ($3::timestamptz IS NULL OR (joined_at, id) > ($3, $4)) ORDER BY joined_at, id LIMIT $5",
        group_id,
        gone,
        at,
        person_id,
        limit,
    )
    return [person_of(row) for row in rows]


_SPENT = """
SELECT p.member_id, count(*) FILTER (WHERE p.spent_fen > coalesce(b.fen, 0)) AS purchases,
       sum(p.spent_fen)::bigint AS spent_fen, coalesce(sum(b.fen), 0)::bigint AS back_fen
  FROM group_purchase p
  LEFT JOIN LATERAL (SELECT sum(fen) AS fen FROM group_return r
                      WHERE r.member_id = p.member_id AND r.sale_id = p.sale_id) AS b ON true
 WHERE p.group_id = $1 AND p.at >= $2 AND p.at < $3
 GROUP BY p.member_id ORDER BY sum(p.spent_fen) - coalesce(sum(b.fen), 0) DESC, p.member_id LIMIT $4"""
MOST_LINES = 10_000


async def list_spent(group_id: str, since: datetime, before: datetime) -> list[Spent]:
    """What people bought for a group from one instant to another, and gave back of it since; the largest first."""
    return [Spent(**dict(row)) for row in await db.fetch(_SPENT, group_id, since, before, MOST_LINES)]


_SPENT_TOGETHER = """
SELECT w.group_id, sum(greatest(0, p.spent_fen - coalesce(b.fen, 0)))::bigint AS fen
  FROM unnest($1::text[], $2::timestamptz[]) AS w (group_id, since)
  JOIN group_purchase p ON p.group_id = w.group_id AND p.at >= w.since AND p.at < $3
  LEFT JOIN LATERAL (SELECT sum(fen) AS fen FROM group_return r
                      WHERE r.member_id = p.member_id AND r.sale_id = p.sale_id) AS b ON true
 GROUP BY w.group_id"""


async def get_spent_fen(since: Mapping[str, datetime], before: datetime) -> dict[str, int]:
    """What was bought for groups together from an instant of each on, less what came back; absent: nothing."""
    rows = await db.fetch(_SPENT_TOGETHER, list(since), list(since.values()), before)
    return {row["group_id"]: row["fen"] for row in rows}


async def find_key_account(member_id: int) -> KeyAccount | None:
    """A member's agreement, or None."""
    row = await db.fetchrow(f"{KEY} WHERE member_id = $1", member_id)
    return key_of(row) if row else None


async def list_key_accounts(store_id: str | None, *, after: Place | None, limit: int) -> list[KeyAccount]:
    """Key accounts, newest first; those of a store's members, or all."""
    at, member_id = after or (None, "0")
    rows = await db.fetch(
        "SELECT k.member_id, k.staff_id, k.discount_bp, k.level_locked, k.note, k.since FROM key_account k"
        " WHERE ($1::text IS NULL OR EXISTS (SELECT FROM member m WHERE m.id = k.member_id AND m.store_id = $1))"
        " AND ($2::timestamptz IS NULL OR k.since < $2 OR (k.since = $2 AND k.member_id > $3))"
        " ORDER BY k.since DESC, k.member_id LIMIT $4",
        store_id,
        at,
        int(member_id) if member_id.isdigit() and len(member_id) <= 18 else 0,
        limit,
    )
    return [key_of(row) for row in rows]


_ALLOTMENT = (
    "SELECT id, group_id, principal_id, member_id, kind, amount, taken, staff_id, note, at, updated_at"
    " FROM group_allotment"
)


def _allotment(row: db.Record) -> Allotment:
    return Allotment(**dict(row) | {"kind": AllotmentKind(row["kind"])})


async def find_allotment(allotment_id: str) -> Allotment | None:
    """One allotment, or None."""
    row = await db.fetchrow(f"{_ALLOTMENT} WHERE id = $1", allotment_id)
    return _allotment(row) if row else None


async def lock_allotment(tx: Tx, allotment_id: str) -> Allotment:
    """One allotment, held until the transaction ends; before any books."""
    rows = await db.fetch_in(tx, f"{_ALLOTMENT} WHERE id = $1 FOR UPDATE", allotment_id)
    return _allotment(rows[0])


async def list_allotments(
    group_id: str, *, before: Place | None, limit: int, out_of: Sequence[int] | None = None
) -> list[Allotment]:
    """What was allotted in a group, newest first; of all its owners, or out of what these had."""
    rows = await db.fetch(
        f"{_ALLOTMENT} WHERE group_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3))"
        " AND ($5::bigint[] IS NULL OR principal_id = ANY($5)) ORDER BY at DESC, id DESC LIMIT $4",
        group_id,
        *(before or (None, None)),
        limit,
        out_of,
    )
    return [_allotment(row) for row in rows]


async def list_left(allotments: Sequence[Allotment]) -> dict[str, int]:
    """How much of each allotment is not spent, and is not the principal's by a merge: by id."""
    people = {member_id for one in allotments for member_id in (one.member_id, one.principal_id)}
    now = await members.current_ids(people)
    left = [one for one in allotments if now.get(one.member_id) != now.get(one.principal_id, one.principal_id)]
    rows = await db.fetch(
        "SELECT l.source, sum(l.remaining)::bigint FROM unnest($1::bigint[], $2::text[]) AS w (member_id, id)"
        " JOIN ledger_lot l ON l.member_id = w.member_id AND l.source = w.id GROUP BY 1",
        [now.get(one.member_id, one.member_id) for one in left],
        [one.id for one in left],
    )
    return {row[0]: row[1] for row in rows}


async def insert_allotment(tx: Tx, made: Allotment) -> None:
    """Write down an allotment that was posted."""
    await db.raw(tx).execute(
        "INSERT INTO group_allotment (id, group_id, principal_id, member_id, kind, amount, taken, staff_id, note, at,"
        " updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        *(value.value if isinstance(value, AllotmentKind) else value for value in msgspec.structs.astuple(made)),
    )


async def note_taken(tx: Tx, made: Allotment, back: int, at: datetime) -> Allotment:
    """Write down that so much more was taken back; the allotment as it stands then."""
    await db.raw(tx).execute(
        "UPDATE group_allotment SET taken = taken + $2, updated_at = $3 WHERE id = $1", made.id, back, at
    )
    return msgspec.structs.replace(made, taken=made.taken + back, updated_at=at)


async def find_owner(group_id: str) -> SubMember | None:
    """Who answers for a group, or None."""
    row = await db.fetchrow(f"{PERSON} WHERE group_id = $1 AND role = 'owner' AND left_at IS NULL", group_id)
    return person_of(row) if row else None


async def find_person(group_id: str, person_id: str) -> SubMember | None:
    """Somebody who belongs to a group, or None."""
    row = await db.fetchrow(f"{PERSON} WHERE id = $1 AND group_id = $2 AND left_at IS NULL", person_id, group_id)
    return person_of(row) if row else None


async def list_here(group_id: str) -> dict[int, SubMember]:
    """Everybody who belongs to a group now, by member: as many as a group may have."""
    rows = await db.fetch(f"{PERSON} WHERE group_id = $1 AND left_at IS NULL", group_id)
    return {row["member_id"]: person_of(row) for row in rows}


_BATCH = (
    "SELECT id, group_id, owner_id, title, state, rows, skipped, stored_fen, points, staff_id, approval_id,"
    " failed_row, failure, created_at, ended_at FROM group_allot_batch"
)
BATCHES = (
    f"{_BATCH} WHERE group_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))"
    " ORDER BY created_at DESC, id DESC LIMIT $4"
)
_ROW = "SELECT row_no, person_id, member_no, kind, amount, note, refusal FROM group_allot_row"
OPEN_ROWS = f"{_ROW} WHERE batch_id = $1 AND state = $2 ORDER BY row_no LIMIT $3"
COUNT_ROWS = (
    "SELECT batch_id, state, count(*) FROM group_allot_row"
    " WHERE batch_id = ANY($1) AND state <> 'posted' GROUP BY batch_id, state"
)


def _batch(row: db.Record) -> AllotBatch:
    return AllotBatch(**dict(row) | {"state": BatchState(row["state"])})


async def find_batch(batch_id: str) -> AllotBatch | None:
    """A table of allotments, or None."""
    row = await db.fetchrow(f"{_BATCH} WHERE id = $1", batch_id)
    return _batch(row) if row else None


async def find_batch_of(key: str) -> tuple[AllotBatch, bytes] | None:
    """The one that was begun with that key, and the digest of what was sent."""
    row = await db.fetchrow("SELECT id, digest FROM group_allot_batch WHERE key = $1", key)
    found = await find_batch(row["id"]) if row else None
    return (found, row["digest"]) if row and found else None


async def list_batches(group_id: str, *, before: Place | None, limit: int) -> list[AllotBatch]:
    """A group's tables of allotments, newest first."""
    rows = await db.fetch(
        BATCHES,
        group_id,
        *(before or (None, None)),
        limit,
    )
    return [_batch(row) for row in rows]


async def list_rows(batch_id: str, state: str, *, limit: int) -> list[AllotRow]:
    """Rows that are ``waiting`` or were ``refused``, in their order."""
    rows = await db.fetch(OPEN_ROWS, batch_id, state, limit)
    return [AllotRow(**dict(row) | {"kind": AllotmentKind(row["kind"])}) for row in rows]


async def count_rows(batch_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many rows of each are in which state; those that are posted are the rest."""
    found: dict[str, dict[str, int]] = {}
    for batch_id, state, count in await db.fetch(COUNT_ROWS, list(batch_ids)):
        found.setdefault(batch_id, {})[state] = count
    return found


async def list_waiting_batches() -> dict[str, str]:
    """Tables that wait for a second person, with the key that they were asked for under."""
    rows = await db.fetch("SELECT id, key FROM group_allot_batch WHERE state = 'waiting' ORDER BY created_at LIMIT 500")
    return {row["id"]: row["key"] for row in rows}


async def list_stuck(before: datetime) -> list[str]:
    """Tables that run and that nobody has worked on since then."""
    rows = await db.fetch(
        "SELECT id FROM group_allot_batch WHERE state = 'running' AND updated_at < $1 ORDER BY updated_at LIMIT 20",
        before,
    )
    return [row["id"] for row in rows]
