"""What becomes of recharges that are given back, as facts. That a recharge was credited is ``ledger.events``'."""

from __future__ import annotations

from backend.kernel.events import Event


class RechargeGivenBack(Event, frozen=True, kw_only=True):
    """A payment was not credited and goes back to its payer; ``why``: ``late``, or the code of the limit."""

    member_id: int
    recharge_id: str
    pay_fen: int
    why: str


class RechargeRefundMoved(Event, frozen=True, kw_only=True):
    """The refund of a recharge came to another state; ``amount_fen`` is what the payer gets or would have got."""

    member_id: int
    refund_id: str
    recharge_id: str
    state: str
    amount_fen: int
    bonus_fen: int
    withheld_fen: int
