"""Members made, locked and moved from one status to another."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from backend.auth import service as auth
from backend.auth.types import Standing
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.kernel.vault import vault
from backend.ledger import service as ledger

from .. import locks, queries, rules
from ..types import SYSTEM, Actor, NewMember, Status
from .changes import changed, changed_many


async def create_member(tx: Tx, new: NewMember, *, by: Actor = SYSTEM) -> int | None:
    """Make a member with open books, at the lowest level unless one is named; None where the phone is taken."""
    index = queries.phone_index(new.phone)
    for _ in range(10):
        member_id = await _insert(tx, new, index)
        if member_id is not None:
            await ledger.open_member(tx, member_id, active=new.status is Status.ACTIVE)
            await changed(tx, member_id, by=by, changes={"status": (None, new.status.value)})
            return member_id
        if await db.fetch_in(tx, "SELECT 1 FROM member WHERE phone_index = $1", index):
            return None
    raise RuntimeError("no free member number in ten tries")


async def create_members(tx: Tx, people: Sequence[NewMember], *, by: Actor = SYSTEM) -> list[int | None]:
    """Make many members of one status at once, as ``create_member`` does; in their order, None where a phone is taken.

    No two of them may have the same phone.
    """
    indexes = [queries.phone_index(new.phone) for new in people]
    rows = await db.fetch_in(
        tx,
        _INSERT_MANY,
        [ids.new_bigint() for _ in people],
        [rules.make_member_no(secrets.randbelow(9 * 10**10)) for _ in people],
        [new.name for new in people],
        [vault().seal(new.phone.encode(), context=queries.PHONE_CONTEXT) for new in people],
        indexes,
        [new.birthday for new in people],
        [new.gender.value for new in people],
        [new.store_id for new in people],
        [new.level for new in people],
        [new.status.value for new in people],
        [new.joined_at for new in people],
        clock.now(),
    )
    made = {row["phone_index"]: row["id"] for row in rows}
    status = {row["id"]: row["status"] for row in rows}
    for active in (True, False):
        chosen = [member_id for member_id in status if (status[member_id] == Status.ACTIVE) is active]
        if chosen:
            await ledger.open_members(tx, chosen, active=active)
    await changed_many(tx, {member_id: {"status": (None, status[member_id])} for member_id in status}, by=by)
    # Whose number happened to be somebody's already is made alone.
    return [
        made[index] if index in made else await create_member(tx, new, by=by)
        for index, new in zip(indexes, people, strict=True)
    ]


_INSERT_MANY = """
INSERT INTO member (id, member_no, name, phone_sealed, phone_index, birthday, gender, store_id, level_id, status,
                    growth_fen, attributes, created_at, updated_at)
SELECT w.id, w.no, w.name, w.sealed, w.phone, w.birthday, w.gender, w.store, coalesce(w.level, lowest.code), w.status,
       0, '{}', coalesce(w.joined, $12), $12
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[], $8::text[],
              $9::text[], $10::text[], $11::timestamptz[])
       AS w (id, no, name, sealed, phone, birthday, gender, store, level, status, joined)
 CROSS JOIN (SELECT code FROM member_level ORDER BY growth_from_fen LIMIT 1) AS lowest
 ORDER BY w.phone
ON CONFLICT DO NOTHING RETURNING id, phone_index, status"""


async def _insert(tx: Tx, new: NewMember, index: str) -> int | None:
    rows = await db.fetch_in(
        tx,
        "INSERT INTO member (id, member_no, name, phone_sealed, phone_index, birthday, gender, store_id, referrer_id,"
        " level_id, status, growth_fen, attributes, created_at, updated_at)"
        " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, code, $11, 0, '{}', coalesce($12::timestamptz, $13), $13"
        " FROM member_level WHERE $10::text IS NULL OR code = $10 ORDER BY growth_from_fen LIMIT 1"
        " ON CONFLICT DO NOTHING RETURNING id",
        ids.new_bigint(),
        rules.make_member_no(secrets.randbelow(9 * 10**10)),
        new.name,
        vault().seal(new.phone.encode(), context=queries.PHONE_CONTEXT),
        index,
        new.birthday,
        new.gender.value,
        new.store_id,
        new.referrer_id,
        new.level,
        new.status.value,
        new.joined_at,
        clock.now(),
    )
    return rows[0]["id"] if rows else None


async def lock(tx: Tx, member_id: int) -> None:
    """Lock a member's row until the transaction ends, before anything that is theirs; ``NotFound`` for none."""
    await locks.lock_member(tx, member_id)


async def set_profiled(tx: Tx, member_id: int, allowed: bool) -> None:
    """Say whether a member may be chosen by what they bought; holds from the next choice on."""
    await db.raw(tx).execute("UPDATE member SET unprofiled = $2 WHERE id = $1", member_id, not allowed)


async def set_status(tx: Tx, member_id: int, status: Status, *, by: Actor = SYSTEM, reason: str | None = None) -> None:
    """Change a member's status everywhere it is looked at: here, at the guards and in the ledger."""
    row = await locks.lock_member(tx, member_id)
    await db.raw(tx).execute(
        "UPDATE member SET status = $2, updated_at = $3 WHERE id = $1", member_id, status.value, clock.now()
    )
    if status is Status.NONE:
        await auth.unbind_identities(tx, member_id)
    elif status is not Status.ERASED:  # whose identities are deleted
        await auth.set_standing(tx, member_id, Standing(status.value))
    await ledger.set_member_status(tx, member_id, active=status is Status.ACTIVE)
    await changed(tx, member_id, by=by, changes={"status": (row["status"], status.value)}, reason=reason)
