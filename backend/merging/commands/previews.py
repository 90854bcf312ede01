"""Two members side by side: what each has, what would become of it, what clashes and what is under way."""

from __future__ import annotations

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import Clash, Holding, Obstacle, Table, all_holdings
from backend.members.types import Member

from ..types import Moved
from . import merging

COUNTED = 10_000
"""Rows of one table that are counted; more are shown as so many."""


LEDGER = "ledger"
"""What lies on the books is shown as value, not as rows of the books."""


class Held(msgspec.Struct, frozen=True):
    """How many rows of one thing each has, and what becomes of the source's."""

    title: str
    source: int
    target: int
    becomes: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What merging two members would do."""

    source: Member
    target: Member
    values: tuple[Moved, Moved]
    held: tuple[Held, ...]
    clashes: tuple[Clash, ...]
    obstacles: tuple[Obstacle, ...]


async def preview(source_no: str, target_no: str) -> Preview:
    """What merging them would do now; nothing is written. Raises why they can never be merged."""
    source, target = await merging.find_two(source_no, target_no)
    held: list[Held] = []
    clashes: list[Clash] = []
    async with db.transaction() as tx:
        for holding in all_holdings():
            if holding.name != LEDGER:
                held += await _held(tx, holding, source.id, target.id)
            if holding.clashes is not None:
                clashes += await holding.clashes(tx, source.id, target.id)
        return Preview(
            source=source,
            target=target,
            values=(await merging.lies_there(tx, source.id), await merging.lies_there(tx, target.id)),
            held=tuple(held),
            clashes=tuple(clashes),
            obstacles=tuple(await merging.obstacles(tx, source.id)),
        )


async def _held(tx: Tx, holding: Holding, source_id: int, target_id: int) -> list[Held]:
    found = []
    for table in holding.tables:
        if table.shown is None:
            continue
        source, target = await _count(tx, table, source_id), await _count(tx, table, target_id)
        if source or target:
            found.append(Held(table.shown.title, source, target, _becomes(holding, table.name)))
    return found


def _becomes(holding: Holding, table: str) -> str:
    if any(moving.name == table for moving in holding.moves):
        return "moves"
    return "joined" if table in holding.joined else "stays"


async def _count(tx: Tx, table: Table, member_id: int) -> int:
    only = table.shown.only if table.shown else "true"
    rows = await db.fetch_in(
        tx,
        f"SELECT count(*) FROM (SELECT FROM {table.name} WHERE {table.whose} AND {only} LIMIT {COUNTED}) AS counted",  # noqa: S608
        member_id,
    )
    return int(rows[0][0])
