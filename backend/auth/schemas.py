"""Bodies and answers of the admin calls for staff, shops and tills."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import Permission, RoleInfo, Scope, Staff, Store

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
ShortId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)", description="1–16 位字母、数字、_、-")]
TerminalId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$(?!\n)")]
Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Username = Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^[A-Za-z0-9._-]+$(?!\n)")]
RoleCode = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,15}$(?!\n)")]
Password = Annotated[str, Meta(min_length=1, max_length=200)]
TotpCode = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class StaffLogin(Body, frozen=True):
    """A name, a password, and the second factor's code where one is set up."""

    username: Annotated[str, Meta(min_length=1, max_length=40)]
    password: Password
    totp: TotpCode | None = None


class Refresh(Body, frozen=True):
    """The refresh token to exchange."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class Logout(Body, frozen=True):
    """Whether all of the member's sessions and devices end, not only this session."""

    everywhere: bool = False


class CreateStore(Body, frozen=True):
    """A new shop."""

    id: ShortId
    name: Name
    timezone: Annotated[str, Meta(min_length=1, max_length=40)] = "Asia/Shanghai"
    address: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")] = ""


class CreateTerminal(Body, frozen=True):
    """A new till; without an id one is made up."""

    store_id: ShortId
    name: Name
    id: TerminalId | None = None


class RotateSecret(Body, frozen=True):
    """For how many seconds the secret of before still holds."""

    overlap_s: Annotated[int, Meta(ge=0, le=7 * 86_400)] = 86_400


class CreateStaff(Body, frozen=True):
    """A new login; without ``store_id`` of head office. With ``totp`` a second factor is set up."""

    username: Username
    password: Annotated[str, Meta(min_length=10, max_length=200)]
    role: RoleCode
    store_id: ShortId | None = None
    totp: bool = False


class TerminalQuery(Body, frozen=True):
    """Which terminals."""

    store_id: ShortId | None = None


class StoreList(msgspec.Struct):
    """Shops."""

    items: list[Store]


class TerminalView(msgspec.Struct):
    """A till, without its secret."""

    id: str
    store_id: str
    name: str
    created_at: datetime
    previous_until: datetime | None
    revoked_at: datetime | None


class TerminalList(msgspec.Struct):
    """Tills."""

    items: list[TerminalView]


class TerminalSecret(msgspec.Struct):
    """A till's new secret; it is not shown again."""

    id: str
    store_id: str
    secret: str
    previous_until: datetime | None = None


class StaffList(msgspec.Struct):
    """People with a login."""

    items: list[Staff]


class StaffCreated(msgspec.Struct):
    """A new login; ``totp_secret`` (base32, for the authenticator) is not shown again."""

    staff: Staff
    totp_secret: str | None


class RoleOut(msgspec.Struct):
    """A role, where it is held, and what it holds, in the order of the list of all permissions."""

    code: str
    title: str
    scope: Scope
    builtin: bool
    permissions: list[str]
    version: int


class AuditFilterQuery(Body, frozen=True):
    """Which rows of the log: by person, store, action (``POST /v1/…``), thing (an id), request, code, outcome, time."""

    staff_id: Annotated[str, Meta(max_length=20)] | None = None
    store_id: ShortId | None = None
    action: Annotated[str, Meta(max_length=160)] | None = None
    thing: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    request_id: Annotated[str, Meta(max_length=64)] | None = None
    code: Annotated[str, Meta(max_length=60)] | None = None
    done: bool | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None


class AuditQuery(AuditFilterQuery, frozen=True):
    """The same, page by page."""

    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class AuditItem(msgspec.Struct, kw_only=True):
    """Something that somebody of the staff did or tried.

    ``named`` is what the address names, ``things`` what else was meant; ``code`` is the refusal's, empty where it was
    done, ``begun`` where nobody knows how it ended. ``detail``: ``actions`` and ``fields`` that were changed (names,
    never values), ``said`` what is worth reading and nobody's secret.
    """

    id: str
    at: datetime
    staff_id: str
    staff_name: str
    role: str
    store_id: str | None
    action: str
    title: str
    named: dict[str, str]
    things: list[str]
    status: int
    code: str
    address: str
    request_id: str
    detail: dict[str, Any]


class AuditOut(msgspec.Struct):
    """A page, newest first; ``next_cursor`` is None at the end."""

    items: list[AuditItem]
    next_cursor: str | None


class AuditActionOut(msgspec.Struct):
    """An action and its name."""

    action: str
    title: str


class AuditActionsOut(msgspec.Struct):
    """Every action that the log knows."""

    items: list[AuditActionOut]


def role_out(role: RoleInfo) -> RoleOut:
    """A role as the API shows it."""
    held = [one.value for one in Permission if one in role.permissions]
    return RoleOut(role.code, role.title, role.scope, role.builtin, held, role.version)


class Me(msgspec.Struct):
    """Who is logged in, and what they may do."""

    staff: Staff
    role: RoleOut
    permissions: list[str]
