"""Whether a pass may be used, and given back."""

from __future__ import annotations

from backend.kernel.errors import DomainError, invalid

from ..errors import (
    PassExpired,
    PassNotForUse,
    PassOtherService,
    PassOtherStore,
    PassTooFewUses,
    PassUsed,
    PassUsedUp,
    PassVoid,
)
from ..types import Held, PassKind, PassState, Terms

_ENDED: dict[PassState, type[DomainError]] = {
    PassState.USED_UP: PassUsedUp,
    PassState.EXPIRED: PassExpired,
    PassState.REFUNDED: PassVoid,
    PassState.VOID: PassVoid,
}


def check_alive(held: Held) -> None:
    """Refuse a pass that has ended, by how it did."""
    if held.state is not PassState.ACTIVE:
        raise _ENDED[held.state]


def check_use(held: Held, store_id: str, qty: int, service: str | None) -> str | None:
    """Refuse a use that the terms do not give; the service it is for, where they name any."""
    if held.terms.kind is PassKind.DISCOUNT:
        raise PassNotForUse
    check_alive(held)
    if held.terms.stores and store_id not in held.terms.stores:
        raise PassOtherStore
    found = _service(held.terms, service)
    if held.terms.kind is PassKind.COUNTED and qty > held.uses_left:
        raise PassTooFewUses(f"{held.uses_left} uses are left", extra={"uses_left": held.uses_left})
    return found


def _service(terms: Terms, service: str | None) -> str | None:
    if not terms.services:
        return service
    if service is None:
        if len(terms.services) > 1:
            raise invalid("/service", "this pass is good for several services: name one")
        return terms.services[0]
    if service not in terms.services:
        raise PassOtherService(extra={"services": list(terms.services)})
    return service


def check_unused(held: Held) -> None:
    """Refuse a pass that its sale cannot take back: used, or ended. Uses of the other kinds the door counts."""
    if held.state is PassState.USED_UP or (held.state is PassState.ACTIVE and held.uses_left < held.uses):
        raise PassUsed
    check_alive(held)
