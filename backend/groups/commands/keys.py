"""Agreements with key accounts."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.types import Member

from .. import queries, service
from ..schemas import KeyAccountIn
from ..types import KeyAccount

log = logging.get(__name__)


async def reached_member(caller: StaffCaller, member_id: str) -> Member:
    """A member of a store that the caller may see; ``NotFound`` for any other."""
    row_id = ids.read_bigint(member_id)
    found = await members.find_member(row_id) if row_id is not None else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return found


async def get_key_account(caller: StaffCaller, member_id: str) -> KeyAccount:
    """A member's agreement; ``NotFound`` for none."""
    member = await reached_member(caller, member_id)
    found = await queries.find_key_account(member.id)
    if found is None:
        raise NotFound("this member is no key account")
    return found


async def put_key_account(caller: StaffCaller, member_id: str, body: KeyAccountIn) -> KeyAccount:
    """Agree something with a member, or something else; it holds at once."""
    member = await reached_member(caller, member_id)
    staff_id = ids.read_bigint(body.staff_id)
    if staff_id is None or staff_id not in await auth.staff_names([staff_id]):
        raise invalid("/staff_id", "is nobody of the staff")
    async with db.transaction() as tx:
        await member_service.lock_own(tx, member.id)
        await db.raw(tx).execute(
            "INSERT INTO key_account (member_id, staff_id, discount_bp, level_locked, note, since)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (member_id) DO UPDATE SET staff_id = $2, discount_bp = $3,"
            " level_locked = $4, note = $5",
            member.id,
            staff_id,
            body.discount_bp,
            body.level_locked,
            body.note,
            clock.now(),
        )
        await service.lend(tx, [member.id])
        detail = {"staff_id": body.staff_id, "discount_bp": body.discount_bp, "level_locked": body.level_locked}
        await queries.changes.note(tx, str(member.id), caller.staff_id, "key_account", detail, clock.now())
    log.info("groups.key_account", member_id=member.id, staff_id=caller.staff_id)
    return await get_key_account(caller, member_id)


async def end_key_account(caller: StaffCaller, member_id: str) -> None:
    """End an agreement: its discount is gone, and the level follows the rules again."""
    member = await reached_member(caller, member_id)
    async with db.transaction() as tx:
        await member_service.lock(tx, member.id)
        gone = await db.fetch_in(tx, "DELETE FROM key_account WHERE member_id = $1 RETURNING 1", member.id)
        if not gone:
            raise NotFound("this member is no key account")
        await service.lend(tx, [member.id])
        await queries.changes.note(tx, str(member.id), caller.staff_id, "key_account_end", {}, clock.now())
