"""Writes that take an open transaction: what members get of groups and agreements, and what is bought for a group.

Lock order: members in order of id, then the group.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.holding import Clash

from . import queries, rules
from .errors import GroupConflict
from .types import Group, GroupState


async def lock_group(tx: Tx, group_id: str, *, open_only: bool = False) -> Group:
    """A group, held until the transaction ends; ``GroupConflict`` where it is closed and must not be."""
    rows = await db.fetch_in(tx, f"{queries.GROUP} WHERE id = $1 FOR UPDATE", group_id)
    group = queries.group_of(rows[0])
    if open_only and group.state is GroupState.CLOSED:
        raise GroupConflict("the group is closed")
    return group


_PEOPLE = "SELECT member_id FROM group_member WHERE group_id = $1 AND left_at IS NULL ORDER BY member_id"


async def lock_with_people(tx: Tx, group_id: str) -> tuple[Group, list[int]]:
    """A group and everybody in it, held; ``GroupConflict`` where somebody joined just then, which goes away."""
    people = [row["member_id"] for row in await db.fetch_in(tx, _PEOPLE, group_id)]
    await member_service.lock_levels(tx, people)
    group = await lock_group(tx, group_id)
    now = {row["member_id"] for row in await db.fetch_in(tx, _PEOPLE, group_id)}
    if not now <= set(people):
        raise GroupConflict
    return group, sorted(now)


async def lend(tx: Tx, member_ids: Iterable[int]) -> None:
    """Let what these members get be what their group and their agreement say now; the caller holds them."""
    levels = {code: place for place, code in enumerate(await members.levels())}
    for member_id in sorted(member_ids):
        group = await _group(tx, member_id)
        keys = await db.fetch_in(tx, f"{queries.KEY} WHERE member_id = $1", member_id)
        key = queries.key_of(keys[0]) if keys else None
        await member_service.set_agreement(
            tx,
            member_id,
            lent=rules.lends(group, levels) if group else None,
            discount_bp=rules.discount_of(group, key),
            locked=key is not None and key.level_locked,
        )


async def _group(tx: Tx, member_id: int) -> Group | None:
    rows = await db.fetch_in(
        tx,
        f"{queries.GROUP} g WHERE EXISTS"
        " (SELECT FROM group_member m WHERE m.group_id = g.id AND m.member_id = $1 AND m.left_at IS NULL)",
        member_id,
    )
    return queries.group_of(rows[0]) if rows else None


_JOIN = """
UPDATE group_member SET member_id = $2 WHERE member_id = $1 AND (left_at IS NOT NULL OR NOT EXISTS
       (SELECT FROM group_member o WHERE o.member_id = $2 AND o.left_at IS NULL))"""
_LEAVE = "UPDATE group_member SET left_at = greatest($2, joined_at) WHERE member_id = $1 AND left_at IS NULL"
_AGREED = """
UPDATE key_account SET member_id = $2
 WHERE member_id = $1 AND NOT EXISTS (SELECT FROM key_account WHERE member_id = $2)"""
_ENDED = "DELETE FROM key_account WHERE member_id = $1"
_BOTH = {
    "group": "SELECT count(DISTINCT member_id) FROM group_member WHERE left_at IS NULL AND member_id IN ($1, $2)",
    "key_account": "SELECT count(*) FROM key_account WHERE member_id IN ($1, $2)",
}
_CLASHES = (
    Clash(code="group", title="双方都在团体中", kept="保留目标会员的团体，来源会员退出原团体"),
    Clash(code="key_account", title="双方都是大客户", kept="保留目标会员的约定"),
)


async def merge(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    """Let the target belong to the source's group and have its agreement, unless they have one of their own.

    Both members are locked. What the source bought for a group stays counted there.
    """
    await db.raw(tx).execute(_JOIN, source_id, target_id)
    await db.raw(tx).execute(_LEAVE, source_id, at)
    await db.raw(tx).execute(_AGREED, source_id, target_id)
    await db.raw(tx).execute(_ENDED, source_id)
    await lend(tx, [target_id])


async def clashes(tx: Tx, source_id: int, target_id: int) -> list[Clash]:
    """Where both belong to a group, or have an agreement."""
    counts = {code: (await db.fetch_in(tx, sql, source_id, target_id))[0][0] for code, sql in _BOTH.items()}
    return [clash for clash in _CLASHES if counts[clash.code] == 2]


_BOUGHT = """
INSERT INTO group_purchase (member_id, sale_id, group_id, at, spent_fen)
SELECT $1, $2, m.group_id, $3, $4 FROM group_member m
 WHERE m.member_id = $1 AND m.joined_at <= $3 AND (m.left_at IS NULL OR m.left_at > $3)
 ORDER BY m.joined_at DESC LIMIT 1
    ON CONFLICT (member_id, sale_id) DO NOTHING RETURNING group_id"""
_DIRTY = "UPDATE group_account SET dirty = true WHERE id = $1 AND NOT dirty"


async def note_purchase(tx: Tx, member_id: int, sale_id: str, spent_fen: int) -> None:
    """Count a purchase for the group that its buyer belonged to when it was made, if there was one."""
    if not await db.fetch_in(tx, "SELECT 1 FROM group_member WHERE member_id = $1 LIMIT 1", member_id):
        return
    document = (await ledger.find_documents_of([sale_id])).get(sale_id)
    await _count(tx, member_id, sale_id, document.at if document else clock.now(), spent_fen)


async def _count(tx: Tx, member_id: int, sale_id: str, at: datetime, spent_fen: int) -> None:
    made = await db.fetch_in(tx, _BOUGHT, member_id, sale_id, at, spent_fen)
    if made:
        await db.raw(tx).execute(_DIRTY, made[0]["group_id"])


async def note_accrual(tx: Tx, member_id: int, accrual_id: str) -> None:
    """Count a purchase that a till took offline for the group that its buyer belonged to when it was made."""
    document = (await ledger.find_documents_of([accrual_id])).get(accrual_id)
    if document is not None:
        at = datetime.fromisoformat(document.body["occurred_at"])
        await _count(tx, member_id, accrual_id, at, int(document.body["total_fen"]))


async def note_return(tx: Tx, member_id: int, sale_id: str, refund_id: str, fen: int) -> None:
    """Take what came back of a purchase off its group's, also where it is heard of before the purchase."""
    if not await db.fetch_in(tx, "SELECT 1 FROM group_member WHERE member_id = $1 LIMIT 1", member_id):
        return
    await db.raw(tx).execute(
        "INSERT INTO group_return (member_id, refund_id, sale_id, fen) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (member_id, refund_id) DO NOTHING",
        member_id,
        refund_id,
        sale_id,
        fen,
    )
