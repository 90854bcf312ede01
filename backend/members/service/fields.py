"""What members may change themselves, and their phone numbers."""

from __future__ import annotations

import asyncpg

from backend.kernel import clock, db
from backend.kernel.db import Record, Tx
from backend.kernel.vault import vault

from .. import queries
from ..errors import FieldLocked, PhoneTaken
from ..types import Actor, ProfileField
from .changes import changed


async def check_own_change(member_id: int, field: ProfileField, tx: Tx | None = None) -> None:
    """Refuse (``FieldLocked``) where the chain does not let members change that field, or not as often.

    Ask on the transaction that changes it, with the member held; without one it is a hint.
    """
    often = (await queries.field_rules()).often(field)
    if often is not None and (often == 0 or await queries.count_own_changes(member_id, field, tx) >= often):
        raise FieldLocked(field, often)


_LEFT_BEHIND = """
UPDATE member SET phone_sealed = '', phone_index = 'merged:' || id WHERE phone_index = $1 AND merged_into = $2"""


async def write_phone(tx: Tx, row: Record, phone: str, *, by: Actor, reason: str | None = None) -> bool:
    """Give a member another phone number; False where it is theirs already, ``PhoneTaken`` where another has it.

    The number of somebody who was merged into them is theirs to have. Holds the member (``row``, see ``locks``).
    """
    index = queries.phone_index(phone)
    if index == row["phone_index"]:
        return False
    await db.raw(tx).execute(_LEFT_BEHIND, index, row["id"])
    if await db.fetch_in(tx, "SELECT 1 FROM member WHERE phone_index = $1", index):
        raise PhoneTaken
    try:
        await db.raw(tx).execute(
            "UPDATE member SET phone_sealed = $2, phone_index = $3, updated_at = $4 WHERE id = $1",
            row["id"],
            vault().seal(phone.encode(), context=queries.PHONE_CONTEXT),
            index,
            clock.now(),
        )
    except asyncpg.UniqueViolationError:
        raise PhoneTaken from None
    before = queries.open_phone(row["phone_sealed"])
    await changed(tx, row["id"], by=by, changes={"phone": (before, phone)}, reason=reason)
    return True
