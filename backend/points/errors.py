"""Refusals of earning rules, transfers and adjustments."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class PointsRuleConflict(DomainError):
    """The rule is in a state in which that cannot be done."""

    code = "points_rule_conflict"
    kind = Kind.CONFLICT


class PointsTransferClosed(DomainError):
    """Points are not handed on here."""

    code = "points_transfer_closed"
    kind = Kind.CONFLICT


class PointsTransferOwn(DomainError):
    """This is your own number."""

    code = "points_transfer_own"
    kind = Kind.CONFLICT


class PointsRecipientChanged(DomainError):
    """The name that was confirmed is not the one of this number; look it up again."""

    code = "points_recipient_changed"
    kind = Kind.CONFLICT


class PointsTransferLimit(DomainError):
    """This is more than may be given away at once, today or this month."""

    code = "points_transfer_limit"
    kind = Kind.CONFLICT


class PointsNotTransferable(DomainError):
    """Only points that purchases gave can be given away, and as many as must be left are kept."""

    code = "points_not_transferable"
    kind = Kind.CONFLICT


class PointsTransferReversed(DomainError):
    """This transfer was taken back already."""

    code = "points_transfer_reversed"
    kind = Kind.CONFLICT


class PointsTransferSpent(DomainError):
    """The receiver has not all of these points any more; a transfer is taken back whole or not at all."""

    code = "points_transfer_spent"
    kind = Kind.CONFLICT


class PointsBatchOver(DomainError):
    """This batch is over, or was cancelled."""

    code = "points_batch_over"
    kind = Kind.CONFLICT
