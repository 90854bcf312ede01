"""The profile."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from backend.auth import queries as auth_queries
from backend.kernel import clock, db
from backend.kernel.config import settings

from .. import locks, queries, rules, service
from ..schemas import ChangeProfile
from ..types import Actor, Member


async def change_profile(member_id: int, body: ChangeProfile) -> Member:
    """Change the fields that were sent; the rest stays."""
    if body.birthday is not UNSET:
        rules.check_birthday(body.birthday, clock.local_date(clock.now(), settings().timezone))
    if body.store_id is not UNSET:
        await auth_queries.check_store(body.store_id, "/store_id")
    name = UNSET if body.name is UNSET else rules.clean_name(body.name)
    async with db.transaction() as tx:
        row = await locks.lock_member(tx, member_id)
        new: dict[str, Any] = {
            field: value
            for field, value in (("name", name), ("birthday", body.birthday), ("store_id", body.store_id))
            if value is not UNSET
        }
        if body.gender is not UNSET:
            new["gender"] = body.gender.value
        if body.attributes is not UNSET:
            new["attributes"] = rules.merge_attributes(msgspec.json.decode(row["attributes"]), body.attributes)
        await service.write_profile(tx, row, new, by=Actor.member(member_id))
        await service.note_completed(tx, member_id)
    return await queries.get_member(member_id)
