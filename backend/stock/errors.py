"""Refusals of stock."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class OutOfStock(DomainError):
    """There is not so much of this article here."""

    code = "out_of_stock"
    kind = Kind.CONFLICT


class ReturnExceedsSold(DomainError):
    """More would come back than went out."""

    code = "return_exceeds_sold"
    kind = Kind.CONFLICT


class DocumentConflict(DomainError):
    """The document is in a state in which that cannot be done."""

    code = "stock_document_conflict"
    kind = Kind.CONFLICT


class DocumentMoved(DomainError):
    """Somebody changed the document meanwhile; read it again."""

    code = "stale"
    kind = Kind.CONFLICT


class ApprovalRefused(DomainError):
    """A document of this amount is approved by head office, and by somebody else than who wrote it."""

    code = "approval_refused"
    kind = Kind.FORBIDDEN


class CountOpen(DomainError):
    """Another count of this place is not over yet."""

    code = "stocktake_open"
    kind = Kind.CONFLICT


class NotCounted(DomainError):
    """Some lines were not counted yet."""

    code = "stocktake_not_counted"
    kind = Kind.CONFLICT


class TooMuchReceived(DomainError):
    """More would have come than was ordered or sent."""

    code = "receipt_exceeds_order"
    kind = Kind.CONFLICT


class AttachmentRefused(DomainError):
    """An attachment is a PDF or a picture (JPEG, PNG, WebP) of at most 2 MiB, and a document has at most ten."""

    code = "attachment_refused"
    kind = Kind.INVALID
