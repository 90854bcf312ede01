"""Purposes, their texts, and what members said to them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from backend.kernel import db
from backend.members import queries as members

from .. import letters
from ..types import Change, Consent, Place, PurposeRow, Text

PURPOSE = (
    "SELECT p.code, p.title, p.required, p.unsaid, p.active, p.sort, p.version, t.body, p.channel, p.letters"
    " FROM privacy_purpose p JOIN privacy_text t ON t.purpose = p.code AND t.version = p.version"
)


async def list_purposes(*, active: bool = True) -> list[PurposeRow]:
    """The purposes with the text in force, in their order; those no longer asked for too, unless ``active``."""
    rows = await db.fetch(f"{PURPOSE} WHERE p.active OR NOT $1 ORDER BY p.sort, p.code", active)
    return [PurposeRow(**dict(row)) for row in rows]


async def find_purpose(code: str) -> PurposeRow | None:
    """A purpose, or None."""
    row = await db.fetchrow(f"{PURPOSE} WHERE p.code = $1", code)
    return PurposeRow(**dict(row)) if row else None


async def list_texts(code: str) -> list[Text]:
    """Every version of a purpose's text, newest first; a hundred at most."""
    rows = await db.fetch(
        "SELECT purpose, version, body, at, staff_id FROM privacy_text WHERE purpose = $1 ORDER BY version DESC"
        " LIMIT 100",
        code,
    )
    return [Text(**dict(row)) for row in rows]


async def list_consents(member_id: int) -> list[Consent]:
    """A member's word to every active purpose, as it holds."""
    rows = await db.fetch("SELECT purpose, granted, version, at FROM privacy_consent WHERE member_id = $1", member_id)
    own: dict[str, tuple[bool, int | None, datetime | None]] = {}
    for kind, old_version, agreed_at in await members.list_consents(member_id):
        own[kind] = (
            True,
            int(old_version),
            agreed_at,
        )  # before purposes had texts here, or at a server of that release
    for row in rows:
        known = own.get(row["purpose"])
        if known is None or known[2] is None or known[2] <= row["at"]:
            own[row["purpose"]] = (row["granted"], row["version"], row["at"])
    words = await letters.kept().words(member_id)
    found = []
    for purpose in await list_purposes():
        if purpose.channel is not None and purpose.letters is not None:
            granted, at = words[purpose.channel, purpose.letters]
            found.append(Consent(purpose=purpose, granted=granted, version=None, at=at))
            continue
        granted, version, at = own.get(purpose.code, (purpose.unsaid, None, None))
        found.append(Consent(purpose=purpose, granted=granted, version=version, at=at))
    return found


_SHARING = """
SELECT c.member_id, coalesce((SELECT granted FROM privacy_consent n WHERE n.member_id = c.member_id
                                 AND n.purpose = 'third_party'), false) AS now
  FROM (SELECT DISTINCT member_id FROM privacy_consent_change
         WHERE member_id = ANY($1::bigint[]) AND purpose = 'third_party' AND granted) c"""


async def read_sharing(member_ids: Collection[int]) -> dict[int, str]:
    """Who agrees that other companies are told of them (``yes``), or did once (``no``); who never did is absent."""
    return {row["member_id"]: "yes" if row["now"] else "no" for row in await db.fetch(_SHARING, list(member_ids))}


_CHANGES = """
SELECT id, purpose, granted, version, place, coalesce('staff:' || staff_id, 'member') AS by, note, at
  FROM privacy_consent_change
 WHERE member_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3::bigint)) ORDER BY at DESC, id DESC LIMIT $4"""


_PLACES = {place.value: place for place in (Place.TILL, Place.IMPORT, Place.MERGE)}
"""Where a word about letters was said, by who said it."""


def _of_joining(number: int, kind: str, version: int, at: datetime) -> Change:
    return Change(
        id=number, purpose=kind, granted=True, version=version, place=Place.PHONE.value, by="member", note="", at=at
    )


async def list_changes(member_id: int, *, before: tuple[datetime, int] | None, limit: int) -> list[Change]:
    """Everything a member said to any purpose, newest first, from below ``before``.

    What was said of letters is kept without a version: it was said to the text that was in force then.
    """
    rows = await db.fetch(_CHANGES, member_id, *(before or (None, None)), limit)
    said = [Change(**dict(row)) for row in rows]
    for number, (kind, old_version, at) in enumerate(await members.list_consents(member_id)):
        if before is None or (at, number) < before:
            said.append(_of_joining(number, kind, int(old_version), at))
    words = await letters.kept().changes(member_id, before, limit)
    purposes = {(item.channel, item.letters): item.code for item in await list_purposes(active=False)}
    of_letters = [word for word in words if word.way in purposes]
    texts = await db.fetch(
        "SELECT purpose, version, at FROM privacy_text WHERE purpose = ANY($1::text[]) ORDER BY version DESC",
        sorted({purposes[word.way] for word in of_letters}),
    )
    for word in of_letters:
        code = purposes[word.way]
        version = next((row["version"] for row in texts if row["purpose"] == code and row["at"] <= word.at), 1)
        place = Place.STAFF if word.by.startswith("staff:") else _PLACES.get(word.by, Place.PHONE)
        said.append(
            Change(
                id=word.id,
                purpose=code,
                granted=word.granted,
                version=version,
                place=place.value,
                by=word.by,
                note="",
                at=word.at,
            )
        )
    return sorted(said, key=lambda change: (change.at, change.id), reverse=True)[:limit]
