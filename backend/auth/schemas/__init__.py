"""Bodies and answers of the admin calls for staff, shops and tills."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.auth.types import Permission, RoleInfo, Scope, Staff, Store
from backend.kernel.http import Body

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
ShortId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)", description="1–16 位字母、数字、_、-")]
TerminalId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$(?!\n)")]
Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Username = Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^[A-Za-z0-9._-]+$(?!\n)")]
RoleCode = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,15}$(?!\n)")]
Password = Annotated[str, Meta(min_length=1, max_length=200)]
NewPassword = Annotated[str, Meta(min_length=10, max_length=200)]
RecoveryCode = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{5}-?[0-9A-Za-z]{5}$(?!\n)")]
TotpCode = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class StaffLogin(Body, frozen=True):
    """A name, a password, and where a second factor is set up its code, or (once each) a recovery code.

    ``device``: the token that this browser keeps; empty where it has none yet and would keep one.
    """

    username: Annotated[str, Meta(min_length=1, max_length=40)]
    password: Password
    totp: TotpCode | None = None
    recovery: RecoveryCode | None = None
    device: Annotated[str, Meta(max_length=100)] | None = None


class LoggedIn(msgspec.Struct, omit_defaults=True):
    """A staff session's first tokens; ``device``: a token for this browser to keep, where it is new."""

    access_token: str
    refresh_token: str
    expires_in: int
    device: str | None = None


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
    password: NewPassword
    role: RoleCode
    store_id: ShortId | None = None
    totp: bool = False


class MoveStaff(Body, frozen=True):
    """Another role and place: a store, or (null) head office."""

    role: RoleCode
    store_id: ShortId | None = None


Email = Annotated[str, Meta(min_length=3, max_length=320, description="链接发往的邮箱；不保存")]


class Invite(Body, frozen=True):
    """A login that somebody makes for themselves with a link: the name, and what they will be."""

    username: Username
    role: RoleCode
    store_id: ShortId | None = None
    email: Email | None = None


class ResetIn(Body, frozen=True):
    """Where the link is sent, if it is to be sent."""

    email: Email | None = None


class UseLink(Body, frozen=True):
    """A link's token, and the password to be."""

    token: Annotated[str, Meta(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$(?!\n)")]
    password: NewPassword


class ChangePassword(Body, frozen=True):
    """The password of now, and the next."""

    current: Password
    password: NewPassword


class BeginTotp(Body, frozen=True):
    """The password, and a code of the second factor of now where there is one."""

    current: Password
    totp: TotpCode | None = None


class FinishTotp(Body, frozen=True):
    """A code of the new second factor."""

    totp: TotpCode


class RenewCodes(Body, frozen=True):
    """The password and a code of the second factor."""

    current: Password
    totp: TotpCode


RoleTitle = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]


class CreateRole(Body, frozen=True):
    """A role of the chain's own; ``scope`` says where it is held."""

    code: RoleCode
    title: RoleTitle
    scope: Scope
    permissions: frozenset[Permission]


class ChangeRole(Body, frozen=True):
    """What a role holds from now on, at the version that was seen.

    ``second_factor``: whether its people do nothing until they have set up one; left out: as it is.
    """

    title: RoleTitle
    permissions: frozenset[Permission]
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    second_factor: bool | None = None


class VersionQuery(Body, frozen=True):
    """The version that was seen."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]


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


class StaffItem(msgspec.Struct, kw_only=True):
    """A person with a login; ``locked_until``: too many wrong tries."""

    id: str
    username: str
    role: str
    store_id: str | None
    totp: bool
    active: bool
    member_id: str | None
    locked_until: datetime | None


class StaffList(msgspec.Struct):
    """People with a login."""

    items: list[StaffItem]


class StaffSessionOut(msgspec.Struct, kw_only=True):
    """A living session: when it began, when its tokens were last renewed, from where and with what."""

    id: str
    created_at: datetime
    seen_at: datetime | None
    expires_at: datetime
    address: str | None
    agent: str | None
    current: bool


class StaffSessionsOut(msgspec.Struct):
    """Living sessions, newest first."""

    items: list[StaffSessionOut]


class LoginOut(msgspec.Struct):
    """A log-in that worked (``code`` is empty) or did not."""

    at: datetime
    code: str
    address: str


class LoginsOut(msgspec.Struct):
    """The last hundred, newest first."""

    items: list[LoginOut]


class EndedOut(msgspec.Struct):
    """How many sessions ended."""

    ended: int


class LinkOut(msgspec.Struct):
    """A link that was made; its token is not shown again. The console takes it at ``/admin#/join?token=…``.

    ``sent``: a mail server took the letter with it; hand it over yourself where it did not.
    """

    id: str
    token: str
    expires_in_s: int
    sent: bool = False


class LinkUsed(msgspec.Struct):
    """Whose password was set."""

    username: str


class InvitationOut(msgspec.Struct, kw_only=True):
    """An invitation and what became of it: ``waiting``, ``used``, ``revoked`` or ``expired``."""

    id: str
    username: str
    role: str
    store_id: str | None
    made_by: str
    made_at: datetime
    expires_at: datetime
    state: str


class InvitationsOut(msgspec.Struct):
    """The last two hundred, newest first."""

    items: list[InvitationOut]


class TotpBegun(msgspec.Struct):
    """A new second factor, not asked for yet; neither is shown again."""

    secret: str
    uri: str


class CodesOut(msgspec.Struct):
    """Recovery codes; they are not shown again."""

    codes: list[str]


class AccountOut(msgspec.Struct):
    """One's own login: whether a second factor is asked for, and how many recovery codes are left."""

    username: str
    totp: bool
    recovery_codes: int


class RolesOut(msgspec.Struct):
    """All roles."""

    items: list[RoleOut]


class PermissionOut(msgspec.Struct):
    """A permission; ``office``: nobody of a store holds it."""

    code: str
    title: str
    area: str
    office: bool


class PermissionsOut(msgspec.Struct):
    """All permissions, in the order in which they are shown."""

    items: list[PermissionOut]


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
    second_factor: bool
    version: int


def role_out(role: RoleInfo) -> RoleOut:
    """A role as the API shows it."""
    held = [one.value for one in Permission if one in role.permissions]
    return RoleOut(role.code, role.title, role.scope, role.builtin, held, role.second_factor, role.version)


class Me(msgspec.Struct):
    """Who is logged in, and what they may do."""

    staff: Staff
    role: RoleOut
    permissions: list[str]
    second_factor_required: bool
