"""Writes on the caller's open transaction."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.members import service as members

from .letters import Letters, LetterWord, Way, keep, kept
from .queries.consents import PURPOSE
from .types import Place, PurposeRow

PROFILING = "profiling"
"""The purpose without which nobody is chosen by what they bought; it holds until a member says no."""

__all__ = ["LetterWord", "Letters", "Way", "keep", "record", "record_joining"]


async def record(
    tx: Tx,
    member_id: int,
    purpose: PurposeRow,
    *,
    granted: bool,
    place: Place,
    staff_id: int | None = None,
    note: str = "",
) -> bool:
    """Write a member's word to a purpose down, to the text in force; False where it was so already.

    It holds at once. Words about letters become those of ``messages``.
    """
    if purpose.channel is not None and purpose.letters is not None:
        by = "member" if staff_id is None else f"staff:{staff_id}"
        return await kept().say(tx, member_id, (purpose.channel, purpose.letters), granted=granted, by=by)
    now = clock.now()
    changed = await db.fetch_in(
        tx,
        "INSERT INTO privacy_consent AS c (member_id, purpose, granted, version, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (member_id, purpose) DO UPDATE SET granted = $3, version = $4, at = $5"
        " WHERE (c.granted, c.version) IS DISTINCT FROM ($3, $4) RETURNING 1",
        member_id,
        purpose.code,
        granted,
        purpose.version,
        now,
    )
    if not changed:
        return False
    if purpose.code == PROFILING:
        await members.set_profiled(tx, member_id, granted)
    await db.raw(tx).execute(
        "INSERT INTO privacy_consent_change (id, member_id, purpose, granted, version, place, staff_id, note, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        ids.new_bigint(),
        member_id,
        purpose.code,
        granted,
        purpose.version,
        place.value,
        staff_id,
        note,
        now,
    )
    return True


async def record_joining(tx: Tx, member_id: int, kinds: Sequence[str]) -> None:
    """Write down that a member agreed to these purposes in joining, on the phone."""
    for kind in kinds:
        rows = await db.fetch_in(tx, f"{PURPOSE} WHERE p.code = $1", kind)
        await record(tx, member_id, PurposeRow(**dict(rows[0])), granted=True, place=Place.PHONE)
