"""Standings of many members at once: locked, changed everywhere they are looked at, and the days they hold for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from backend.auth import service as auth
from backend.auth.types import Standing
from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.ledger import service as ledger

from ..types import SYSTEM, Actor, Status, Validity
from .changes import changed_many


class Held(msgspec.Struct, frozen=True):
    """A member's status and the days that the membership is good for, under the lock."""

    member_id: int
    status: Status
    validity: Validity


async def lock_held(tx: Tx, member_ids: Iterable[int]) -> list[Held]:
    """These members, locked until the transaction ends, in order of id; who is no member is left out."""
    rows = await db.fetch_in(
        tx,
        "SELECT id AS member_id, status, valid_from, valid_until FROM member WHERE id = ANY($1::bigint[])"
        " ORDER BY id FOR UPDATE",
        sorted(set(member_ids)),
    )
    return [
        Held(row["member_id"], Status(row["status"]), Validity(row["valid_from"], row["valid_until"])) for row in rows
    ]


_CURRENT = """
SELECT id, merged_into FROM member WHERE id = (SELECT coalesce(merged_into, id) FROM member WHERE id = $1) FOR UPDATE"""


async def hold_current(tx: Tx, member_id: int) -> int:
    """Who this member is now: the one merged into, or itself (also where there is none); held to the transaction's end.

    Whoever merges them waits, and finds what is written down for them; who was being merged is waited for.
    """
    # Who was merged before is not locked: whoever merges the other further holds that one, and then moves these along.
    rows = await db.fetch_in(tx, _CURRENT, member_id)
    if not rows:
        return member_id
    current, merged_into = rows[0]
    return current if merged_into is None else await hold_current(tx, merged_into)


async def set_validity(
    tx: Tx, held: Sequence[tuple[Held, Validity]], *, by: Actor = SYSTEM, reason: str | None = None
) -> None:
    """Let memberships, which the caller holds, be good for other days; what status follows, the caller says."""
    if not held:
        return
    await db.raw(tx).execute(
        "UPDATE member m SET valid_from = w.since, valid_until = w.until, updated_at = $4"
        " FROM unnest($1::bigint[], $2::date[], $3::date[]) AS w (id, since, until) WHERE m.id = w.id",
        [one.member_id for one, _ in held],
        [validity.valid_from for _, validity in held],
        [validity.valid_until for _, validity in held],
        clock.now(),
    )
    changes = {
        one.member_id: {
            name: (getattr(one.validity, name), getattr(validity, name)) for name in ("valid_from", "valid_until")
        }
        for one, validity in held
    }
    await changed_many(tx, changes, by=by, reason=reason)


async def set_statuses(
    tx: Tx, held: Sequence[Held], status: Status, *, by: Actor = SYSTEM, reason: str | None = None
) -> None:
    """Change the status of registered members everywhere it is looked at; the caller holds them.

    Not to ``none``: that ends log-ins, one by one (``set_status``).
    """
    if status is Status.NONE:
        raise ValueError("members are made unregistered one by one")
    if not held:
        return
    member_ids = [one.member_id for one in held]
    await db.raw(tx).execute(
        "UPDATE member SET status = $2, updated_at = $3 WHERE id = ANY($1::bigint[])",
        member_ids,
        status.value,
        clock.now(),
    )
    await auth.set_standings(tx, member_ids, Standing(status.value))
    await ledger.set_members_status(tx, member_ids, active=status is Status.ACTIVE)
    changes = {one.member_id: {"status": (one.status.value, status.value)} for one in held}
    await changed_many(tx, changes, by=by, reason=reason)
