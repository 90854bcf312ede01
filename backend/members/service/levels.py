"""Growth, levels, stages, and what else a member's prices are made with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

import msgspec

from backend.kernel import clock, db, events, ids
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .. import locks, queries, telling
from ..events import LevelUnlocked
from ..telling import Became
from ..types import DiscountCard, LevelState, Stage


async def add_growth(tx: Tx, member_id: int, source_id: str, growth_fen: int) -> bool:
    """Add a sale's growth (a refund's is negative), once per source; False where that was done before.

    Holds the member. What level follows from it is ``lifecycle``'s.
    """
    await locks.lock_member(tx, member_id)
    added = await db.fetch_in(
        tx,
        "INSERT INTO member_growth (id, member_id, source_id, growth_fen, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (member_id, source_id) DO NOTHING RETURNING id",
        ids.new_bigint(),
        member_id,
        source_id,
        growth_fen,
        clock.now(),
    )
    if added:
        await db.raw(tx).execute(
            "UPDATE member SET growth_fen = growth_fen + $2, updated_at = $3 WHERE id = $1",
            member_id,
            growth_fen,
            clock.now(),
        )
    return bool(added)


async def lock_levels(tx: Tx, member_ids: Iterable[int]) -> list[LevelState]:
    """The levels of these members, locked until the transaction ends, in order of id; who is no member is left out."""
    rows = await db.fetch_in(tx, f"{queries.LEVEL_STATES} FOR UPDATE", sorted(set(member_ids)))
    return [queries.level_state(row) for row in rows]


# What prices are made with is the higher of the own level and the lent one; the own one is kept beside it only then.
_SET_LEVELS = """
UPDATE member m SET level_id = best.code, own_level = CASE WHEN w.lent IS NULL THEN NULL ELSE w.own END,
       lent_level = w.lent, updated_at = $4
  FROM unnest($1::bigint[], $2::text[], $3::text[]) AS w (id, own, lent)
  JOIN member AS old ON old.id = w.id
 CROSS JOIN LATERAL (SELECT code FROM member_level WHERE code IN (w.own, w.lent)
                      ORDER BY growth_from_fen DESC LIMIT 1) AS best
 WHERE m.id = w.id
RETURNING m.id, m.level_id, old.level_id AS before"""


async def set_levels(tx: Tx, levels: Mapping[int, tuple[str, str | None]]) -> None:
    """Give members another own level, or another lent one (None: none); the caller holds their rows.

    Args:
        levels: own and lent level, by member.
    """
    if levels:
        own, lent = ([pair[place] for pair in levels.values()] for place in (0, 1))
        rows = await db.fetch_in(tx, _SET_LEVELS, list(levels), own, lent, clock.now())
        moved = [row for row in rows if row["level_id"] != row["before"]]
        await telling.tell(tx, [Became(member_id=row["id"], level=row["level_id"]) for row in moved])


async def retell_level(tx: Tx, member_id: int, told: str | None) -> None:
    """Tell whoever listens which level prices are made with, where they were told of another. Holds the member."""
    rows = await db.fetch_in(tx, "SELECT level_id FROM member WHERE id = $1 FOR UPDATE", member_id)
    if rows and rows[0]["level_id"] != told:
        await telling.tell(tx, [Became(member_id=member_id, level=rows[0]["level_id"])])


async def set_ruled(tx: Tx, codes: Collection[str]) -> None:
    """Say which levels are reached by rules; the others are by growth."""
    await db.raw(tx).execute("UPDATE member_level SET ruled = code = ANY($1::text[])", list(codes))


async def set_agreement(tx: Tx, member_id: int, *, lent: str | None, discount_bp: int | None, locked: bool) -> None:
    """Give a member what groups and agreements give: a level, a discount that is the least, and whether the own level
    stays as it is. Holds the member."""
    (state,) = await lock_levels(tx, [member_id]) or (None,)
    if state is None:
        raise NotFound("there is no such member")
    if state.lent != lent:
        await set_levels(tx, {member_id: (state.own, lent)})
    await db.raw(tx).execute(
        "UPDATE member SET lent_discount_bp = $2, level_locked = $3 WHERE id = $1", member_id, discount_bp, locked
    )
    if state.locked and not locked:
        await events.publish(tx, LevelUnlocked(member_id=member_id))


async def set_stages(tx: Tx, stages: Mapping[int, Stage], on: date) -> None:
    """Say in which stage members are from that day on; the caller holds their rows."""
    if stages:
        await db.raw(tx).execute(
            "UPDATE member m SET stage = w.stage, stage_since = $3"
            " FROM unnest($1::bigint[], $2::text[]) AS w (id, stage) WHERE m.id = w.id",
            list(stages),
            [stage.value for stage in stages.values()],
            on,
        )
        await telling.tell(tx, [Became(member_id=member_id, stage=stage) for member_id, stage in stages.items()])


async def set_discount_card(tx: Tx, member_id: int, card: DiscountCard | None) -> None:
    """Let this be the card that a member's sales are priced with, if it is better than the level; None for none."""
    await db.raw(tx).execute(
        "UPDATE member SET card_id = $2, card_discount_bp = $3, card_multiplier_bp = $4, card_until = $5"
        " WHERE id = $1 AND (card_id, card_discount_bp, card_multiplier_bp, card_until)"
        " IS DISTINCT FROM ($2::text, $3::int, $4::int, $5::date)",
        member_id,
        *(msgspec.structs.astuple(card) if card else (None,) * 4),
    )
