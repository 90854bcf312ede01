"""Head office keeps boxes and names their administrators; it reads what is in them only where it is one of these."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import Permission
from backend.kernel import clock, db, ids, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid

from .. import locks, queries
from ..errors import BoxConflict
from ..models import Box as Row
from ..schemas import BoxChangeIn, BoxIn
from ..types import Box, BoxState

log = logging.get(__name__)


async def get_box(box_id: str) -> Box:
    """A box; ``NotFound`` for none."""
    found = await queries.find_box(box_id)
    if found is None:
        raise NotFound("there is no such box")
    return found


async def create_box(body: BoxIn, staff_id: int) -> Box:
    """Add a box; it takes suggestions at once."""
    administrators = await _check(body)
    box_id, now = ids.new_short("B"), clock.now()
    async with db.transaction() as tx:
        (row,) = await db.fetch_in(tx, "SELECT count(*) FROM suggestion_box")
        if row[0] >= queries.MOST_BOXES:
            raise BoxConflict(f"there are {queries.MOST_BOXES} boxes already; open or change one that is closed")
        await write(tx, box_id, body, administrators, now)
        await queries.changes.note(tx, box_id, staff_id, "create", msgspec.to_builtins(body), now)
    log.info("suggestions.box_created", box_id=box_id, staff_id=staff_id)
    return await get_box(box_id)


async def write(tx: Tx, box_id: str, body: BoxIn, administrators: list[int], now: datetime) -> None:
    """Add a box as it is described."""
    await Row.create(
        using_db=tx,
        id=box_id,
        title=body.title,
        topic=body.topic,
        store_id=body.store_id,
        state=BoxState.OPEN.value,
        anonymous=body.anonymous,
        version=1,
        created_at=now,
        updated_at=now,
    )
    await _name(tx, box_id, administrators)


async def change_box(box_id: str, body: BoxChangeIn, staff_id: int) -> Box:
    """Put a box in place of another; who is no administrator any more reads nothing of it from then on."""
    administrators = await _check(body)
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_box(tx, box_id)
        if found.version != body.version:
            raise BoxConflict
        await (
            Row.filter(id=box_id)
            .using_db(tx)
            .update(
                title=body.title,
                topic=body.topic,
                store_id=body.store_id,
                anonymous=body.anonymous,
                version=found.version + 1,
                updated_at=now,
            )
        )
        await db.raw(tx).execute("DELETE FROM suggestion_box_admin WHERE box_id = $1", box_id)
        await _name(tx, box_id, administrators)
        await queries.changes.note(tx, box_id, staff_id, "change", msgspec.to_builtins(body), now)
    log.info("suggestions.box_changed", box_id=box_id, staff_id=staff_id)
    return await get_box(box_id)


async def move_box(box_id: str, state: BoxState, staff_id: int) -> Box:
    """Let a box take suggestions, or no more; repeated, it changes nothing."""
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_box(tx, box_id)
        if found.state is not state:
            changed = Row.filter(id=box_id).using_db(tx)
            await changed.update(state=state.value, version=found.version + 1, updated_at=now)
            await queries.changes.note(tx, box_id, staff_id, state.value, {}, now)
    log.info("suggestions.box_moved", box_id=box_id, staff_id=staff_id, state=state.value)
    return await get_box(box_id)


async def _name(tx: Tx, box_id: str, administrators: list[int]) -> None:
    await db.raw(tx).executemany(
        "INSERT INTO suggestion_box_admin (box_id, staff_id) VALUES ($1, $2)",
        [(box_id, staff_id) for staff_id in administrators],
    )


async def _check(body: BoxIn) -> list[int]:
    """The administrators' ids; refused unless each works here, and in the box's store where it has one."""
    if body.store_id is not None and await auth.find_store(body.store_id) is None:
        raise invalid("/store_id", "there is no such store")
    if len(set(body.administrators)) < len(body.administrators):
        raise invalid("/administrators", "each person at most once")
    staff = {person.id: person for person in await auth.list_who_may(Permission.SUGGESTIONS_HANDLE)}
    for index, staff_id in enumerate(body.administrators):
        person = staff.get(staff_id)
        if person is None:
            raise invalid(f"/administrators/{index}", "there is nobody of that id who reads suggestions")
        if body.store_id is not None and not person.reaches(body.store_id):
            raise invalid(f"/administrators/{index}", "works at another store")
    return sorted(int(staff_id) for staff_id in body.administrators)
