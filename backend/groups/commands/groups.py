"""Groups as staff agree them: made, changed, closed."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members

from .. import queries, service
from ..errors import GroupConflict, NumberTaken
from ..schemas import ChangeGroup, GroupIn
from ..types import Group

log = logging.get(__name__)


async def get_group(group_id: str, caller: StaffCaller) -> Group:
    """A group that the caller may see; ``NotFound`` for any other."""
    found = await queries.find_group(group_id)
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such group")
    return found


async def _check(body: GroupIn) -> None:
    levels = await members.levels()
    await auth.check_store(body.store_id, "/store_id")
    if body.level is not None and body.level not in levels:
        raise invalid("/level", "there is no such level")
    for place, rule in enumerate(body.rules):
        if rule.level not in levels:
            raise invalid(f"/rules/{place}/level", "there is no such level")


def _terms(body: GroupIn) -> tuple[Any, ...]:
    return (
        body.number,
        body.name,
        body.contact,
        body.note,
        body.store_id,
        body.level,
        body.discount_bp,
        body.member_limit,
        body.months,
        msgspec.json.encode(body.rules).decode(),
    )


async def create_group(body: GroupIn, caller: StaffCaller) -> Group:
    """Make a group; nobody belongs to it yet."""
    await _check(body)
    group_id = ids.new_short("GA")
    try:
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "INSERT INTO group_account (number, name, contact, note, store_id, level, discount_bp, member_limit,"
                " months, rules, id, state, created_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', $12)",
                *_terms(body),
                group_id,
                clock.now(),
            )
            await _note(tx, group_id, caller, "create", body)
    except asyncpg.UniqueViolationError:
        raise NumberTaken from None
    log.info("groups.created", group_id=group_id, staff_id=caller.staff_id)
    return await get_group(group_id, caller)


async def change_group(group_id: str, body: ChangeGroup, caller: StaffCaller) -> Group:
    """Agree other terms; its people have them at once. ``GroupConflict``: it was changed meanwhile."""
    await _check(body)
    await get_group(group_id, caller)
    try:
        async with db.transaction() as tx:
            group, people = await service.lock_with_people(tx, group_id)
            if group.version != body.version:
                raise GroupConflict
            if body.member_limit < len(people):
                raise invalid("/member_limit", f"there are {len(people)} members")
            await db.raw(tx).execute(
                "UPDATE group_account SET number = $1, name = $2, contact = $3, note = $4, store_id = $5, level = $6,"
                " discount_bp = $7, member_limit = $8, months = $9, rules = $10, version = version + 1, dirty = true"
                " WHERE id = $11",
                *_terms(body),
                group_id,
            )
            await service.lend(tx, people)
            await _note(tx, group_id, caller, "change", body)
    except asyncpg.UniqueViolationError:
        raise NumberTaken from None
    return await get_group(group_id, caller)


async def set_state(group_id: str, state: str, caller: StaffCaller) -> Group:
    """Close a group, or open it again; repeated, it changes nothing. Its people stay, and get nothing of it."""
    await get_group(group_id, caller)
    async with db.transaction() as tx:
        group, people = await service.lock_with_people(tx, group_id)
        if group.state != state:
            await db.raw(tx).execute(
                "UPDATE group_account SET state = $2, version = version + 1 WHERE id = $1", group_id, state
            )
            await service.lend(tx, people)
            await queries.changes.note(tx, group_id, caller.staff_id, state, {}, clock.now())
    return await get_group(group_id, caller)


async def _note(tx: Tx, group_id: str, caller: StaffCaller, action: str, body: GroupIn) -> None:
    detail: dict[str, Any] = msgspec.to_builtins(body)
    for name in ("contact", "note", "name"):
        detail.pop(name)
    await queries.changes.note(tx, group_id, caller.staff_id, action, detail, clock.now())
