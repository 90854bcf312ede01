"""Writes that take an open transaction (public): carrying value from one member's books to another's."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import HOUSE_MERGED, POINTS, POINTS_DEBT, POINTS_PENDING, Guard, Leg
from backend.members import queries as members
from backend.members.holding import Carrying, all_holdings

from . import plans, queries
from .plans import KIND
from .rules import carrying as rules
from .rules.carrying import CARRIED, Open

__all__ = ["KIND", "bring_back", "carry", "pass_on", "post_half"]

log = logging.get(__name__)


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


async def pass_on(tx: Tx, source_id: int) -> None:
    """Carry what lies on a merged member's books to whom they are part of now; nothing for who was not merged."""
    merge = await queries.find_merge_of(tx, source_id)
    if merge is None:
        return
    target_id = await members.current_id_in(tx, source_id)
    await ledger.hold_both(tx, source_id, target_id)
    rows = await db.fetch_in(tx, "SELECT seq FROM ledger_head WHERE member_id = $1", source_id)
    now = clock.now()
    await carry(
        tx,
        Carrying(
            source_id=source_id,
            target_id=target_id,
            merge_id=merge.id,
            key=f"{merge.id}:{rows[0]['seq']}",
            at=now,
            on=clock.local_date(now, settings().timezone),
            first=False,
        ),
    )
    log.info("merging.passed_on", merge_id=merge.id)


async def bring_back(
    tx: Tx,
    source_id: int,
    account: str,
    unit: str,
    taken: Sequence[tuple[int, int]],
    given: Sequence[tuple[int, int]],
    *,
    key: str,
) -> None:
    """Bring value back to a merged member's books, into the lots that it came from, for what can only be done there.

    Both books are held. What is left of it there is passed on again.

    Args:
        taken: lots of whom they are part of now, and how much of each.
        given: lots of the source's, and how much into each: as much in all.
        key: tells this from any other bringing back of the source's.
    """
    merge = await queries.find_merge_of(tx, source_id)
    total = sum(amount for _, amount in given)
    if merge is None or total == 0 or total != sum(amount for _, amount in taken):
        raise ValueError("nothing of a merge, or not as much as is taken")
    now = clock.now()
    carrying = Carrying(
        source_id=source_id,
        target_id=await members.current_id_in(tx, source_id),
        merge_id=merge.id,
        key=f"{merge.id}:back:{key}",
        at=now,
        on=clock.local_date(now, settings().timezone),
        first=False,
    )
    out = Leg(account, unit, -total, lots=tuple((lot_id, -amount) for lot_id, amount in taken))
    into = Leg(account, unit, total, lots=tuple(given))
    await post_half(tx, carrying.target_id, carrying, "back", (out, Leg(HOUSE_MERGED, unit, total)))
    await post_half(tx, source_id, carrying, "back", (Leg(HOUSE_MERGED, unit, -total), into))


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
