"""Refusals of registration, PINs and levels."""

from __future__ import annotations

from backend.kernel.errors import DomainError, FieldError, Kind


class PhoneInAddress(DomainError):
    """Phone numbers do not belong into addresses, which proxies keep: post them to /v1/admin/members/search."""

    code = "phone_in_address"
    kind = Kind.INVALID


class PhoneTaken(DomainError):
    """This phone number belongs to another member; ask the shop."""

    code = "phone_taken"
    kind = Kind.CONFLICT


class FieldLocked(DomainError):
    """This cannot be changed here any more; the staff can."""

    code = "field_locked"
    kind = Kind.CONFLICT

    def __init__(self, field: str, often: int) -> None:
        message = "is changed by the staff only" if often == 0 else f"was changed {often} times already"
        super().__init__(f"/{field}: {message}", errors=(FieldError(f"/{field}", message),))


class VersionConflict(DomainError):
    """Somebody else has changed it meanwhile: read it again."""

    code = "version_conflict"
    kind = Kind.CONFLICT


class AttributeExists(DomainError):
    """There is an attribute of this code, or members have values of that name from before there were definitions."""

    code = "already_exists"
    kind = Kind.CONFLICT


class TooManyAttributes(DomainError):
    """There are a hundred attributes already, archived ones too."""

    code = "too_many_attributes"
    kind = Kind.CONFLICT


class AlreadyRegistered(DomainError):
    """This login is registered already."""

    code = "already_registered"
    kind = Kind.CONFLICT


class RegistrationRejected(DomainError):
    """The registration was refused; ask the shop, or register again."""

    code = "registration_rejected"
    kind = Kind.CONFLICT

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason, extra={"reason": reason})


class StatusConflict(DomainError):
    """The member's status does not allow this."""

    code = "status_conflict"
    kind = Kind.CONFLICT


class PinRequired(DomainError):
    """The payment PIN is needed for this."""

    code = "pin_required"
    kind = Kind.CONFLICT


class PinInvalid(DomainError):
    """The payment PIN is wrong."""

    code = "pin_invalid"
    kind = Kind.INVALID

    def __init__(self, tries_left: int) -> None:
        super().__init__(extra={"tries_left": tries_left})


class PinLocked(DomainError):
    """Too many wrong PINs; wait, or set a new one with the phone number."""

    code = "pin_locked"
    kind = Kind.LIMITED


class PinResetRequired(DomainError):
    """The payment PIN was initialised at the shop; set a new one on the phone first."""

    code = "pin_reset_required"
    kind = Kind.CONFLICT


class PinAllowance(DomainError):
    """The PIN was reset a short while ago; until then only so much can be confirmed with it."""

    code = "pin_allowance"
    kind = Kind.CONFLICT


class PinConflict(DomainError):
    """The PIN does not stand so that this can be done."""

    code = "pin_conflict"
    kind = Kind.CONFLICT


class PinActsLimit(DomainError):
    """So many PINs were handled by this person or till today; another one helps, or tomorrow."""

    code = "pin_acts_limit"
    kind = Kind.CONFLICT


class MemberNotPresent(DomainError):
    """The code or phone number is another member's: this one does not stand there."""

    code = "member_not_present"
    kind = Kind.INVALID


class LevelExists(DomainError):
    """A level with this code or threshold exists already."""

    code = "already_exists"
    kind = Kind.CONFLICT
