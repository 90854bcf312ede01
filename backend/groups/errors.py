"""Refusals of groups and agreements."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class GroupConflict(DomainError):
    """The group was changed meanwhile, or is closed; look at it again."""

    code = "group_conflict"
    kind = Kind.CONFLICT


class InAGroup(DomainError):
    """This member belongs to a group already."""

    code = "group_member_taken"
    kind = Kind.CONFLICT


class GroupFull(DomainError):
    """The group has as many members as were agreed."""

    code = "group_full"
    kind = Kind.CONFLICT


class GroupOwner(DomainError):
    """A group has one owner, who hands it over before leaving."""

    code = "group_owner"
    kind = Kind.CONFLICT


class InvitationInvalid(DomainError):
    """This invitation is not good, or no longer."""

    code = "group_invitation_invalid"
    kind = Kind.INVALID


class AllotmentTooMuch(DomainError):
    """There is not so much to allot, or to take back."""

    code = "group_allotment_too_much"
    kind = Kind.CONFLICT


class AllotmentLimit(DomainError):
    """More than may be allotted at once or in a day, or than a member may hold; ``limit`` says which."""

    code = "group_allotment_limit"
    kind = Kind.CONFLICT


class AllotmentOver(DomainError):
    """One of both does not belong to the group any more, or it is closed."""

    code = "group_allotment_over"
    kind = Kind.CONFLICT


class AllotBatchOver(DomainError):
    """This table of allotments is over, or was cancelled."""

    code = "group_allot_batch_over"
    kind = Kind.CONFLICT


class NumberTaken(DomainError):
    """Another group has this number."""

    code = "already_exists"
    kind = Kind.CONFLICT
