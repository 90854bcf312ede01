"""Writes that take an open transaction (public): carrying value from one member's books to another's."""

from __future__ import annotations

from backend.kernel.db import Tx
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import POINTS, POINTS_DEBT, POINTS_PENDING, Guard, Leg
from backend.members.holding import Carrying, all_holdings

from . import plans
from .rules import carrying as rules
from .rules.carrying import CARRIED, Open

__all__ = ["carry", "post_half"]


async def carry(tx: Tx, carrying: Carrying) -> None:
    """Move all that lies on the source's books to the target's, which are both held: lots, what is owed, and what the
    domains keep on accounts of their own (coupons, passes, stamps). Nothing where nothing lies there."""
    lots = [Open(lot, rank) for lot, rank in await ledger_queries.open_lots_in(tx, carrying.source_id, list(CARRIED))]
    for number, portion in enumerate(rules.chunks(lots)):
        await post_half(tx, carrying.source_id, carrying, f"lots{number}", rules.out_legs(portion))
        await post_half(tx, carrying.target_id, carrying, f"lots{number}", rules.in_legs(portion))
    await _settle(tx, carrying)
    for holding in all_holdings():
        if holding.carry is not None:
            await holding.carry(tx, carrying)


async def _settle(tx: Tx, carrying: Carrying) -> None:
    """Let the target pay what both owe out of what both have, and owe the rest."""
    theirs = await ledger_queries.balance_in(tx, carrying.source_id, POINTS_DEBT)
    mine = await ledger_queries.balance_in(tx, carrying.target_id, POINTS_DEBT)
    if theirs + mine == 0:
        return
    there = [lot for lot, _ in await ledger_queries.open_lots_in(tx, carrying.target_id, [POINTS, POINTS_PENDING])]
    settling = rules.settle(theirs + mine, there, carrying.source_id, carrying.on)
    if theirs:
        await post_half(tx, carrying.source_id, carrying, "owed", rules.debt_out_legs(theirs))
    await post_half(tx, carrying.target_id, carrying, "owed", rules.debt_in_legs(settling, mine))


async def post_half(
    tx: Tx, member_id: int, carrying: Carrying, what: str, legs: tuple[Leg, ...], *, guards: tuple[Guard, ...] = ()
) -> None:
    """Post one side of one portion, which ``what`` names; nothing for no legs."""
    if legs:
        await ledger.post_in(tx, plans.half(member_id, carrying, what, legs, guards))
