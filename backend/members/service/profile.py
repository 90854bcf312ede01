"""The one place where what a profile says is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from backend.kernel import clock, db, events
from backend.kernel.db import Record, Tx

from ..events import HomeStoreChanged, ProfileCompleted
from ..types import Actor, Gender
from .changes import Change, changed
from .values import index_values

_COLUMNS = ("name", "birthday", "gender", "store_id", "referrer_id")


async def write_profile(
    tx: Tx, row: Record, new: Mapping[str, Any], *, by: Actor, reason: str | None = None
) -> dict[str, Change]:
    """Give a member these values, note what changed and tell of it; what is not named stays.

    Args:
        row: the member, as ``locks`` gives it; held.
        new: ``name``, ``birthday``, ``gender``, ``store_id``, ``referrer_id``, and ``attributes``: all of them.

    Returns what changed, by field.
    """
    member_id = row["id"]
    changes = {field: (row[field], new[field]) for field in _COLUMNS if field in new and new[field] != row[field]}
    was = msgspec.json.decode(row["attributes"])
    attributes = new.get("attributes", was)
    moved = [code for code in sorted(was.keys() | attributes.keys()) if was.get(code) != attributes.get(code)]
    changes |= {f"attributes.{code}": (was.get(code), attributes.get(code)) for code in moved}
    if not changes:
        return {}
    await db.raw(tx).execute(
        "UPDATE member SET name = $2, birthday = $3, gender = $4, store_id = $5, referrer_id = $6, attributes = $7,"
        " updated_at = $8 WHERE id = $1",
        member_id,
        *(new.get(field, row[field]) for field in _COLUMNS),
        msgspec.json.encode(attributes).decode(),
        clock.now(),
    )
    await index_values(tx, [(member_id, row["created_at"], {code: attributes.get(code) for code in moved})])
    await changed(tx, member_id, by=by, changes=changes, reason=reason)
    if "store_id" in changes:
        await events.publish(tx, HomeStoreChanged(member_id=member_id))
    return changes


async def note_completed(tx: Tx, member_id: int) -> None:
    """Tell of a profile that says everything."""
    (row,) = await db.fetch_in(tx, "SELECT birthday, gender FROM member WHERE id = $1", member_id)
    if row["birthday"] is not None and row["gender"] != Gender.UNKNOWN:
        await events.publish(tx, ProfileCompleted(member_id=member_id))
