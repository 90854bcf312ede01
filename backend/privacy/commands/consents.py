"""Members give and take back consents; staff write down what was said on paper, and publish texts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging, trail
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members
from backend.members import service as members_service
from backend.members.types import Member, Status

from .. import queries, service
from ..errors import ConsentOutdated, ConsentRequired, PurposeChanged
from ..queries.consents import PURPOSE
from ..schemas import ConsentWord, PurposeIn
from ..types import Place, PurposeRow

log = logging.get(__name__)

_CODE = re.compile(r"[a-z][a-z0-9_]{1,23}", re.ASCII)


async def reached(caller: StaffCaller, member_id: str) -> Member:
    """The member that is named, if this person may see them; one that was erased is nobody any more."""
    id_ = ids.read_bigint(member_id)
    found = await members.find_member(id_) if id_ is not None else None
    if found is None or not caller.reaches(found.store_id) or found.status is Status.ERASED:
        raise NotFound("there is no such member")
    return found


async def say(
    member_id: int, words: Iterable[ConsentWord], *, place: Place, staff_id: int | None = None, note: str = ""
) -> None:
    """Write a member's words down; a purpose named twice has the last of them. All of them hold, or none.

    Raises ``ConsentOutdated`` where another text was shown than the one in force, ``ConsentRequired`` for taking back
    what membership rests on.
    """
    wanted = {word.purpose: (index, word) for index, word in enumerate(words)}
    async with db.transaction() as tx:
        await members_service.lock(tx, member_id)
        for code, (index, word) in sorted(wanted.items()):
            purpose = await _find(tx, code)
            if purpose is None or not purpose.active:
                raise invalid(f"/items/{index}/purpose", "there is no such purpose")
            if word.granted and word.version != purpose.version:
                raise ConsentOutdated
            if purpose.required and not word.granted:
                raise ConsentRequired
            await service.record(
                tx, member_id, purpose, granted=word.granted, place=place, staff_id=staff_id, note=note
            )
            trail.changed("consent", code)


async def _find(tx: Tx, code: str) -> PurposeRow | None:
    """A purpose, whose text stays the one in force until the transaction ends."""
    await db.fetch_in(tx, "SELECT 1 FROM privacy_purpose WHERE code = $1 FOR SHARE", code)
    rows = await db.fetch_in(tx, f"{PURPOSE} WHERE p.code = $1", code)
    return PurposeRow(**dict(rows[0])) if rows else None


def code_of(text: str) -> str:
    """The code that an address names; ``ValidationFailed`` for what can be none."""
    if not _CODE.fullmatch(text):
        raise invalid("/path/purpose", "must be 2 to 24 small letters, digits and _")
    return text


async def publish(code: str, body: PurposeIn, caller: StaffCaller) -> PurposeRow:
    """Make a purpose, or put another text, title or place in force; a new text of a required one is asked for again.

    ``body.version`` is what was looked at (0 for a new purpose); ``PurposeChanged`` where it is not that any more.
    """
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, "SELECT version, required FROM privacy_purpose WHERE code = $1 FOR UPDATE", code)
        if (rows[0]["version"] if rows else 0) != body.version:
            raise PurposeChanged
        if not rows:
            await db.raw(tx).execute(
                "INSERT INTO privacy_purpose (code, title, required, active, sort, version)"
                " VALUES ($1, $2, $3, $4, $5, 1)",
                code,
                body.title,
                body.required,
                body.active,
                body.sort,
            )
            await _write_text(tx, code, 1, body.body, caller)
        else:
            await _change(tx, code, body, caller)
    found = await queries.find_purpose(code)
    assert found is not None
    log.info("privacy.published", purpose=code, version=found.version, staff_id=caller.staff_id)
    return found


async def _change(tx: Tx, code: str, body: PurposeIn, caller: StaffCaller) -> None:
    old = await _find(tx, code)
    assert old is not None
    if old.channel is not None and body.required:
        raise invalid("/required", "letters are nobody's duty")
    if old.required and old.code in REGISTERED and not (body.required and body.active):
        raise invalid("/required", "registering rests on it")
    version = old.version
    if body.body != old.body:
        version += 1
        await _write_text(tx, code, version, body.body, caller)
    await db.raw(tx).execute(
        "UPDATE privacy_purpose SET title = $2, required = $3, active = $4, sort = $5, version = $6 WHERE code = $1",
        code,
        body.title,
        body.required,
        body.active,
        body.sort,
        version,
    )


REGISTERED = frozenset({"terms", "privacy"})
"""What a member agrees to in registering."""


async def _write_text(tx: Tx, code: str, version: int, text: str, caller: StaffCaller) -> None:
    await db.raw(tx).execute(
        "INSERT INTO privacy_text (purpose, version, body, staff_id, at) VALUES ($1, $2, $3, $4, $5)",
        code,
        version,
        text,
        caller.staff_id,
        clock.now(),
    )
    trail.changed("publish", "body")
