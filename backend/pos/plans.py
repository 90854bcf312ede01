"""Plans of the till: pure. Each says what it saw, so that the door can refuse it as stale."""

from __future__ import annotations

import msgspec

from backend.kernel.http import Idempotency
from backend.ledger import plans as ledger

TWO_STORES = "two_stores"
CODE_USED = "code_used"
SALE = "sale"
REFUND = "refund"
ACCRUAL = "accrual"
REVERSED = "recharge_reversed"
"""The document of a recharge that a till took back; the wallet makes it."""

job_hash = ledger.job_hash


def order_claim(store_id: str, order_no: str) -> ledger.Claim:
    """The name that one living sale or accrual of a store may hold."""
    return ledger.Claim(f"order/{store_id}", order_no)


def keyed(plan: ledger.Plan, idem: Idempotency, scope: str) -> ledger.Plan:
    """The plan under a request's idempotency key."""
    return msgspec.structs.replace(plan, scope=scope, key=idem.key, hash=idem.request_hash.hex())
