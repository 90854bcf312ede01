"""What happens to members becomes entries, on the transaction that does it; events only say that there are some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from backend.kernel import clock, db, ids, jobs
from backend.kernel.db import Tx
from backend.kernel.events import on
from backend.members import service as members
from backend.members import telling
from backend.members.events import LevelLost, LevelReached, MemberChanged
from backend.members.telling import Became

from .types import JOB, EntryKind

_INSERT = """
INSERT INTO feed_entry (id, kind, member_id, body, at)
SELECT id, kind, member_id, body::jsonb, $5
  FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[]) WITH ORDINALITY
       AS e (id, kind, member_id, body, place)
 ORDER BY place"""
_NOTED = "SELECT 1 FROM feed_entry WHERE member_id = $1 AND body -> 'changes' ? $2 LIMIT 1"

_LEVEL_NOTED = (
    "SELECT body ->> 'level' FROM feed_entry WHERE member_id = $1 AND kind = $2 ORDER BY arrived DESC LIMIT 1"
)


@telling.listen
async def on_became(tx: Tx, became: Sequence[Became]) -> None:
    """One entry for each, while the member is held: those of one member are in the order in which they happened."""
    rows = [(ids.new_bigint(), _kind(one).value, one.member_id, _body(one)) for one in became]
    await db.raw(tx).execute(_INSERT, *(list(column) for column in zip(*rows, strict=True)), clock.now())


def _kind(one: Became) -> EntryKind:
    if one.level is not None:
        return EntryKind.LEVEL
    if one.stage is not None:
        return EntryKind.STAGE
    return EntryKind.REGISTERED if one.joined else EntryKind.CHANGED


def _body(one: Became) -> str:
    said: Mapping[str, Any] = {
        "level": one.level,
        "stage": one.stage,
        "changes": [str(each) for each in one.change_ids],
    }
    return msgspec.json.encode({name: value for name, value in said.items() if value}).decode()


@on(MemberChanged)
async def on_changed(event: MemberChanged, tx: Tx) -> None:
    """Call whoever is to be told; what a server without this domain changed (the release before) becomes an entry."""
    first = str(event.change_ids[0]) if event.change_ids else ""
    if first and not await db.fetch_in(tx, _NOTED, event.member_id, first):
        await on_became(tx, [Became(member_id=event.member_id, change_ids=event.change_ids)])
    await jobs.defer(tx, JOB, unique=JOB)


@on(LevelReached)
async def on_level_reached(event: LevelReached, tx: Tx) -> None:
    """Call whoever is to be told."""
    await _on_level(tx, event.member_id, event.level)


@on(LevelLost)
async def on_level_lost(event: LevelLost, tx: Tx) -> None:
    """Call whoever is to be told."""
    await _on_level(tx, event.member_id, event.level)


async def _on_level(tx: Tx, member_id: int, level: str) -> None:
    """A level that a server without this domain moved (the release before) becomes an entry, as it is now."""
    rows = await db.fetch_in(tx, _LEVEL_NOTED, member_id, EntryKind.LEVEL.value)
    told = rows[0][0] if rows else None
    if told != level:
        await members.retell_level(tx, member_id, told)
    await jobs.defer(tx, JOB, unique=JOB)
