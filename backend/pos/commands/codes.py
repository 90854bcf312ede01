"""The session's own code, for phones that do not make them offline."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.auth import codes, queries, service
from backend.kernel import clock, db

from ..schemas import CodeOut


async def current_code(session_id: int, member_id: int) -> CodeOut:
    """The code of the session's server-side device for the current step; it dies when the next step ends."""
    device = await queries.find_session_device(member_id, session_id)
    if device is None:
        async with db.transaction() as tx:
            device = await service.ensure_session_device(tx, session_id, member_id)
    now = clock.now().timestamp()
    step = codes.step_at(now)
    return CodeOut(
        codes.make(device.secret, device.handle, step),
        datetime.fromtimestamp((step + 2) * codes.STEP_SECONDS, tz=UTC),
        max(1, int((step + 1) * codes.STEP_SECONDS - now + 0.999)),
    )
