"""What the other domains know of identities, callers, devices and shops."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

SESSION_CHECK = "session_check"
"""What is pushed on the live channel to make a member's sockets look whether their sessions still stand."""


HANDLE_AGE = timedelta(hours=24)
"""A handle this old is to be rotated at the phone's next contact."""


class Role(StrEnum):
    """What staff may do: ``admin`` is head office; ``manager`` and ``clerk`` belong to one store."""

    ADMIN = "admin"
    MANAGER = "manager"
    CLERK = "clerk"


class Standing(StrEnum):
    """How far an identity is registered; it follows the status of the member it is bound to."""

    NONE = "none"
    PENDING = "pending"
    ACTIVE = "active"
    FROZEN = "frozen"


class Store(msgspec.Struct, frozen=True):
    """A shop: ``timezone`` is an IANA name and decides its days."""

    id: str
    name: str
    timezone: str
    address: str = ""


class Identity(msgspec.Struct, frozen=True):
    """A WeChat account and whom it acts for."""

    id: int
    openid: str
    member_id: int | None
    standing: Standing


class SessionCaller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody logged in through WeChat, perhaps not registered."""

    session_id: int
    identity_id: int
    openid: str
    standing: Standing
    member_id: int | None
    token_expires_at: int
    rate_key: str
    rate_per_minute: int


class MemberCaller(msgspec.Struct, frozen=True, kw_only=True):
    """A registered member in one session."""

    session_id: int
    member_id: int
    openid: str
    token_expires_at: int
    rate_key: str
    rate_per_minute: int


class TerminalCaller(msgspec.Struct, frozen=True, kw_only=True):
    """A till that signed its request."""

    terminal_id: str
    store_id: str
    rate_key: str
    rate_per_minute: int


class StaffCaller(msgspec.Struct, frozen=True, kw_only=True):
    """Staff in a session; ``store_id`` is None for head office only."""

    staff_id: int
    session_id: int
    role: Role
    store_id: str | None
    rate_key: str
    rate_per_minute: int

    def reaches(self, store_id: str | None) -> bool:
        """Whether this person may see what belongs to that store; what belongs to none is head office's."""
        return self.role is Role.ADMIN or (store_id is not None and store_id == self.store_id)


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was opened: the tokens exist nowhere else."""

    session_id: int
    identity_id: int
    member_id: int | None
    standing: Standing
    access_token: str
    refresh_token: str
    expires_in: int


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """A new pair; the refresh token it was made from is dead."""

    access_token: str
    refresh_token: str
    expires_in: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """What shows dynamic codes: a phone (``session_id`` None) or the server on behalf of one session."""

    id: int
    member_id: int
    name: str
    handle: str
    handle_at: datetime
    suspect: bool
    session_id: int | None
    created_at: datetime

    def rotation_due(self, now: datetime) -> bool:
        """Whether the phone should ask for a new handle: this one is a day old, or somebody guesses at it."""
        return self.suspect or now - self.handle_at >= HANDLE_AGE


class DeviceSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A device with its secret (32 bytes): given out once, or used to make codes on the server."""

    id: int
    member_id: int
    handle: str
    secret: bytes

    @property
    def encoded_secret(self) -> str:
        """The secret as it goes over the wire: base64url without padding."""
        return base64.urlsafe_b64encode(self.secret).decode().rstrip("=")


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    """A till as staff see it."""

    id: str
    store_id: str
    name: str
    created_at: datetime
    previous_until: datetime | None
    revoked_at: datetime | None


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A person with a login, as head office sees it; ``member_id``: the member that person is, if known."""

    id: str
    username: str
    role: Role
    store_id: str | None
    totp: bool
    active: bool
    member_id: str | None = None


class HandleDevice(msgspec.Struct, frozen=True):
    """The device behind a handle, with its secret opened; ``usable`` says whether its codes count at an instant."""

    handle: str
    member_id: int
    device_id: int
    secret: bytes
    created_at: datetime
    good_until: datetime | None
    revoked_at: datetime | None
    suspect: bool

    def usable(self, at: datetime) -> bool:
        """Whether this handle made codes at that instant: not yet retired (or in its grace), its device not revoked."""
        if self.revoked_at is not None and at >= self.revoked_at:
            return False
        return self.good_until is None or at < self.good_until
