"""What ``huiyuan audit`` proves, and the torture at its end: the books of every member, and what stands beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from backend.coupons import audit as coupons
from backend.gifts import audit as gifts
from backend.kernel import events
from backend.kernel.proofs import Finding, Proof
from backend.ledger import audit as ledger
from backend.membercards import audit as membercards
from backend.messages import audit as messages
from backend.orders import audit as orders
from backend.privacy import audit as privacy
from backend.rebates import audit as rebates
from backend.reconciliation import audit as reconciliation
from backend.stock import audit as stock
from backend.worker import DOMAINS

PROOFS: tuple[Proof, ...] = (
    ledger.PROOF,
    orders.PROOF,
    coupons.PROOF,
    stock.PROOF,
    messages.PROOF,
    reconciliation.PROOF,
    gifts.PROOF,
    rebates.PROOF,
    membercards.PROOF,
    privacy.PROOF,
)

TITLES: Mapping[str, str] = {check: title for proof in PROOFS for check, title in proof.titles.items()}
"""What must hold, by check."""


@cache
def load() -> None:
    """Have every domain say what it holds of members, as the proof of erasure asks."""
    events.load(DOMAINS)


async def prove_all(
    url_args: Mapping[str, object],
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, list[Finding]]:
    """Run every proof; what each found, by what it is of.

    ``progress`` hears of members whose books were proved, ``say`` what is proved next.
    """
    load()
    found = {ledger.PROOF.of: await ledger.audit(url_args, progress)}
    for proof in PROOFS[1:]:
        if say:
            say(proof.of)
        found[proof.of] = await proof.run(url_args)
    return found
