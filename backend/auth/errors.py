"""Refusals of logins and of what callers may do."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class RegistrationRequired(DomainError):
    """Only registered members may do this; register first."""

    code = "registration_required"
    kind = Kind.FORBIDDEN


class RegistrationPending(DomainError):
    """The registration waits for approval."""

    code = "registration_pending"
    kind = Kind.FORBIDDEN


class MemberFrozen(DomainError):
    """This membership is frozen; ask the shop."""

    code = "member_frozen"
    kind = Kind.FORBIDDEN


class MemberExpired(DomainError):
    """This membership is outside of its validity; ask the shop."""

    code = "member_expired"
    kind = Kind.FORBIDDEN


class LoginLocked(DomainError):
    """Too many wrong passwords or codes; wait and try again."""

    code = "login_locked"
    kind = Kind.LIMITED


class LoginHours(DomainError):
    """Nobody with this role logs in at this time."""

    code = "login_hours"
    kind = Kind.FORBIDDEN


class DeviceUnknown(DomainError):
    """This device is not known; log in with the second factor, or have head office let it in."""

    code = "device_unknown"
    kind = Kind.FORBIDDEN


class ControlChanged(DomainError):
    """These settings were changed meanwhile; read them again."""

    code = "control_changed"
    kind = Kind.CONFLICT


class SecondFactorMissing(DomainError):
    """Set up your own second factor first: without it you might shut yourself out."""

    code = "second_factor_missing"
    kind = Kind.CONFLICT


class TooManyDevices(DomainError):
    """This member has as many devices as there may be; revoke one first."""

    code = "too_many_devices"
    kind = Kind.CONFLICT


class LastAdmin(DomainError):
    """Somebody must be left who may do everything."""

    code = "last_admin"
    kind = Kind.CONFLICT


class BeyondOneself(DomainError):
    """Nobody gives, or decides over, what they may not do themselves."""

    code = "beyond_oneself"
    kind = Kind.FORBIDDEN


class OwnLogin(DomainError):
    """Somebody else does this for you; your own password and second factor you change with those of now."""

    code = "own_login"
    kind = Kind.CONFLICT


class LinkGone(DomainError):
    """This link was used, taken back, or is too old; ask for another."""

    code = "link_gone"
    kind = Kind.CONFLICT


class PasswordWrong(DomainError):
    """The password or the code is wrong."""

    code = "password_wrong"
    kind = Kind.CONFLICT


class RoleConflict(DomainError):
    """The role was changed meanwhile, or that cannot be done to it."""

    code = "role_conflict"
    kind = Kind.CONFLICT


class TooManyInvitations(DomainError):
    """As many invitations wait, or roles exist, as there may be."""

    code = "too_many"
    kind = Kind.CONFLICT


class AlreadyExists(DomainError):
    """Something with this id or name exists already."""

    code = "already_exists"
    kind = Kind.CONFLICT


class CodeInvalid(DomainError):
    """This is not a member code of ours; ask the member to show it again."""

    code = "code_invalid"
    kind = Kind.INVALID


class CodeExpired(DomainError):
    """This code is too old; ask the member to show the current one."""

    code = "code_expired"
    kind = Kind.INVALID


class CodeUsed(DomainError):
    """This code was used already; the next one appears within 15 seconds."""

    code = "code_used"
    kind = Kind.CONFLICT
