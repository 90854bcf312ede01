"""What belongs to a member's phone: the payment PIN and the devices that make codes."""

from __future__ import annotations

from backend.auth import queries as auth_queries
from backend.auth import service as auth
from backend.auth.types import DeviceSecret, MemberCaller
from backend.kernel import clock, db
from backend.kernel.db import Tx

from .. import locks, rules, service
from ..errors import PinRequired
from ..schemas import PutPin


async def put_pin(member_id: int, body: PutPin) -> None:
    """Set the payment PIN.

    Replacing one needs the current one, or a phone code of the member's own number, which also unlocks. The first one
    needs neither: without a PIN the session alone approves, so asking for more here would protect nothing. So does one
    that staff initialised with the member there, for a day; later it takes a phone code.
    """
    if body.phone_code is not None:
        await service.check_own_phone(member_id, body.phone_code)
    elif body.current_pin is not None:
        await service.check_pin(member_id, body.current_pin)
    proven = body.phone_code is not None or body.current_pin is not None
    pin_hash = await auth.hash_secret(service.peppered(member_id, body.pin))
    async with db.transaction() as tx:
        await locks.lock_member(tx, member_id)
        if not proven:
            await _check_free(tx, member_id)
        await service.put_pin(tx, member_id, pin_hash)


async def _check_free(tx: Tx, member_id: int) -> None:
    """Refuse unless there is no PIN, or staff ended it a short while ago."""
    rows = await db.fetch_in(tx, "SELECT initialised_at FROM member_pin WHERE member_id = $1", member_id)
    if not rows:
        return
    since = rows[0]["initialised_at"]
    if since is None:
        raise PinRequired("give the current PIN, or a phone code")
    if since + rules.PIN_TO_SET <= clock.now():
        raise PinRequired("give a phone code: the PIN was initialised more than a day ago")


async def create_device(caller: MemberCaller, name: str) -> DeviceSecret:
    """Enrol a phone for codes without a network."""
    name, most = rules.clean_name(name), (await auth_queries.control()).member_devices
    async with db.transaction() as tx:
        await locks.lock_member(tx, caller.member_id)
        return await auth.create_device(tx, caller.member_id, name, session_id=caller.session_id, most=most)


async def revoke_device(member_id: int, device_id: str) -> None:
    """End an enrolled phone; its codes are dead from now on."""
    async with db.transaction() as tx:
        await auth.revoke_device(tx, member_id, rules.row_id(device_id))


async def rotate_device(member_id: int, device_id: str) -> DeviceSecret:
    """Give an enrolled phone a new handle."""
    async with db.transaction() as tx:
        return await auth.rotate_device(tx, member_id, rules.row_id(device_id))
