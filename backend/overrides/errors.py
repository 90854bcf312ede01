"""Refusals of authorisation. None of them spends the code."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class OverrideRequired(DomainError):
    """The till's own discount is more than its cashier may give; somebody who may must authorise it."""

    code = "override_required"
    kind = Kind.CONFLICT

    def __init__(self, fen: int, allowed_fen: int) -> None:
        super().__init__(
            f"{fen} fen are more than the {allowed_fen} fen that a cashier may give",
            extra={"discount_fen": fen, "allowed_fen": allowed_fen},
        )


class OverrideNotAllowed(DomainError):
    """This code authorises nothing at this till."""

    code = "override_not_allowed"
    kind = Kind.CONFLICT


class OverrideOwn(DomainError):
    """Nobody authorises anything for themselves."""

    code = "override_own"
    kind = Kind.CONFLICT


class OverrideLimitExceeded(DomainError):
    """This is more than this person may authorise in one sale."""

    code = "override_limit_exceeded"
    kind = Kind.CONFLICT

    def __init__(self, allowed_fen: int) -> None:
        super().__init__(
            f"{allowed_fen} fen of this sale can be authorised by this person", extra={"allowed_fen": allowed_fen}
        )


class OverrideDayLimit(DomainError):
    """This person has authorised as much today as they may."""

    code = "override_day_limit"
    kind = Kind.CONFLICT


OF_A_SALE = (OverrideRequired, OverrideNotAllowed, OverrideOwn, OverrideLimitExceeded, OverrideDayLimit)
