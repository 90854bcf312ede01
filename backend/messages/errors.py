"""Refusals of letters, templates and what members say of them."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class MessageBatchConflict(DomainError):
    """The batch is in a state in which that cannot be done."""

    code = "message_batch_conflict"
    kind = Kind.CONFLICT


class MessageBatchChanged(DomainError):
    """Somebody has changed this batch meanwhile; read it again."""

    code = "message_batch_changed"
    kind = Kind.CONFLICT


class MessageTemplateConflict(DomainError):
    """There is a template with that code, or as many as there may be."""

    code = "message_template_conflict"
    kind = Kind.CONFLICT


class BounceUnreadable(DomainError):
    """This is no report about a letter of ours that can be read; ``reason`` says why."""

    code = "bounce_unreadable"
    kind = Kind.INVALID

    def __init__(self, reason: str = "") -> None:
        super().__init__(extra={"reason": reason})


class EmailInvalid(DomainError):
    """This is no e-mail address that letters could be sent to."""

    code = "email_invalid"
    kind = Kind.INVALID


class EmailCodeInvalid(DomainError):
    """The code is wrong, too old, was tried too often, or no address waits for one; ask for another."""

    code = "email_code_invalid"
    kind = Kind.INVALID


class EmailUnavailable(DomainError):
    """This installation sends no e-mail, or the mail server cannot take it now."""

    code = "email_unavailable"
    kind = Kind.UNAVAILABLE


class LabelsNotReady(DomainError):
    """The sheet is being made, or nobody is on it."""

    code = "labels_not_ready"
    kind = Kind.CONFLICT
