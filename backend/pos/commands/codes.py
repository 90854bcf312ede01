"""The session's own codes, for phones that do not make them offline."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.auth import codes, queries, service
from backend.auth.codes import Purpose
from backend.kernel import clock, db
from backend.kernel.errors import NotFound

from ..schemas import CodeOut


async def authorisation_code(session_id: int, member_id: int) -> CodeOut:
    """The code by which the phone's owner authorises at a till; ``NotFound`` where the phone is nobody's of the staff.

    What it is good for is judged at the till.
    """
    if await queries.find_phone_owner(member_id) is None:
        raise NotFound("this phone speaks for nobody of the staff")
    return await current_code(session_id, member_id, Purpose.AUTHORISE)


async def current_code(session_id: int, member_id: int, purpose: Purpose = Purpose.MEMBER) -> CodeOut:
    """The code of the session's server-side device for the current step; it dies when the next step ends."""
    device = await queries.find_session_device(member_id, session_id)
    if device is None:
        async with db.transaction() as tx:
            device = await service.ensure_session_device(tx, session_id, member_id)
    now = clock.now().timestamp()
    step = codes.step_at(now)
    return CodeOut(
        codes.make(device.secret, device.handle, step, purpose),
        datetime.fromtimestamp((step + 2) * codes.STEP_SECONDS, tz=UTC),
        max(1, int((step + 1) * codes.STEP_SECONDS - now + 0.999)),
    )
