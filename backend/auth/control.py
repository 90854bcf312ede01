"""What head office sets for log-ins: hours of staff, known devices, tries, and how much of members' at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.errors import FieldError

from .types import Role

TRIES = 8
LOCK_MINUTES = 15
MOST_SESSIONS = 10
MOST_DEVICES = 100
"""What holds where nobody has set anything; of sessions and devices there are never more."""

Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", description="HH:MM")]
Day = Annotated[int, Meta(ge=1, le=7, description="1 = 周一")]


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When people of a role (None: any) in a store (None: any, and head office) may log in, by the store's clock.

    From ``begin`` until before ``end``; over midnight where that is earlier, and then the day is the one it begins on.
    """

    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)]
    begin: Clock
    end: Clock
    role: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,15}$(?!\n)")] | None = None
    store_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")] | None = None

    def concerns(self, role: str, store_id: str | None) -> bool:
        """Whether these are hours of somebody with that role there."""
        return self.role in (None, role) and self.store_id in (None, store_id)

    def hold(self, local: datetime) -> bool:
        """Whether that instant, on the local clock, lies within them."""
        begin, end, now = time.fromisoformat(self.begin), time.fromisoformat(self.end), local.time()
        if begin < end:
            return local.isoweekday() in self.days and begin <= now < end
        before = (local.isoweekday() - 2) % 7 + 1
        return (local.isoweekday() in self.days and now >= begin) or (before in self.days and now < end)


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for log-ins. Of a member at once: sessions of one WeChat account, and enrolled phones."""

    hours: Annotated[tuple[Hours, ...], Meta(max_length=50)] = ()
    known_devices: bool = False
    staff_tries: Annotated[int, Meta(ge=3, le=20)] = TRIES
    staff_lock_minutes: Annotated[int, Meta(ge=1, le=1440)] = LOCK_MINUTES
    member_sessions: Annotated[int, Meta(ge=1, le=MOST_SESSIONS)] = MOST_SESSIONS
    member_devices: Annotated[int, Meta(ge=1, le=MOST_DEVICES)] = MOST_DEVICES


def may_log_in(hours: Sequence[Hours], role: str, store_id: str | None, local: datetime) -> bool:
    """Whether somebody may log in now: within any of the hours that concern them, or where none does.

    ``admin`` always may: somebody must be able to put wrong hours right.
    """
    mine = [one for one in hours if one.concerns(role, store_id)]
    return role == Role.ADMIN or not mine or any(one.hold(local) for one in mine)


def flaws(control: Control, roles: set[str], stores: set[str]) -> Iterator[FieldError]:
    """What is named in the hours and is not there, and hours of no length."""
    for place, one in enumerate(control.hours):
        at = f"/hours/{place}"
        if one.role is not None and one.role not in roles:
            yield FieldError(f"{at}/role", "there is no such role")
        if one.store_id is not None and one.store_id not in stores:
            yield FieldError(f"{at}/store_id", "there is no such store")
        if one.begin == one.end:
            yield FieldError(f"{at}/end", "is when they begin")
