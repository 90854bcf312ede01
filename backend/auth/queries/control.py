"""What holds for log-ins, devices of staff, and sessions of members."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth.control import Control
from backend.kernel import clock, db
from backend.kernel.kept import Kept

CONTROL_KEPT_S = 3.0
MOST_DEVICES = 200
_control = msgspec.json.Decoder(Control)


class ControlSet(msgspec.Struct, frozen=True):
    """What holds, which version it is (0: nobody has set one), and who set it when."""

    version: int
    control: Control
    staff_id: int | None = None
    at: datetime | None = None


class StaffDevice(msgspec.Struct, frozen=True):
    """A browser that somebody of the staff logged in from, or wants to."""

    id: int
    staff_id: int
    username: str
    store_id: str | None
    agent: str
    address: str
    state: str
    created_at: datetime
    seen_at: datetime
    decided_by: int | None
    decided_at: datetime | None


class MemberSession(msgspec.Struct, frozen=True):
    """A living session of a member's."""

    id: int
    agent: str | None
    created_at: datetime
    refreshed_at: datetime


async def read_control() -> ControlSet:
    """What holds for log-ins, as it stands in the database."""
    row = await db.fetchrow("SELECT version, body, staff_id, at FROM auth_control ORDER BY version DESC LIMIT 1")
    if row is None:
        return ControlSet(0, Control())
    return ControlSet(row["version"], _control.decode(row["body"]), row["staff_id"], row["at"])


_kept = Kept(read_control, keep_s=CONTROL_KEPT_S)


async def control() -> Control:
    """What holds for log-ins, at most three seconds old."""
    return (await _kept.get()).control


def forget_control() -> None:
    """Read it again at the next question."""
    _kept.forget()


_DEVICE = (
    "SELECT d.id, d.staff_id, s.username, s.store_id, d.agent, d.address, d.state, d.created_at, d.seen_at,"
    " d.decided_by, d.decided_at FROM auth_staff_device d JOIN auth_staff s ON s.id = d.staff_id"
)


async def list_staff_devices(staff_id: int | None, state: str | None = None) -> list[StaffDevice]:
    """Devices of one person, or of all, last seen first; at most 200."""
    rows = await db.fetch(
        f"{_DEVICE} WHERE ($1::bigint IS NULL OR d.staff_id = $1) AND ($2::text IS NULL OR d.state = $2)"
        f" ORDER BY d.seen_at DESC, d.id LIMIT {MOST_DEVICES}",
        staff_id,
        state,
    )
    return [StaffDevice(*row) for row in rows]


async def find_staff_device(device_id: int) -> StaffDevice | None:
    """One device, or None."""
    row = await db.fetchrow(f"{_DEVICE} WHERE d.id = $1", device_id)
    return StaffDevice(*row) if row else None


async def list_member_sessions(member_id: int) -> list[MemberSession]:
    """A member's living sessions by any of their WeChat accounts, last used first."""
    rows = await db.fetch(
        "SELECT s.id, s.agent, s.created_at, s.refreshed_at FROM auth_session s"
        " JOIN auth_wechat_identity i ON i.id = s.identity_id"
        " WHERE i.member_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 ORDER BY s.refreshed_at DESC, s.id"
        " LIMIT 200",
        member_id,
        clock.now(),
    )
    return [MemberSession(*row) for row in rows]
