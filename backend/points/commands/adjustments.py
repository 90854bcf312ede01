"""Staff put points right: with a reason, and above a limit only once a second person has approved it."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from backend.approvals import queries as approval_queries
from backend.approvals import service as approvals
from backend.approvals.errors import ApprovalKeyReused
from backend.approvals.types import Alone, Approval, Kind
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.http import Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import POINTS_DEBT, Plan
from backend.ledger.types import Document
from backend.members import queries as members
from backend.members.types import Member
from backend.wallet import queries as wallet
from backend.wallet.types import PointsSource

from .. import plans
from ..schemas import AdjustIn
from ..types import Adjusting, AdjustReason
from . import transfers

log = logging.get(__name__)

KIND = "points_adjustment"
BACK = "points_transfer_back"


class Asked(msgspec.Struct, frozen=True):
    """What an approval of an adjustment carries; the text why is the approval's own reason."""

    adjustment_id: str
    member_id: int
    points: int
    reason: AdjustReason
    expires_on: date | None = None


class AskedBack(msgspec.Struct, frozen=True):
    """What an approval of taking a transfer back carries."""

    transfer_id: str


class Adjusted(msgspec.Struct, frozen=True):
    """An adjustment that was posted, or waits for ``approval``."""

    id: str
    approval: Approval | None = None
    replayed: bool = False


async def reached(caller: StaffCaller, member_id: str) -> Member:
    """The member that is named, if this person may see them."""
    id_ = ids.read_bigint(member_id)
    found = await members.find_member(id_) if id_ is not None else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return found


async def adjust(body: AdjustIn, member: Member, caller: StaffCaller, idem: Idempotency) -> Adjusted:
    """Give or take points, or ask a second person to, once per person and key."""
    today = clock.local_date(clock.now(), settings().timezone)
    if body.points == 0:
        raise invalid("/points", "must not be 0")
    if body.expires_on is not None and body.points < 0:
        raise invalid("/expires_on", "is for points that are given")
    if body.expires_on is not None and not (today <= body.expires_on and body.expires_on.year in clock.YEARS):
        raise invalid("/expires_on", "lies in the past")
    wish = Adjusting(
        id=_id_of(member.id, caller, idem.key),
        member_id=member.id,
        points=body.points,
        reason=body.reason,
        text=body.text,
        by=caller.staff_id,
        expires_on=body.expires_on,
    )
    # In this order: what the same request posted a moment ago is found by its key, and not asked for as well.
    within = await approval_queries.is_alone(caller.staff_id, [alone(abs(wish.points))])
    asked = await approval_queries.was_asked(caller.staff_id, idem.key)
    scope = f"staff/{caller.staff_id}"
    if (asked or not within) and await ledger_queries.find_own_key(member.id, scope, idem.key) is None:
        return await _ask(wish, member, caller, idem)

    async def post(tx: Tx) -> bool:
        plan = msgspec.structs.replace(await _plan(wish), scope=scope, key=idem.key, hash=idem.request_hash.hex())
        posted = await ledger.post_in(tx, plan)
        if not posted.replayed and not await approvals.count_alone(tx, caller.staff_id, [alone(abs(wish.points))]):
            raise _NotAlone
        return posted.replayed

    try:
        replayed = await ledger.with_fresh_books(post)
    except _NotAlone:
        return await _ask(wish, member, caller, idem)
    if not replayed:
        _told(wish)
    return Adjusted(wish.id, replayed=replayed)


class _NotAlone(Exception):
    """It is more than this person may give and take alone today: what was posted is rolled back, and asked for."""


def alone(points: int) -> Alone:
    """So many points, given and taken together, as what one person decides alone on a day."""
    return Alone("points", points, settings().points_adjust_alone_max)


def _id_of(member_id: int, caller: StaffCaller, key: str) -> str:
    """The same request has the same id: whoever sends it again finds the first."""
    short = ids.short_of("", caller.staff_id, key, width=13)
    return plans.ADJUSTMENT_PREFIX + ids.new_document_id("", member_id)[:13] + short


async def _ask(wish: Adjusting, member: Member, caller: StaffCaller, idem: Idempotency) -> Adjusted:
    asked = Asked(wish.id, wish.member_id, wish.points, wish.reason, wish.expires_on)
    summary = f"会员 {member.member_no}：{wish.points:+,} 积分（{TITLES[wish.reason]}）"
    approval = await _requested(
        KIND, asked, caller=caller, reason=wish.text, store_id=member.store_id, summary=summary, key=idem.key
    )
    return Adjusted(wish.id, approval)


async def _requested(
    kind: str,
    body: msgspec.Struct,
    *,
    caller: StaffCaller,
    reason: str,
    store_id: str | None,
    summary: str,
    key: str,
) -> Approval:
    """Ask a second person; of two that ask the same at one moment, the later one finds what the other made."""
    for attempt in range(2):
        try:
            async with db.transaction() as tx:
                return await approvals.request(
                    tx, kind, body, caller=caller, reason=reason, store_id=store_id, summary=summary, key=key
                )
        except ApprovalKeyReused:
            if attempt:
                raise
    raise AssertionError("unreachable")


TITLES = {
    AdjustReason.COMPENSATION: "客诉补偿",
    AdjustReason.CORRECTION: "差错更正",
    AdjustReason.GOODWILL: "回馈",
    AdjustReason.ABUSE: "违规扣回",
    AdjustReason.MIGRATION: "旧系统迁移",
    AdjustReason.OTHER: "其他",
}
"""What each reason is called."""


async def _apply(tx: Tx, body: Asked, approval: Approval) -> None:
    """Post what was approved, on the deciding transaction."""
    wish = Adjusting(
        id=body.adjustment_id,
        member_id=body.member_id,
        points=body.points,
        reason=body.reason,
        text=approval.reason,
        by=approval.asked_by,
        expires_on=body.expires_on,
        approval_id=approval.id,
    )
    await ledger.post_in(tx, await _plan(wish))
    _told(wish)


async def _apply_back(tx: Tx, body: AskedBack, approval: Approval) -> None:
    await transfers.reverse(tx, body.transfer_id, key=approval.id)


async def ask_back(transfer_id: str, reason: str, caller: StaffCaller, idem: Idempotency) -> Approval:
    """Ask a second person to take a transfer between members back; ``NotFound`` for none that this person reaches."""
    made = await transfers.get_reached(transfer_id, caller)
    return await _requested(
        BACK,
        AskedBack(made.id),
        caller=caller,
        reason=reason,
        store_id=caller.store_id,
        summary=f"撤回积分转赠 {made.points:,} 积分",
        key=idem.key,
    )


async def _plan(wish: Adjusting) -> Plan:
    now = clock.now()
    return await plan_at(wish, now, clock.local_date(now, settings().timezone))


async def plan_at(wish: Adjusting, now: datetime, on: date) -> Plan:
    """The adjustment as a plan of that moment; refused where it waited until its points' last day was over."""
    expires_on = wish.expires_on
    if (
        expires_on is not None
        and expires_on < on
        and await ledger_queries.find_document(wish.member_id, wish.id) is None
    ):
        raise invalid("/expires_on", "is over by now; ask again")
    if wish.points > 0 and expires_on is None:
        expires_on = await wallet.points_expire_on(PointsSource.ADJUSTMENT, on)
    debt = (await ledger_queries.get_balances(wish.member_id)).get(POINTS_DEBT, 0) if wish.points > 0 else 0
    return plans.adjust_points(wish, debt=debt, expires_on=expires_on, now=now, on=on)


def _told(wish: Adjusting) -> None:
    live.push(wish.member_id, "points_adjusted", {"points": wish.points})
    log.info("points.adjusted", adjustment_id=wish.id, points=wish.points, reason=wish.reason.value)


async def list_adjustments(member_id: int, *, limit: int) -> list[Document]:
    """What staff gave a member and took, newest first."""
    return await ledger_queries.list_documents(member_id, plans.ADJUSTMENT, states=["posted"], limit=limit)


approvals.declare(
    Kind(code=KIND, title="积分调整", permission=Permission.POINTS_ADJUST, body=Asked, apply=_apply),
    Kind(code=BACK, title="撤回积分转赠", permission=Permission.POINTS_ADJUST, body=AskedBack, apply=_apply_back),
)
