"""Writes on the caller's open transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.members import service as members
from backend.members.types import Actor

from .errors import ConsentOutdated
from .letters import Letters, LetterWord, Way, keep, kept
from .queries.consents import PURPOSE
from .types import Place, PurposeRow

PROFILING = "profiling"
"""The purpose without which nobody is chosen by what they bought; it holds until a member says no."""

SHARING = "third_party"
"""The purpose without which no other company is told of anybody."""

__all__ = ["LetterWord", "Letters", "Way", "keep", "note_word", "record", "record_joining", "record_registering"]


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
        by = _by(place, staff_id)
        return await kept().say(tx, member_id, (purpose.channel, purpose.letters), granted=granted, by=by)
    now = clock.now()
    before = await db.fetch_in(
        tx, "SELECT granted FROM privacy_consent WHERE member_id = $1 AND purpose = $2", member_id, purpose.code
    )
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
    if purpose.code == SHARING and granted is not (bool(before) and before[0]["granted"]):
        await tell_of_sharing(tx, member_id, granted=granted, staff_id=staff_id)
    await note_word(
        tx,
        member_id,
        purpose.code,
        version=purpose.version,
        granted=granted,
        place=place,
        staff_id=staff_id,
        note=note,
        at=now,
    )
    return True


async def tell_of_sharing(tx: Tx, member_id: int, *, granted: bool, staff_id: int | None = None) -> None:
    """Have systems of other companies hear that they may, or may no more, know of a member."""
    by = Actor.staff(staff_id) if staff_id is not None else Actor.member(member_id)
    words = ("no", "yes") if granted else ("yes", "no")
    await members.changed(tx, member_id, by=by, changes={SHARING: words})


async def note_word(
    tx: Tx,
    member_id: int,
    purpose: str,
    *,
    version: int,
    granted: bool,
    place: Place,
    at: datetime,
    staff_id: int | None = None,
    note: str = "",
) -> None:
    """Write into the history what was said, and let it hold for who is chosen by what they bought."""
    if purpose == PROFILING:
        await members.set_profiled(tx, member_id, granted)
    await db.raw(tx).execute(
        "INSERT INTO privacy_consent_change (id, member_id, purpose, granted, version, place, staff_id, note, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        ids.new_bigint(),
        member_id,
        purpose,
        granted,
        version,
        place.value,
        staff_id,
        note,
        at,
    )


async def record_joining(tx: Tx, member_id: int, kinds: Sequence[str]) -> None:
    """Write down that a member agreed to these purposes in joining, on the phone."""
    for kind in kinds:
        rows = await db.fetch_in(tx, f"{PURPOSE} WHERE p.code = $1", kind)
        await record(tx, member_id, PurposeRow(**dict(rows[0])), granted=True, place=Place.PHONE)


def _by(place: Place, staff_id: int | None) -> str:
    """Who said a word about letters, as ``messages`` keeps it."""
    if staff_id is not None and place is not Place.IMPORT:
        return f"staff:{staff_id}"
    return "member" if place is Place.PHONE else place.value


UNSAID = {
    Place.TILL: "收银台登记，待会员在手机上确认",
    Place.STAFF: "员工登记，待会员在手机上确认",
    Place.IMPORT: "导入的资料未载明，待会员在手机上确认",
}
"""Why somebody who was made a member agreed to nothing yet, where nobody says more."""

_HELD = """
INSERT INTO privacy_consent (member_id, purpose, granted, version, at)
SELECT w.member_id, w.purpose, w.granted, w.version, $5
  FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::int[]) AS w (member_id, purpose, granted, version)"""
_SAID = """
INSERT INTO privacy_consent_change (id, member_id, purpose, granted, version, place, staff_id, note, at)
SELECT w.id, w.member_id, w.purpose, w.granted, w.version, $7, $8, w.note, $9
  FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[], $5::int[], $6::text[])
       AS w (id, member_id, purpose, granted, version, note)"""


async def record_registering(
    tx: Tx,
    read: Mapping[int, Mapping[str, int | None]],
    *,
    place: Place,
    staff_id: int | None = None,
    note: str = "",
) -> None:
    """Write down what members who were just made by others agreed to; and what is required that they did not, and why.

    Args:
        tx: the transaction that makes them.
        read: for each member the purposes that they agreed to, with the version that they read (None: that in force).
        place: where: a till, staff, an import.
        staff_id: who of the staff wrote it down.
        note: where the paper lies, or why nothing was agreed to.

    Raises ``ConsentOutdated`` where another text was read than the one in force. What is required and not agreed to
    (``granted`` false) is asked for when they open their phone.
    """
    rows = await db.fetch_in(tx, f"{PURPOSE} WHERE p.active ORDER BY p.sort FOR SHARE OF p")
    purposes = [PurposeRow(**dict(row)) for row in rows]
    now, words = clock.now(), []
    for member_id, versions in read.items():
        for purpose in purposes:
            if versions.get(purpose.code) not in (None, purpose.version):
                raise ConsentOutdated
            granted = purpose.code in versions
            if granted and purpose.channel is not None and purpose.letters is not None:
                way = (purpose.channel, purpose.letters)
                await kept().say(tx, member_id, way, granted=True, by=_by(place, staff_id))
            elif granted or purpose.required:
                why = note if granted else note or UNSAID[place]
                words.append((ids.new_bigint(), member_id, purpose.code, granted, purpose.version, why))
    if words:
        columns = [list(column) for column in zip(*words, strict=True)]
        await db.raw(tx).execute(_HELD, *columns[1:5], now)
        await db.raw(tx).execute(_SAID, *columns, place.value, staff_id, now)
