"""The lots of a recharge: on the books it stands on, and on the other's where its member was merged into another."""

from __future__ import annotations

from backend.kernel.db import Tx
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger.types import Document, Lot
from backend.members import queries as members
from backend.merging import service as merging

from ..types import RechargeRefund

Parts = dict[str, list[tuple[int, Lot]]]
"""Lots by part, each with whose it is; the one that the recharge made comes first."""


async def parts_of(document: Document) -> Parts:
    """Every lot that a recharge became."""
    holder_id = await members.current_id(document.member_id)
    found: Parts = {}
    for owner_id in dict.fromkeys((document.member_id, holder_id)):
        for lot in await ledger_queries.list_lots_of(owner_id, document.id):
            if lot.kind == ledger_plans.STORED:
                found.setdefault(lot.part, []).append((owner_id, lot))
    return found


async def bring_back(tx: Tx, refund: RechargeRefund, document: Document) -> None:
    """Have what a refund takes on the books that its recharge stands on, where their member was merged."""
    wanted = {"principal": refund.amount_fen + refund.withheld_fen, "bonus": refund.bonus_fen}
    taken: list[tuple[int, int]] = []
    given: list[tuple[int, int]] = []
    for part, lots in (await parts_of(document)).items():
        home = next(lot for owner_id, lot in lots if owner_id == document.member_id)
        missing = left = max(0, wanted.get(part, 0) - home.remaining)
        for owner_id, lot in lots:
            if owner_id != document.member_id and (take := min(left, lot.remaining)):
                taken.append((lot.lot_id, take))
                left -= take
        if missing:
            given.append((home.lot_id, missing))
    if given:
        await merging.bring_back(
            tx, document.member_id, ledger_plans.STORED, ledger_plans.FEN, taken, given, key=refund.id
        )
