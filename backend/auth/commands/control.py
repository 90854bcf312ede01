"""Head office sets what holds for log-ins, and says which devices staff log in from; members end their sessions."""

from __future__ import annotations

import asyncpg
import msgspec

from backend.auth import control as rules
from backend.auth import queries, service
from backend.auth.control import Control
from backend.auth.errors import BeyondOneself, ControlChanged, SecondFactorMissing
from backend.auth.types import SESSION_CHECK, MemberCaller, StaffCaller
from backend.kernel import clock, db, live, logging, trail
from backend.kernel.errors import NotFound, ValidationFailed

log = logging.get(__name__)


async def set_control(control: Control, version: int, caller: StaffCaller) -> queries.ControlSet:
    """Let this hold for log-ins from now on; ``version`` is the one that was read.

    Whoever asks for known devices needs a second factor: else they could shut themselves out.
    """
    roles = {role.code for role in await queries.list_roles()}
    wrong = tuple(rules.flaws(control, roles, {store.id for store in await queries.list_stores()}))
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=wrong)
    if control.known_devices and not (await queries.get_staff(caller.staff_id)).totp:
        raise SecondFactorMissing
    try:
        async with db.transaction() as tx:
            if (await queries.read_control()).version != version:
                raise ControlChanged
            await db.raw(tx).execute(
                "INSERT INTO auth_control (version, body, staff_id, at) VALUES ($1, $2, $3, $4)",
                version + 1,
                msgspec.json.encode(control).decode(),
                caller.staff_id,
                clock.now(),
            )
            trail.named("login-control")
            trail.changed("set", *control.__struct_fields__)
    except asyncpg.UniqueViolationError:  # two at once
        raise ControlChanged from None
    queries.forget_control()
    return await queries.read_control()


async def approve_device(device_id: int, caller: StaffCaller) -> queries.StaffDevice:
    """Let somebody else log in from a device; repeated, it changes nothing."""
    found = await _device(device_id)
    if found.staff_id == caller.staff_id:
        raise BeyondOneself("somebody else decides about one's own devices; or log in with the second factor")
    async with db.transaction() as tx:
        await service.lock_person(tx, str(found.staff_id), caller)
        moved = await db.fetch_in(
            tx,
            "UPDATE auth_staff_device SET state = 'known', decided_by = $2, decided_at = $3"
            " WHERE id = $1 AND state = 'waiting' RETURNING 1",
            device_id,
            caller.staff_id,
            clock.now(),
        )
        trail.named(str(device_id))
    after = await _device(device_id)
    if not moved and after.state != "known":
        raise NotFound("there is no such device")
    return after


async def revoke_device(device_id: int, caller: StaffCaller, *, own: bool = False) -> None:
    """Forget a device and end its sessions; one's own, or anybody's."""
    found = await _device(device_id)
    if own and found.staff_id != caller.staff_id:
        raise NotFound("there is no such device")
    async with db.transaction() as tx:
        if not own:
            await service.lock_person(tx, str(found.staff_id), caller)
        await db.raw(tx).execute(
            "UPDATE auth_staff_device SET state = 'revoked', decided_by = $2, decided_at = $3"
            " WHERE id = $1 AND state <> 'revoked'",
            device_id,
            caller.staff_id,
            clock.now(),
        )
        await db.raw(tx).execute(
            "UPDATE auth_staff_session SET ended_at = $2 WHERE device_id = $1 AND ended_at IS NULL",
            device_id,
            clock.now(),
        )
        trail.named(str(device_id))
    log.info("auth.device_revoked", staff_id=found.staff_id, by=caller.staff_id)


async def _device(device_id: int) -> queries.StaffDevice:
    found = await queries.find_staff_device(device_id)
    if found is None:
        raise NotFound("there is no such device")
    return found


async def end_member_session(session_id: int, caller: MemberCaller) -> None:
    """End one of the member's own sessions, on whichever phone; ``NotFound`` for any other."""
    mine = {one.id for one in await queries.list_member_sessions(caller.member_id)}
    if session_id not in mine:
        raise NotFound("there is no such session")
    async with db.transaction() as tx:
        await service.end_sessions(tx, [session_id], why="member")
    live.push(caller.member_id, SESSION_CHECK, {})
