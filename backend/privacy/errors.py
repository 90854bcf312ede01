"""Refusals."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class ConsentRequired(DomainError):
    """Membership needs this consent; whoever takes it back has the account erased."""

    code = "consent_required"
    kind = Kind.CONFLICT


class ConsentOutdated(DomainError):
    """There is a newer text than the one that was shown; read it first."""

    code = "consent_outdated"
    kind = Kind.CONFLICT


class PurposeChanged(DomainError):
    """Somebody has published another text meanwhile; look again."""

    code = "purpose_changed"
    kind = Kind.CONFLICT


class ExportDaily(DomainError):
    """An archive can be asked for once a day."""

    code = "export_daily"
    kind = Kind.LIMITED


class ExportNotReady(DomainError):
    """The archive is being made; ask again."""

    code = "export_not_ready"
    kind = Kind.CONFLICT


class ExportGone(DomainError):
    """The archive was deleted, its days are over; ask for another."""

    code = "export_gone"
    kind = Kind.CONFLICT


class HandoutNotGranted(DomainError):
    """This archive may not be fetched: nobody approved it yet, it was refused, or its time is over."""

    code = "handout_not_granted"
    kind = Kind.CONFLICT


class ErasureBlocked(DomainError):
    """Something has to be settled before the account can be erased."""

    code = "erasure_blocked"
    kind = Kind.CONFLICT


class ErasureValueLeft(DomainError):
    """The account holds value: spend it, have it refunded, or give it up expressly."""

    code = "erasure_value_left"
    kind = Kind.CONFLICT


class ErasureUnderWay(DomainError):
    """The account is being erased."""

    code = "erasure_under_way"
    kind = Kind.CONFLICT


class ErasureProofNeeded(DomainError):
    """Prove that it is you: the payment PIN, or a phone code."""

    code = "proof_required"
    kind = Kind.CONFLICT
