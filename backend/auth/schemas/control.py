"""Bodies and answers of what holds for log-ins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.auth.control import Control, Hours
from backend.kernel.http import Body


class ControlIn(Control, frozen=True, kw_only=True):
    """What is to hold; ``version`` is the one that was read."""

    version: Annotated[int, Meta(ge=0, le=10**9)]


class ControlOut(msgspec.Struct, kw_only=True):
    """What holds for log-ins; ``version`` 0: nobody has set anything."""

    version: int
    hours: tuple[Hours, ...]
    known_devices: bool
    staff_tries: int
    staff_lock_minutes: int
    member_sessions: int
    member_devices: int
    staff_name: str | None
    at: datetime | None


class DevicesQuery(Body, frozen=True):
    """Whose devices, in which state."""

    staff_id: Annotated[str, Meta(pattern=r"^[0-9]{1,19}$(?!\n)")] | None = None
    state: Literal["waiting", "known", "revoked"] | None = None


class StaffDeviceOut(msgspec.Struct):
    """A browser of somebody of the staff."""

    id: str
    staff_id: str
    username: str
    store_id: str | None
    agent: str
    address: str
    state: str
    created_at: datetime
    seen_at: datetime
    decided_at: datetime | None


class StaffDevicesOut(msgspec.Struct):
    """Devices, last seen first; at most 200."""

    items: list[StaffDeviceOut]


class MemberSessionOut(msgspec.Struct):
    """A phone on which the member is logged in; ``current``: this one."""

    id: str
    agent: str | None
    created_at: datetime
    refreshed_at: datetime
    current: bool


class MemberSessionsOut(msgspec.Struct):
    """Living sessions, last used first."""

    items: list[MemberSessionOut]
