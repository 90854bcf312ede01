"""Refusals of the wallet."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class OfferUnavailable(DomainError):
    """This offer is over, or not for this member; look at the offers again."""

    code = "offer_unavailable"
    kind = Kind.CONFLICT


class RechargeOver(DomainError):
    """This recharge can no longer be paid; start a new one."""

    code = "recharge_closed"
    kind = Kind.CONFLICT
