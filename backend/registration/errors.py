"""Refusals of batches, registrations and imports."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class MemberBatchOver(DomainError):
    """This batch has ended; what it changed stays."""

    code = "member_batch_over"
    kind = Kind.CONFLICT


class NobodyMeant(DomainError):
    """The filter means nobody."""

    code = "nobody_meant"
    kind = Kind.CONFLICT


class TooManyMeant(DomainError):
    """The filter means more members than one batch may change."""

    code = "too_many_meant"
    kind = Kind.CONFLICT


class ImportNotReady(DomainError):
    """The state of the import does not allow this."""

    code = "import_not_ready"
    kind = Kind.CONFLICT


class ApplicationDecided(DomainError):
    """Somebody has decided about this application already."""

    code = "application_decided"
    kind = Kind.CONFLICT


class PolicyChanged(DomainError):
    """The policy was changed meanwhile; read it again."""

    code = "policy_changed"
    kind = Kind.CONFLICT
