"""Refusals of the door. A refused plan changed nothing."""

from __future__ import annotations

from typing import Any

from backend.kernel.errors import DomainError, Kind


class InsufficientBalance(DomainError):
    """The account holds less than the transfer takes.

    From the door: ``account`` is its kind and ``ref`` which of them (a coupon's id), for a layer above to name it.
    """

    code = "insufficient_balance"
    kind = Kind.CONFLICT
    account = ""
    ref = ""

    @classmethod
    def of(cls, account: str, ref: str) -> InsufficientBalance:
        """The refusal of that account; what it says to the outside is the same for all."""
        refused = cls()
        refused.account, refused.ref = account, ref
        return refused


class IdempotencyConflict(DomainError):
    """This idempotency key was used for another request."""

    code = "idempotency_conflict"
    kind = Kind.CONFLICT


class MemberInactive(DomainError):
    """This member is not active."""

    code = "member_inactive"
    kind = Kind.CONFLICT


class MemberUnknown(DomainError):
    """This member has no books."""

    code = "not_found"
    kind = Kind.NOT_FOUND


class Stale(DomainError):
    """What the request was based on has changed meanwhile; send it again."""

    code = "stale"
    kind = Kind.CONFLICT


class Claimed(DomainError):
    """Another document holds this name."""

    code = "order_exists"
    kind = Kind.CONFLICT

    def __init__(self, document_id: str | None) -> None:
        self.document_id = document_id
        super().__init__(extra={"id": document_id} if document_id else None)


class GuardRefused(DomainError):
    """A condition of the plan does not hold any more."""

    code = "conflict"
    kind = Kind.CONFLICT

    def __init__(self, refusal: str, name: str) -> None:
        self.refusal = refusal
        self.name = name
        super().__init__()


class PlanInvalid(DomainError):
    """The plan breaks a rule of the books; this is a mistake of ours."""

    code = "internal_error"
    kind = Kind.INTERNAL


class OutcomeUnknown(DomainError):
    """Whether it was done is not known; send the same request with the same key again."""

    code = "outcome_unknown"
    kind = Kind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(retry_after_s=1)


_PLAIN: dict[str, type[DomainError]] = {error.code: error for error in (IdempotencyConflict, MemberInactive, Stale)}


def refusal(code: str, context: dict[str, Any]) -> DomainError:
    """The refusal that ``ledger_post`` raised under that name."""
    if code == InsufficientBalance.code:
        return InsufficientBalance.of(context.get("account", ""), context.get("ref", ""))
    if code == "claimed":
        return Claimed(context.get("document_id"))
    if code == "guard":
        return GuardRefused(context["refusal"], context["name"])
    if code == "member_unknown":
        return MemberUnknown()
    plain = _PLAIN.get(code)
    return plain() if plain else PlanInvalid(f"{code}: {context.get('why', '')}")
