"""What is said about the phone of somebody of the staff."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.auth.schemas import Password
from backend.kernel.http import Body


class CurrentIn(Body):
    """One's own password, again."""

    current: Password


class StaffPhoneOut(msgspec.Struct):
    """Since when a phone speaks for one's login; null: none does."""

    bound_at: datetime | None


class PhoneTicketOut(msgspec.Struct):
    """What is entered on the phone, once, and until when."""

    ticket: str
    expires_at: datetime


class PhoneTicketIn(Body):
    """What the console showed."""

    ticket: Annotated[str, Meta(min_length=1, max_length=20)]


class PhoneOwnerOut(msgspec.Struct):
    """The login of the staff that this phone speaks for, or null."""

    username: str | None


class PhoneBoundOut(msgspec.Struct):
    """The login that this phone speaks for now."""

    username: str
