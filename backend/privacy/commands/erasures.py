"""The wish to be erased: asked for with proof, cools off, may be taken back; staff need a second person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec

from backend.approvals import service as approvals
from backend.approvals.types import Approval
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, events, ids, jobs, logging, trail
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.members import queries as members_queries
from backend.members import service as members
from backend.members.holding import AtStake, all_holdings
from backend.members.types import Member

from .. import queries
from ..errors import ErasureBlocked, ErasureProofNeeded, ErasureUnderWay, ErasureValueLeft
from ..events import ErasureAsked
from ..queries import merged
from ..queries.erasures import COLUMNS, ERASURE, erasure_of
from ..schemas import ErasureIn
from ..types import Erasure, ErasureState

log = logging.get(__name__)

KIND = "member_erasure"
JOB = "privacy.erase"


class Wish(msgspec.Struct, frozen=True):
    """What an approval of an erasure carries."""

    erasure_id: str
    member_id: int
    give_up: bool


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """What stands in the way of erasing a member, and what would be lost; called with the member locked.

    Of who was merged into them, what is under way under the number of before stands in the way: it still comes.
    """
    found: dict[str, AtStake] = {}
    for one in await merged.everybody(tx, member_id):
        for holding in all_holdings():
            stakes = await holding.at_stake(tx, one) if holding.at_stake is not None else []
            for stake in stakes:
                if stake.amount and (stake.blocks or one == member_id):
                    before = found.get(stake.code, replace(stake, amount=0))
                    found[stake.code] = replace(stake, amount=before.amount + stake.amount)
    return list(found.values())


async def look(member_id: int) -> list[AtStake]:
    """The same, to be shown."""
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        return await at_stake(tx, member_id)


async def ask(member_id: int, body: ErasureIn) -> Erasure:
    """Wish to be erased; asked again it is the wish that there is.

    Raises ``ErasureProofNeeded`` without PIN or phone code, ``ErasureBlocked`` or ``ErasureValueLeft`` with what it is.
    """
    if body.phone_code is not None:
        await members.check_own_phone(member_id, body.phone_code)
    elif body.pin is not None and await members_queries.has_pin(member_id):
        await members.check_pin(member_id, body.pin)
    else:
        raise ErasureProofNeeded
    async with db.transaction() as tx:
        return await begin(tx, ids.new_short("Q"), member_id, give_up=body.give_up)


async def begin(
    tx: Tx,
    erasure_id: str,
    member_id: int,
    *,
    give_up: bool,
    approval: Approval | None = None,
) -> Erasure:
    """Let a wish cool off; the one that there is, where there is one. Whoever calls has seen the proof."""
    await members.lock(tx, member_id)
    known = await db.fetch_in(tx, f"{ERASURE} WHERE member_id = $1 AND state <> ALL('{{withdrawn,lapsed}}')", member_id)
    if known:
        found = erasure_of(known[0])
        if found.state is not ErasureState.COOLING:
            raise ErasureUnderWay
        return found
    given_up = check(await at_stake(tx, member_id), give_up=give_up)
    now = clock.now()
    due_at = now + timedelta(days=settings().privacy_cooling_days)
    (member,) = await db.fetch_in(tx, "SELECT store_id FROM member WHERE id = $1", member_id)
    rows = await db.fetch_in(
        tx,
        "INSERT INTO privacy_erasure (id, member_id, state, store_id, staff_id, approved_by, reason, given_up,"
        f" asked_at, due_at) VALUES ($1, $2, 'cooling', $3, $4, $5, $6, $7, $8, $9) RETURNING {COLUMNS}",
        erasure_id,
        member_id,
        member["store_id"],
        approval.asked_by if approval else None,
        approval.decided_by if approval else None,
        approval.reason[:200] if approval else "",
        msgspec.json.encode([as_data(stake) for stake in given_up]).decode(),
        now,
        due_at,
    )
    await jobs.defer(tx, JOB, run_at=due_at, erasure_id=erasure_id)
    await events.publish(tx, ErasureAsked(member_id=member_id, erasure_id=erasure_id))
    trail.named(erasure_id, str(member_id))
    log.info("privacy.erasure_asked", erasure_id=erasure_id, by_staff=approval is not None)
    return erasure_of(rows[0])


def as_data(stake: AtStake) -> dict[str, object]:
    """A stake as it is kept and shown."""
    return {
        "code": stake.code,
        "title": stake.title,
        "amount": stake.amount,
        "unit": stake.unit,
        "blocks": stake.blocks,
    }


def check(stakes: Sequence[AtStake], *, give_up: bool) -> list[AtStake]:
    """What is given up; refused where something blocks, or value is left that is not expressly given up."""
    blocking = [stake for stake in stakes if stake.blocks]
    if blocking:
        raise ErasureBlocked(extra={"at_stake": [as_data(stake) for stake in blocking]})
    if stakes and not give_up:
        raise ErasureValueLeft(extra={"at_stake": [as_data(stake) for stake in stakes]})
    return list(stakes)


async def withdraw(member_id: int) -> None:
    """Take the wish back; ``NotFound`` where there is none, ``ErasureUnderWay`` where it is too late."""
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        rows = await db.fetch_in(
            tx, f"{ERASURE} WHERE member_id = $1 AND state IN ('cooling', 'erasing') FOR UPDATE", member_id
        )
        if not rows:
            raise NotFound("there is no wish to be erased")
        await _withdraw(tx, erasure_of(rows[0]))


async def _withdraw(tx: Tx, found: Erasure) -> None:
    if found.state is not ErasureState.COOLING:
        raise ErasureUnderWay
    await end(tx, found.id, ErasureState.WITHDRAWN)
    log.info("privacy.erasure_withdrawn", erasure_id=found.id)


async def end(tx: Tx, erasure_id: str, state: ErasureState, *, problem: str | None = None) -> None:
    """End a wish that way."""
    await db.raw(tx).execute(
        "UPDATE privacy_erasure SET state = $2, ended_at = $3, problem = $4 WHERE id = $1",
        erasure_id,
        state.value,
        clock.now(),
        problem,
    )


async def ask_for(member: Member, *, reason: str, give_up: bool, caller: StaffCaller, key: str) -> Approval:
    """Ask a second person to have a member erased, who asked staff for it; nothing happens before they decide."""
    wish = Wish(ids.short_of("Q", caller.staff_id, key), member.id, give_up)
    async with db.transaction() as tx:
        await members.lock(tx, member.id)
        check(await at_stake(tx, member.id), give_up=give_up)
        return await approvals.request(
            tx,
            KIND,
            wish,
            caller=caller,
            reason=reason,
            store_id=member.store_id,
            summary=f"注销会员 {member.member_no}",
            key=key,
        )


async def apply(tx: Tx, wish: Wish, approval: Approval) -> None:
    """Let it cool off, as if the member had asked on the phone."""
    await begin(tx, wish.erasure_id, wish.member_id, give_up=wish.give_up, approval=approval)


async def withdraw_for(erasure_id: str, caller: StaffCaller, reason: str) -> Erasure:
    """Take a wish back for its member; why stays with it."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{ERASURE} WHERE id = $1", erasure_id)
        if not rows or not caller.reaches(rows[0]["store_id"]):
            raise NotFound("there is no such erasure")
        await members.lock(tx, rows[0]["member_id"])
        rows = await db.fetch_in(tx, f"{ERASURE} WHERE id = $1 FOR UPDATE", erasure_id)
        found = erasure_of(rows[0])
        if found.state is not ErasureState.WITHDRAWN:
            await _withdraw(tx, found)
            await db.raw(tx).execute("UPDATE privacy_erasure SET reason = $2 WHERE id = $1", erasure_id, reason)
        trail.named(erasure_id)
    back = await queries.find_erasure(erasure_id)
    assert back is not None
    return back
