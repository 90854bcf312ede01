"""Refusals of passes."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class PassUsedUp(DomainError):
    """Nothing is left of this pass."""

    code = "pass_used_up"
    kind = Kind.CONFLICT


class PassTooFewUses(DomainError):
    """This pass has fewer uses left."""

    code = "pass_too_few_uses"
    kind = Kind.CONFLICT


class PassExpired(DomainError):
    """The last day of this pass is over."""

    code = "pass_expired"
    kind = Kind.CONFLICT


class PassVoid(DomainError):
    """This pass was given back or made void."""

    code = "pass_void"
    kind = Kind.CONFLICT


class PassOtherStore(DomainError):
    """This pass is not good in this store."""

    code = "pass_other_store"
    kind = Kind.CONFLICT


class PassOtherService(DomainError):
    """This pass is not good for this service."""

    code = "pass_other_service"
    kind = Kind.CONFLICT


class PassDayLimit(DomainError):
    """This pass was used as often today as it may be on one day."""

    code = "pass_day_limit"
    kind = Kind.CONFLICT


class PassNotForUse(DomainError):
    """A discount card is not used by itself: every sale to its holder counts it in."""

    code = "pass_not_for_use"
    kind = Kind.CONFLICT


class PassNeedsPhone(DomainError):
    """Somebody has been guessing at this member's code; ask the member to open the code anew and scan that."""

    code = "pass_needs_phone"
    kind = Kind.CONFLICT


class PassUseUndone(DomainError):
    """This use was undone already."""

    code = "pass_use_undone"
    kind = Kind.CONFLICT


class PassUndoTooLate(DomainError):
    """This use is too old to be undone."""

    code = "pass_undo_too_late"
    kind = Kind.CONFLICT


class PassUsed(DomainError):
    """This pass was used, so its line cannot be refunded; staff can give back what is left of it."""

    code = "pass_used"
    kind = Kind.CONFLICT


class PassRefundByLine(DomainError):
    """This sale sold a pass: refund it by lines, not by amount."""

    code = "pass_refund_by_line"
    kind = Kind.CONFLICT


class PassTooMany(DomainError):
    """So many passes cannot be sold in one sale."""

    code = "pass_too_many"
    kind = Kind.INVALID


class PassProductConflict(DomainError):
    """The product is in a state in which that cannot be done, or another one has this SKU."""

    code = "pass_product_conflict"
    kind = Kind.CONFLICT
