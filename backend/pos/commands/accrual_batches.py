"""What a till took while it was offline, all at once: each row for itself, and each order number once."""

from __future__ import annotations

import hashlib

import msgspec

from backend.auth.types import TerminalCaller
from backend.kernel.errors import DomainError, Kind
from backend.kernel.http import Idempotency
from backend.kernel.http.decoding import from_msgspec
from backend.ledger import queries as ledger
from backend.ledger.errors import Claimed, Stale

from .. import plans
from ..batch_schemas import AccrualBatchIn, AccrualBatchOut, AccrualRowOut
from ..schemas import AccrualIn
from . import accruals

KEY = "batch:accrual:"
AGAIN = frozenset({Kind.LIMITED, Kind.UNAVAILABLE, Kind.TIMEOUT})
"""Refusals that another try may not meet."""
ORDER_NO_SHOWN = 64

_rows = msgspec.json.Decoder(AccrualIn)


async def accrue_all(body: AccrualBatchIn, terminal: TerminalCaller) -> AccrualBatchOut:
    """Credit every row that can be, and say of each what became of it; the same batch again credits nothing twice."""
    rows = [await _accrue(number, raw, terminal) for number, raw in enumerate(body.items)]
    counts = {result: sum(row.result == result for row in rows) for result in ("posted", "duplicate", "refused")}
    return AccrualBatchOut(rows, counts["posted"], counts["duplicate"], counts["refused"])


async def _accrue(number: int, raw: msgspec.Raw, terminal: TerminalCaller) -> AccrualRowOut:
    try:
        row = _rows.decode(raw)
    except msgspec.ValidationError as wrong:
        return _refused(number, _order_of(raw), from_msgspec(wrong))
    digest = hashlib.sha256(msgspec.json.encode(row)).digest()
    try:
        answer = await accruals.accrue(row, terminal, Idempotency(f"{KEY}{row.order_no}", digest))
    except Claimed:
        return await _claimed(number, row, terminal)
    except DomainError as refusal:
        return _refused(number, row.order_no, refusal)
    return AccrualRowOut(
        row=number,
        order_no=row.order_no,
        result="duplicate" if answer.replayed else "posted",
        id=answer.value.id,
        points_earned=answer.value.points_earned,
    )


def _order_of(raw: msgspec.Raw) -> str:
    """The order number of a row that is none, as far as it has one."""
    value = msgspec.json.decode(raw)
    found = value.get("order_no") if isinstance(value, dict) else None
    return found[:ORDER_NO_SHOWN] if isinstance(found, str) else ""


def _refused(number: int, order_no: str, refusal: DomainError) -> AccrualRowOut:
    return AccrualRowOut(
        row=number,
        order_no=order_no,
        result="refused",
        code=refusal.code,
        detail=refusal.detail,
        pointer=f"/items/{number}{refusal.errors[0].pointer}" if refusal.errors else None,
        retry=refusal.kind in AGAIN or isinstance(refusal, Stale),
    )


async def _claimed(number: int, row: AccrualIn, terminal: TerminalCaller) -> AccrualRowOut:
    """The order number is taken in this store: by the same sale from another till or way, or by a sale online."""
    claim = plans.order_claim(terminal.store_id, row.order_no)
    home = await ledger.find_home(claim.scope, claim.key)
    return AccrualRowOut(
        row=number, order_no=row.order_no, result="duplicate", id=home[1] if home else None, code=Claimed.code
    )
