"""The profile."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from backend.auth import queries as auth_queries
from backend.kernel import clock, db, events
from backend.kernel.config import settings

from .. import locks, queries, rules, service
from ..events import HomeStoreChanged
from ..schemas import ChangeProfile
from ..types import Member


async def change_profile(member_id: int, body: ChangeProfile) -> Member:
    """Change the fields that were sent; the rest stays."""
    if body.birthday is not UNSET:
        rules.check_birthday(body.birthday, clock.local_date(clock.now(), settings().timezone))
    if body.store_id is not UNSET:
        await auth_queries.check_store(body.store_id, "/store_id")
    name = UNSET if body.name is UNSET else rules.clean_name(body.name)
    async with db.transaction() as tx:
        row = await locks.lock_member(tx, member_id)
        attributes = msgspec.json.decode(row["attributes"])
        if body.attributes is not UNSET:
            attributes = rules.merge_attributes(attributes, body.attributes)
        await db.raw(tx).execute(
            "UPDATE member SET name = $2, birthday = $3, gender = $4, store_id = $5, attributes = $6, updated_at = $7"
            " WHERE id = $1",
            member_id,
            row["name"] if name is UNSET else name,
            row["birthday"] if body.birthday is UNSET else body.birthday,
            row["gender"] if body.gender is UNSET else body.gender.value,
            row["store_id"] if body.store_id is UNSET else body.store_id,
            msgspec.json.encode(attributes).decode(),
            clock.now(),
        )
        await service.note_completed(tx, member_id)
        if body.store_id is not UNSET and body.store_id != row["store_id"]:
            await events.publish(tx, HomeStoreChanged(member_id=member_id))
    return await queries.get_member(member_id)
