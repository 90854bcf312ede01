"""Who belongs to a group: joined by invitation or by staff, what they are in it, and how they leave."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import asyncpg

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, limits, logging
from backend.kernel.db import Tx
from backend.kernel.errors import Forbidden, NotFound, invalid
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.types import Status

from .. import queries, service
from ..errors import GroupConflict, GroupFull, GroupOwner, InAGroup, InvitationInvalid
from ..schemas import AddMember, InviteIn
from ..types import Group, GroupRole, GroupState, SubMember
from . import groups

log = logging.get(__name__)

TRIES_PER_HOUR = 20
MOST_INVITATIONS = 50


async def add_member(group_id: str, body: AddMember, caller: StaffCaller) -> SubMember:
    """Let a member belong to a group, by staff."""
    await groups.get_group(group_id, caller)
    member_id = await members.find_id_by_number(body.member_no)
    found = await members.find_member(member_id) if member_id is not None else None
    if found is None or found.status is not Status.ACTIVE or not caller.reaches(found.store_id):
        raise invalid("/member_no", "is no active member's number")
    async with db.transaction() as tx:
        person_id = await _join(tx, group_id, found.id, body.role)
        detail = {"member_id": str(found.id), "role": body.role.value}
        await queries.changes.note(tx, group_id, caller.staff_id, "add", detail, clock.now())
    return await _person(person_id)


async def _join(tx: Tx, group_id: str, member_id: int, role: GroupRole) -> str:
    """Write down that somebody belongs to a group, and let them have what it lends."""
    await member_service.lock_own(tx, member_id)
    group = await service.lock_group(tx, group_id, open_only=True)
    (row,) = await db.fetch_in(
        tx, "SELECT count(*) AS people FROM group_member WHERE group_id = $1 AND left_at IS NULL", group_id
    )
    if row["people"] >= group.member_limit:
        raise GroupFull
    person_id = ids.new_short("GM")
    try:
        await db.raw(tx).execute(
            "INSERT INTO group_member (id, group_id, member_id, role, joined_at) VALUES ($1, $2, $3, $4, $5)",
            person_id,
            group_id,
            member_id,
            role.value,
            clock.now(),
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "group_member_owner":
            raise GroupOwner("the group has an owner") from None
        raise InAGroup from None
    await service.lend(tx, [member_id])
    return person_id


async def _person(person_id: str) -> SubMember:
    row = await db.fetchrow(f"{queries.PERSON} WHERE id = $1", person_id)
    assert row is not None
    return queries.person_of(row)


async def _find(group_id: str, person_id: str) -> SubMember:
    row = await db.fetchrow(
        f"{queries.PERSON} WHERE id = $1 AND group_id = $2 AND left_at IS NULL", person_id, group_id
    )
    if row is None:
        raise NotFound("nobody of this group")
    return queries.person_of(row)


async def remove_member(group_id: str, person_id: str, caller: StaffCaller) -> None:
    """Let somebody no longer belong to a group, by staff: its owner too. They are back at their own level."""
    await groups.get_group(group_id, caller)
    person = await _find(group_id, person_id)
    async with db.transaction() as tx:
        await _leave(tx, person)
        detail = {"member_id": str(person.member_id)}
        await queries.changes.note(tx, group_id, caller.staff_id, "remove", detail, clock.now())


async def _leave(tx: Tx, person: SubMember) -> None:
    await member_service.lock(tx, person.member_id)
    gone = await db.fetch_in(
        tx,
        "UPDATE group_member SET left_at = greatest($2, joined_at) WHERE id = $1 AND left_at IS NULL RETURNING 1",
        person.id,
        clock.now(),
    )
    if not gone:
        raise NotFound("nobody of this group")
    await service.lend(tx, [person.member_id])


async def change_role(group_id: str, person_id: str, role: GroupRole, caller: StaffCaller) -> SubMember:
    """Make somebody something else in a group, by staff; an owner before takes the place of a manager."""
    await groups.get_group(group_id, caller)
    person = await _find(group_id, person_id)
    async with db.transaction() as tx:
        await _set_role(tx, person, role)
        detail = {"member_id": str(person.member_id), "role": role.value}
        await queries.changes.note(tx, group_id, caller.staff_id, "role", detail, clock.now())
    return await _person(person_id)


async def _set_role(tx: Tx, person: SubMember, role: GroupRole) -> None:
    await service.lock_group(tx, person.group_id)
    if role is GroupRole.OWNER:
        await db.raw(tx).execute(
            "UPDATE group_member SET role = 'manager' WHERE group_id = $1 AND role = 'owner' AND left_at IS NULL",
            person.group_id,
        )
    moved = await db.fetch_in(
        tx,
        "UPDATE group_member SET role = $2 WHERE id = $1 AND left_at IS NULL RETURNING 1",
        person.id,
        role.value,
    )
    if not moved:
        raise GroupConflict


# -- by its own people


async def mine(member_id: int, *roles: GroupRole) -> tuple[SubMember, Group]:
    """What a member is in their group; ``NotFound`` for none, ``Forbidden`` for another role than these."""
    person = await queries.find_belonging(member_id)
    group = await queries.find_group(person.group_id) if person else None
    if person is None or group is None:
        raise NotFound("you belong to no group")
    if roles and person.role not in roles:
        raise Forbidden("only the group's owner or a manager may do this")
    return person, group


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


async def invite(member_id: int, body: InviteIn) -> tuple[str, datetime]:
    """Make an invitation to the caller's group: its code, which is kept by its digest only, and when it ends."""
    person, _ = await mine(member_id, GroupRole.OWNER, GroupRole.MANAGER)
    code, expires_at = ids.new_short("", 16), clock.now() + timedelta(days=body.days)
    async with db.transaction() as tx:
        group = await service.lock_group(tx, person.group_id, open_only=True)
        (row,) = await db.fetch_in(
            tx,
            "SELECT count(*) AS there FROM group_invitation WHERE group_id = $1 AND expires_at > $2 AND uses_left > 0",
            group.id,
            clock.now(),
        )
        if row["there"] >= MOST_INVITATIONS:
            raise GroupConflict(f"{MOST_INVITATIONS} invitations are open")
        await db.raw(tx).execute(
            "INSERT INTO group_invitation (digest, group_id, member_id, uses_left, expires_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            _digest(code),
            group.id,
            member_id,
            body.uses,
            expires_at,
        )
    return code, expires_at


async def withdraw_invitations(member_id: int) -> None:
    """Let no invitation to the caller's group be good any more."""
    person, _ = await mine(member_id, GroupRole.OWNER, GroupRole.MANAGER)
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM group_invitation WHERE group_id = $1", person.group_id)


async def join(member_id: int, code: str) -> None:
    """Join the group that an invitation is to; who guesses is slowed down."""
    await limits.hit(f"group-join:{member_id}", TRIES_PER_HOUR, 3600)
    async with db.transaction() as tx:
        await member_service.lock(tx, member_id)
        rows = await db.fetch_in(
            tx,
            "SELECT group_id FROM group_invitation WHERE digest = $1 AND uses_left > 0 AND expires_at > $2",
            _digest(code),
            clock.now(),
        )
        if not rows:
            raise InvitationInvalid
        await _join(tx, rows[0]["group_id"], member_id, GroupRole.MEMBER)
        used = await db.fetch_in(
            tx,
            "UPDATE group_invitation SET uses_left = uses_left - 1 WHERE digest = $1 AND uses_left > 0 RETURNING 1",
            _digest(code),
        )
        if not used:
            raise InvitationInvalid
    log.info("groups.joined", member_id=member_id)


async def leave(member_id: int) -> None:
    """Leave one's group, back to one's own level; the owner hands it over before."""
    person, group = await mine(member_id)
    if person.role is GroupRole.OWNER and group.state is GroupState.OPEN:
        raise GroupOwner
    async with db.transaction() as tx:
        await _leave(tx, person)


async def dismiss(member_id: int, person_id: str) -> None:
    """Let somebody leave the caller's group: its owner anybody, a manager those who are only members."""
    person, group = await mine(member_id, GroupRole.OWNER, GroupRole.MANAGER)
    other = await _find(group.id, person_id)
    if other.id == person.id or (person.role is GroupRole.MANAGER and other.role is not GroupRole.MEMBER):
        raise Forbidden("only the group's owner may do this")
    async with db.transaction() as tx:
        await _leave(tx, other)


async def appoint(member_id: int, person_id: str, role: GroupRole) -> None:
    """Make somebody of the caller's group something else; only its owner may, and hands it over so."""
    person, group = await mine(member_id, GroupRole.OWNER)
    other = await _find(group.id, person_id)
    if other.id == person.id:
        raise GroupOwner
    async with db.transaction() as tx:
        await _set_role(tx, other, role)
