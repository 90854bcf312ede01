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


class NumberTaken(DomainError):
    """Another group has this number."""

    code = "already_exists"
    kind = Kind.CONFLICT
