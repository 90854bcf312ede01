"""One member becomes part of another: asked for by one person, done when another approves, in their transaction."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from backend.approvals import service as approvals
from backend.approvals.types import Approval, Kind
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, events, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.errors import StatusConflict
from backend.members.holding import Carrying, Holding, Obstacle, all_holdings
from backend.members.service import Change
from backend.members.types import Actor, ActorKind, Member, Status

from .. import service
from ..errors import MergeBlocked, MergeSame, MergeStatus
from ..events import MembersMerged
from ..rules.carrying import CARRIED
from ..types import ID_PREFIX, Merge, Moved

log = logging.get(__name__)

KIND = "member_merge"


class Asked(msgspec.Struct, frozen=True):
    """What an approval carries: who becomes part of whom."""

    source_id: int
    target_id: int


async def find_two(source_no: str, target_no: str) -> tuple[Member, Member]:
    """The members who have these numbers, source and target; raises what they cannot be merged for."""
    source = await _find_by_number("/source_no", source_no)
    target = await _find_by_number("/target_no", target_no)
    if source.id == target.id:
        raise MergeSame
    for member, number in ((source, source_no), (target, target_no)):
        if member.member_no != number:
            # Who is merged here would be somebody else than was named, and there is no undo: say it, do not follow it.
            raise MergeStatus(f"{number} was merged into {member.member_no} already", extra={"now": member.member_no})
    if target.status is not Status.ACTIVE:
        raise MergeStatus(f"the member to keep is {target.status.value}")
    return source, target


async def _find_by_number(pointer: str, number: str) -> Member:
    member_id = await members.find_id_by_number(number)
    found = await members.find_member(member_id) if member_id is not None else None
    if found is None:
        raise invalid(pointer, "is no member's number")
    return found


async def ask(source_no: str, target_no: str, reason: str, *, key: str, caller: StaffCaller) -> Approval:
    """Ask a second person to merge two members, once per person and key; nothing moves before they approve.

    Raises ``MergeBlocked`` where something is under way already now.
    """
    source, target = await find_two(source_no, target_no)
    async with db.transaction() as tx:
        refuse_under_way(await obstacles(tx, source.id))
        return await approvals.request(
            tx,
            KIND,
            Asked(source.id, target.id),
            caller=caller,
            reason=reason,
            store_id=None,
            summary=f"会员 {source.member_no} 合并到 {target.member_no}，不可撤销",
            key=key,
        )


async def obstacles(tx: Tx, source_id: int) -> list[Obstacle]:
    """What of a member's is under way, so that they cannot be merged into another yet."""
    found: list[Obstacle] = []
    for holding in all_holdings():
        if holding.obstacles is not None:
            found += await holding.obstacles(tx, source_id)
    return found


def refuse_under_way(found: list[Obstacle]) -> None:
    """Raise ``MergeBlocked`` unless there is nothing."""
    if found:
        titles = "、".join(one.title for one in found)
        raise MergeBlocked(f"under way: {titles}", extra={"obstacles": [msgspec.to_builtins(one) for one in found]})


async def _apply(tx: Tx, body: Asked, approval: Approval) -> None:
    """Merge what was approved, on the deciding transaction."""
    assert approval.decided_by is not None
    await merge(tx, body, approval_id=approval.id, by=(approval.asked_by, approval.decided_by), reason=approval.reason)


async def merge(tx: Tx, asked: Asked, *, approval_id: str, by: tuple[int, int], reason: str) -> Merge:
    """Make the source part of the target: rows, then value, then the source is closed. All of it, or nothing.

    Members are locked in order of id, then what the domains lock, then both books. Raises ``MergeStatus`` and
    ``MergeBlocked``.
    """
    at = clock.now()
    try:
        source, target = await member_service.lock_two(tx, asked.source_id, asked.target_id)
    except StatusConflict as refused:
        raise MergeStatus from refused
    filled = await member_service.merge_profile(tx, source, target, at)
    for holding in all_holdings():
        await _join(tx, holding, asked)
    await ledger.hold_both(tx, asked.source_id, asked.target_id)
    refuse_under_way(await obstacles(tx, asked.source_id))
    made = Merge(
        id=ids.new_document_id(ID_PREFIX, asked.source_id),
        source_id=asked.source_id,
        target_id=asked.target_id,
        approval_id=approval_id,
        asked_by=by[0],
        decided_by=by[1],
        reason=reason,
        moved=await lies_there(tx, asked.source_id),
        at=at,
    )
    await service.carry(
        tx,
        Carrying(
            source_id=made.source_id,
            target_id=made.target_id,
            merge_id=made.id,
            key=made.id,
            at=at,
            on=clock.local_date(at, settings().timezone),
            first=True,
        ),
    )
    await member_service.close_merged(tx, asked.source_id, asked.target_id, at)
    await _write(tx, made)
    await _note(tx, made, source["status"], filled)
    await events.publish(tx, MembersMerged(member_id=made.target_id, source_id=made.source_id, merge_id=made.id))
    log.info("members.merged", merge_id=made.id)
    return made


async def _join(tx: Tx, holding: Holding, asked: Asked) -> None:
    for table in holding.moves:
        await db.raw(tx).execute(table.sql, asked.source_id, asked.target_id)
    if holding.merge is not None:
        await holding.merge(tx, asked.source_id, asked.target_id, clock.now())


async def lies_there(tx: Tx, member_id: int) -> Moved:
    """What lies on a member's own accounts, as the open transaction sees it."""
    lots = [lot for lot, _ in await ledger_queries.open_lots_in(tx, member_id, list(CARRIED))]

    def total(kind: str, *, bonus: bool | None = None) -> int:
        mine = (lot for lot in lots if lot.kind == kind)
        return sum(lot.remaining for lot in mine if bonus is None or (lot.part == "bonus") is bonus)

    return Moved(
        principal_fen=total("stored", bonus=False),
        bonus_fen=total("stored", bonus=True),
        rebate_fen=total("rebate"),
        points=total("points"),
        points_pending=total("points_pending"),
        points_owed=await ledger_queries.balance_in(tx, member_id, "points_debt"),
    )


async def _note(tx: Tx, made: Merge, status: str, filled: Mapping[str, Change]) -> None:
    """Both members' history says what became of them, and by whom."""
    by = Actor(ActorKind.MERGE, made.decided_by)
    closed = {"status": (status, Status.MERGED.value), "merged_into": (None, str(made.target_id))}
    await member_service.changed(tx, made.source_id, by=by, changes=closed, reason=made.id)
    joined = {"merged_from": (None, str(made.source_id))}
    await member_service.changed(tx, made.target_id, by=by, changes={**filled, **joined}, reason=made.id)


async def _write(tx: Tx, made: Merge) -> None:
    await db.raw(tx).execute(
        "INSERT INTO merging_merge (id, source_id, target_id, approval_id, asked_by, decided_by, reason, moved, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        made.id,
        made.source_id,
        made.target_id,
        made.approval_id,
        made.asked_by,
        made.decided_by,
        made.reason,
        msgspec.json.encode(made.moved).decode(),
        made.at,
    )
    await db.raw(tx).execute(
        "UPDATE merging_candidate SET state = 'merged', decided_by = $2, decided_at = $3"
        " WHERE state = 'open' AND (one_id = $1 OR other_id = $1)",
        made.source_id,
        made.decided_by,
        made.at,
    )


approvals.declare(Kind(code=KIND, title="合并会员", permission=Permission.MEMBERS_MERGE, body=Asked, apply=_apply))
