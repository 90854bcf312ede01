"""Refusals of letters, templates and what members say of them."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class MessageBatchConflict(DomainError):
    """The batch is in a state in which that cannot be done."""

    code = "message_batch_conflict"
    kind = Kind.CONFLICT


class MessageTemplateConflict(DomainError):
    """There is a template with that code, or as many as there may be."""

    code = "message_template_conflict"
    kind = Kind.CONFLICT
