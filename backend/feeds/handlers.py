"""What happens to members becomes entries."""

from __future__ import annotations

from typing import Any

import msgspec

from backend.kernel import clock, db, ids, jobs
from backend.kernel.db import Tx
from backend.kernel.events import on
from backend.members.events import LevelLost, LevelReached, MemberChanged, MemberRegistered

from .types import EntryKind

JOB = "feeds.tell"

_INSERT = "INSERT INTO feed_entry (id, kind, member_id, body, at) VALUES ($1, $2, $3, $4, $5)"


@on(MemberRegistered)
async def on_registered(event: MemberRegistered, tx: Tx) -> None:
    """There is a new member."""
    await _write(tx, EntryKind.REGISTERED, event.member_id)


@on(MemberChanged)
async def on_changed(event: MemberChanged, tx: Tx) -> None:
    """Fields of a member were changed; which, and how, the member's log says."""
    await _write(tx, EntryKind.CHANGED, event.member_id, changes=[str(change_id) for change_id in event.change_ids])


@on(LevelReached)
async def on_level_reached(event: LevelReached, tx: Tx) -> None:
    """A member went up."""
    await _write(tx, EntryKind.LEVEL, event.member_id, level=event.level)


@on(LevelLost)
async def on_level_lost(event: LevelLost, tx: Tx) -> None:
    """A member went down."""
    await _write(tx, EntryKind.LEVEL, event.member_id, level=event.level)


async def _write(tx: Tx, kind: EntryKind, member_id: int, **body: Any) -> None:
    await db.raw(tx).execute(
        _INSERT, ids.new_bigint(), kind.value, member_id, msgspec.json.encode(body).decode(), clock.now()
    )
    await jobs.defer(tx, JOB, unique=JOB)
