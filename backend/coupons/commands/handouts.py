"""Staff give a coupon to a list of members or to a segment: a job works through it, and each gets one, however often it
is taken up. Whoever was merged since they were named is who they are now.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from backend.auth import queries as auth
from backend.kernel import clock, db, ids, jobs, logging
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound, invalid
from backend.kernel.http import Idempotency
from backend.ledger.errors import IdempotencyConflict, MemberUnknown
from backend.ledger.plans import job_hash
from backend.members import queries as members

from .. import locks, queries, service
from ..errors import TemplateConflict
from ..plans import Wish
from ..records import Handout, TemplateState
from ..schemas import HandoutIn
from ..service import AT_ONCE, Outcome
from . import telling
from .templates import HAND_OUT

log = logging.get(__name__)


class _Segment(msgspec.Struct, frozen=True):
    """Active members of a store and of levels; None and nothing do not limit."""

    store_id: str | None = None
    levels: tuple[str, ...] = ()


async def begin_handout(template_id: str, body: HandoutIn, staff_id: int, idem: Idempotency) -> tuple[Handout, bool]:
    """Store whom it is for and queue its job, once per key; True where that was done before."""
    members_named, segment, total = await _whom(body)
    handout_id = ids.new_short("J")
    async with db.transaction() as tx:
        template = await locks.lock_template(tx, template_id)
        known = await db.fetch_in(
            tx, "SELECT id, hash FROM coupon_handout WHERE staff_id = $1 AND key = $2", staff_id, idem.key
        )
        if known and bytes(known[0]["hash"]) != idem.request_hash:
            raise IdempotencyConflict
        if not known:
            now = clock.now()
            if template.state is not TemplateState.ACTIVE:
                raise TemplateConflict(f"the template is {template.state.value}")
            if not service.is_open(template, now):
                raise TemplateConflict("the template does not issue yet, or not any more")
            await db.raw(tx).execute(
                "INSERT INTO coupon_handout (id, template_id, staff_id, key, hash, members, segment, total, created_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                handout_id,
                template_id,
                staff_id,
                idem.key,
                idem.request_hash,
                members_named,
                msgspec.json.encode(segment).decode() if segment else None,
                total,
                now,
            )
            await queries.changes.note(
                tx, template_id, staff_id, "handout", {"handout": handout_id, "members": total}, now
            )
            await jobs.defer(tx, HAND_OUT, handout_id=handout_id)
    return await get_handout(known[0]["id"] if known else handout_id), bool(known)


async def _whom(body: HandoutIn) -> tuple[list[int] | None, _Segment | None, int]:
    """The members that are named, or the segment; and how many they are now."""
    if (body.member_ids is None) == (body.segment is None):
        raise invalid("/member_ids", "give either member_ids or segment")
    if body.segment is not None:
        await auth.check_store(body.segment.store_id, "/segment/store_id")
        segment = _Segment(body.segment.store_id, body.segment.levels)
        return None, segment, await members.count_segment(segment.store_id, segment.levels)
    named: dict[int, None] = {}
    for index, text in enumerate(body.member_ids or ()):
        member_id = ids.read_bigint(text)
        if member_id is None:
            raise invalid(f"/member_ids/{index}", "is no member's id")
        named[member_id] = None
    return list(named), None, len(named)


async def hand_out(handout_id: str) -> None:
    """Work through a list from where it stands, so many members a transaction.

    While the template is paused the list waits: whoever activates or ends it queues the job anew.
    """
    more = True
    while more:
        async with db.transaction() as tx:
            done = await _next_chunk(tx, handout_id)
        if done is None:
            return
        await telling.issued_to(done.template_id, done.wishes, done.outcomes)
        more = done.more
    log.info("coupons.handed_out", handout_id=handout_id)


class _Chunk(msgspec.Struct, frozen=True):
    """What came of the next members of a list, and whether there may be more."""

    template_id: str
    wishes: list[Wish]
    outcomes: list[Outcome]
    more: bool


async def _next_chunk(tx: Tx, handout_id: str) -> _Chunk | None:
    """Issue to those who come next and write down how far that is; None when nothing is left to do now."""
    rows = await db.fetch_in(
        tx,
        "SELECT template_id, members[done + 1 : done + $2] AS named, segment, after, refused"
        " FROM coupon_handout WHERE id = $1 AND finished_at IS NULL FOR UPDATE",
        handout_id,
        AT_ONCE,
    )
    if not rows:
        return None
    row = rows[0]
    template = await locks.lock_template(tx, row["template_id"])
    if template.state is TemplateState.PAUSED:
        return None
    chunk = row["named"] if row["segment"] is None else await _of_segment(row["segment"], row["after"])
    now_of = await members.current_ids(chunk)
    wishes = [_wish(handout_id, now_of.get(member_id, member_id)) for member_id in chunk]
    outcomes = await service.issue(tx, row["template_id"], wishes)
    service.raise_if_unavailable(outcomes)
    refused = Counter(msgspec.json.decode(row["refused"], type=dict[str, int]))
    refused.update(_code(outcome) for outcome in outcomes if isinstance(outcome, DomainError))
    done = len(chunk) < AT_ONCE
    await db.raw(tx).execute(
        "UPDATE coupon_handout SET done = done + $2, issued = issued + $3, refused = $4, after = $5, finished_at = $6"
        " WHERE id = $1",
        handout_id,
        len(outcomes),
        sum(not isinstance(outcome, DomainError) for outcome in outcomes),
        msgspec.json.encode(dict(refused)).decode(),
        chunk[-1] if chunk else row["after"],
        clock.now() if done else None,
    )
    return _Chunk(row["template_id"], wishes, outcomes, not done)


async def _of_segment(segment: str, after: int) -> list[int]:
    wanted = msgspec.json.decode(segment, type=_Segment)
    return await members.list_segment(wanted.store_id, wanted.levels, after=after, limit=AT_ONCE)


def _wish(handout_id: str, member_id: int) -> Wish:
    return Wish(
        member_id=member_id,
        coupon_id=service.new_coupon_id(member_id),
        source=f"staff:{handout_id}",
        scope="coupon_handout",
        key=f"{handout_id}:{member_id}",
        hash=job_hash("handout", handout_id, member_id),
    )


def _code(refusal: DomainError) -> str:
    return "member_unknown" if isinstance(refusal, MemberUnknown) else refusal.code


async def get_handout(handout_id: str) -> Handout:
    """How far a handout has got; ``NotFound`` for none."""
    found = await queries.find_handout(handout_id)
    if found is None:
        raise NotFound("there is no such handout")
    return found
