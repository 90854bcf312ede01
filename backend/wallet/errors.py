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


class RechargeSpent(DomainError):
    """Some of this recharge was spent already: it cannot be taken back here; refund the sale first."""

    code = "recharge_spent"
    kind = Kind.CONFLICT


class RechargeNotReversible(DomainError):
    """A till takes a recharge back only in the shift in which it made it; later it is refunded by staff."""

    code = "recharge_not_reversible"
    kind = Kind.CONFLICT


class StoredLimitReached(DomainError):
    """A member may not hold that much stored value; ``possible_fen`` says how much more may come in."""

    code = "stored_limit_reached"
    kind = Kind.CONFLICT

    def __init__(self, possible_fen: int) -> None:
        super().__init__(f"{possible_fen} fen more may be stored", extra={"possible_fen": possible_fen})


class RechargeDayLimitReached(DomainError):
    """A member may not recharge that much in a day; ``possible_fen`` says how much more today."""

    code = "recharge_day_limit_reached"
    kind = Kind.CONFLICT

    def __init__(self, possible_fen: int) -> None:
        super().__init__(f"{possible_fen} fen more can be recharged today", extra={"possible_fen": possible_fen})


class RechargeNotRefundable(DomainError):
    """This recharge was not paid, or nothing of it is left to be given back."""

    code = "recharge_not_refundable"
    kind = Kind.CONFLICT


class RefundExceedsPrincipal(DomainError):
    """More than can be given back of this recharge now; ``refundable_fen`` says how much can."""

    code = "refund_exceeds_principal"
    kind = Kind.CONFLICT

    def __init__(self, refundable_fen: int) -> None:
        super().__init__(
            f"{refundable_fen} fen of this recharge can be given back", extra={"refundable_fen": refundable_fen}
        )


class RefundUnderWay(DomainError):
    """A refund of this recharge is under way; wait for its end."""

    code = "recharge_refund_under_way"
    kind = Kind.CONFLICT


class RefundNotMovable(DomainError):
    """This refund is not where that can be done with it."""

    code = "recharge_refund_conflict"
    kind = Kind.CONFLICT


class RefundNotOffered(DomainError):
    """Refunds of recharges are asked for at the counter here."""

    code = "recharge_refund_not_offered"
    kind = Kind.CONFLICT
