"""People with a login, as somebody else sees to them."""

from __future__ import annotations

from backend.auth import password_rules, passwords, queries, service
from backend.auth.types import Person, Role, Staff, StaffCaller
from backend.kernel import clock, db, ids, trail
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .logins import login_subject


async def create_staff(
    username: str,
    password: str,
    role: str,
    store_id: str | None,
    totp_secret: str | None,
    caller: StaffCaller | None = None,
) -> Staff:
    """Add a login; ``caller`` is None for the installation's first."""
    password_rules.check_password(password, username)
    password_hash = await passwords.hash_secret(password)
    async with db.transaction() as tx:
        if caller is not None:
            await service.check_may_give(tx, role, store_id, caller)
        staff_id = await service.create_staff(
            tx,
            username=username,
            password_hash=password_hash,
            role=role,
            store_id=store_id,
            totp_secret=totp_secret,
            made_by=caller.staff_id if caller else None,
        )
        trail.named(str(staff_id))
        trail.said(role=role, store_id=store_id)
    return await queries.get_staff(staff_id)


async def move_staff(staff_id: str, role: str, store_id: str | None, caller: StaffCaller) -> Staff:
    """Give somebody another role or another place; it holds from their next call on."""
    async with db.transaction() as tx:
        person = await service.lock_person(tx, staff_id, caller)
        await service.check_may_give(tx, role, store_id, caller)
        if person.role == Role.ADMIN and role != Role.ADMIN and person.active:
            await service.keep_an_admin(tx, person.id)
        await db.raw(tx).execute(
            "UPDATE auth_staff SET role = $2, store_id = $3 WHERE id = $1", person.id, role, store_id
        )
        trail.changed(
            "move", *(["role"] if role != person.role else []), *(["store_id"] if store_id != person.store_id else [])
        )
        trail.said(role=role, role_before=person.role, store_id=store_id, store_before=person.store_id)
    queries.forget_managers()
    return await queries.get_staff(person.id)


async def close_staff(staff_id: str, caller: StaffCaller) -> None:
    """Take a login away: its sessions end at once, and links that it made or that were made for it are void.

    Somebody who may do everything must be left.
    """
    async with db.transaction() as tx:
        person = await service.lock_person(tx, staff_id, caller)
        if person.role == Role.ADMIN and person.active:
            await service.keep_an_admin(tx, person.id)
        await db.raw(tx).execute("UPDATE auth_staff SET active = false WHERE id = $1", person.id)
        await service.end_staff_sessions(tx, person.id)
        await service.void_links(tx, person.id)
    queries.forget_managers()


async def reopen_staff(staff_id: str, caller: StaffCaller) -> None:
    """Let somebody log in again, with the password of before."""
    async with db.transaction() as tx:
        person = await service.lock_person(tx, staff_id, caller)
        await db.raw(tx).execute("UPDATE auth_staff SET active = true WHERE id = $1", person.id)
    queries.forget_managers()


async def unlock_staff(staff_id: str, caller: StaffCaller) -> None:
    """Forget the wrong tries of somebody's name."""
    async with db.transaction() as tx:
        person = await service.lock_other(tx, staff_id, caller)
        await _forget_tries(tx, person)


async def _forget_tries(tx: Tx, person: Person) -> None:
    await db.raw(tx).execute("DELETE FROM auth_login_failure WHERE subject = $1", login_subject(person.username))


async def reset_totp(staff_id: str, caller: StaffCaller) -> None:
    """Take somebody's second factor away, who lost it; their sessions end."""
    async with db.transaction() as tx:
        person = await service.lock_other(tx, staff_id, caller)
        await service.remove_second_factor(tx, person.id)
        await service.end_staff_sessions(tx, person.id)


async def end_session_of(staff_id: str, session_id: str, caller: StaffCaller) -> None:
    """End one session of somebody; ``NotFound`` where it is none of theirs, or has ended."""
    async with db.transaction() as tx:
        person = await service.lock_person(tx, staff_id, caller)
        await end_one(tx, person.id, session_id)


async def end_one(tx: Tx, staff_id: int, session_id: str) -> None:
    """End that session of that person; ``NotFound`` where there is none such that lives."""
    ended = await db.fetch_in(
        tx,
        "UPDATE auth_staff_session SET ended_at = $3 WHERE id = $1 AND staff_id = $2 AND ended_at IS NULL"
        " AND expires_at > $3 RETURNING 1",
        ids.read_bigint(session_id),
        staff_id,
        clock.now(),
    )
    if not ended:
        raise NotFound("there is no such session")


async def end_sessions_of(staff_id: str, caller: StaffCaller) -> int:
    """End all sessions of somebody; returns how many there were."""
    async with db.transaction() as tx:
        person = await service.lock_person(tx, staff_id, caller)
        return await service.end_staff_sessions(tx, person.id)
