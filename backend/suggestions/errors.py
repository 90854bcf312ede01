"""Refusals of boxes, suggestions and tickets."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class BoxClosed(DomainError):
    """This box takes no suggestions now."""

    code = "box_closed"
    kind = Kind.CONFLICT


class NameRequired(DomainError):
    """This box takes only suggestions that are signed."""

    code = "name_required"
    kind = Kind.CONFLICT


class SuggestionConflict(DomainError):
    """The suggestion has changed meanwhile, or is in a state in which that cannot be done."""

    code = "suggestion_conflict"
    kind = Kind.CONFLICT


class BoxConflict(DomainError):
    """The box has changed meanwhile; read it again."""

    code = "box_conflict"
    kind = Kind.CONFLICT


class WaitForAnswer(DomainError):
    """Enough was added for now; wait for an answer."""

    code = "wait_for_answer"
    kind = Kind.CONFLICT


class AttachmentRefused(DomainError):
    """An attachment is not a JPEG, PNG or WebP picture, or is too large."""

    code = "attachment_refused"
    kind = Kind.INVALID


class TicketSpent(DomainError):
    """This ticket was used for something else."""

    code = "ticket_spent"
    kind = Kind.CONFLICT


class TicketsUsedUp(DomainError):
    """This week's tickets were all given out to this member."""

    code = "tickets_used_up"
    kind = Kind.LIMITED


class TicketKeyOver(DomainError):
    """That key signs no more tickets; ask for the current one."""

    code = "ticket_key_over"
    kind = Kind.CONFLICT
