"""Staff hand a member's archive out, who stands there and has no phone to fetch it with.

Who stands there is proved by a code of their phone or of their number; or by papers, which are looked at and filed,
and then a second person decides. Whoever asked fetches it, for a while; the member is told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec

from backend.approvals import service as approvals
from backend.approvals.types import Approval
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, events, guessing, ids, logging, trail
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members_queries
from backend.members import service as members
from backend.members.errors import MemberNotPresent

from .. import queries
from ..errors import ExportGone, ExportNotReady, HandoutNotGranted
from ..events import ExportHandedOut
from ..queries.handouts import HANDOUT, handout_of
from ..schemas import HandoutIn
from ..types import Export, ExportState, Handout, HandoutState, Proof
from . import exports

log = logging.get(__name__)

KIND = "privacy_handout"
WITHIN = timedelta(minutes=30)
"""How long who asked fetches it, with the member there."""
WITHIN_APPROVED = timedelta(hours=24)
"""The same where a second person had to decide first."""
SECOND = {"never": frozenset[Proof](), "paper": frozenset({Proof.PAPER}), "always": frozenset(Proof)}
"""Which proofs need a second person, by the setting."""

_INSERT = """
INSERT INTO privacy_handout (id, export_id, member_id, store_id, staff_id, proof, reason, state, approval_id, asked_at,
                             until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""


class AskedHandout(msgspec.Struct, frozen=True):
    """What an approval carries."""

    handout_id: str
    member_id: int


async def ask(export_id: str, body: HandoutIn, caller: StaffCaller, *, key: str) -> Handout:
    """Hand an archive out, once per person and key; or ask a second person, as the setting says.

    Raises ``NotFound`` for another store's, ``ExportNotReady``, ``ExportGone``, what is wrong with the proof, and
    ``MemberNotPresent`` where it is somebody else's.
    """
    handout_id = ids.short_of("H", caller.staff_id, key)
    if (known := await queries.find_handout(handout_id)) is not None:
        return _same(known, export_id)
    found = await _reached(export_id, caller)
    _check_ready(found)
    proof, present = await _proof(found, body, caller)
    async with db.transaction() as tx:
        await members.lock(tx, found.member_id)
        if rows := await db.fetch_in(tx, f"{HANDOUT} WHERE id = $1", handout_id):  # the same request at this moment
            return _same(handout_of(rows[0]), export_id)
        if present is not None:
            await members.spend_presence(tx, present, store_id=caller.store_id, at=clock.now())
        await _write(tx, handout_id, found, body, proof, caller, key)
        trail.named(handout_id, str(found.member_id))
        trail.said(proof=proof.value)
    log.info("privacy.handout_asked", handout_id=handout_id, proof=proof.value, staff_id=caller.staff_id)
    return await get(handout_id)


def _same(known: Handout, export_id: str) -> Handout:
    if known.export_id != export_id:
        raise IdempotencyConflict
    return known


async def get(handout_id: str) -> Handout:
    """One; ``NotFound`` for none."""
    found = await queries.find_handout(handout_id)
    if found is None:
        raise NotFound("there is no such hand-out")
    return found


async def _reached(export_id: str, caller: StaffCaller) -> Export:
    found = await exports.get(export_id)
    member = await members_queries.find_member(found.member_id)
    if member is None or not caller.reaches(member.store_id):
        raise NotFound("there is no such archive")
    return found


def _check_ready(found: Export) -> None:
    if found.state is ExportState.WAITING:
        raise ExportNotReady
    if found.state is not ExportState.READY or found.until is None or found.until <= clock.now():
        raise ExportGone


async def _proof(found: Export, body: HandoutIn, caller: StaffCaller) -> tuple[Proof, members.Present | None]:
    """How it is known who stands there; wrong codes count as guesses."""
    if body.code is None and body.phone_code is None:
        return Proof.PAPER, None
    guessing.check(caller.staff_id)
    try:
        present = await members.find_present(body.code, body.phone_code)
    except DomainError:
        await guessing.miss(caller.staff_id, "code")
        raise
    if present.member_id != found.member_id:
        await guessing.miss(caller.staff_id, "code")
        raise MemberNotPresent
    return (Proof.CODE if body.code is not None else Proof.PHONE), present


async def _write(
    tx: Tx, handout_id: str, found: Export, body: HandoutIn, proof: Proof, caller: StaffCaller, key: str
) -> None:
    now, approval = clock.now(), None
    (member,) = await db.fetch_in(tx, "SELECT store_id, member_no FROM member WHERE id = $1", found.member_id)
    if proof in SECOND[settings().privacy_handout_second]:
        approval = await approvals.request(
            tx,
            KIND,
            AskedHandout(handout_id, found.member_id),
            caller=caller,
            reason=body.reason,
            store_id=member["store_id"],
            summary=f"向会员 {member['member_no']} 当面交付个人数据",
            key=key,
        )
    state = HandoutState.WAITING if approval else HandoutState.GRANTED
    until = None if approval else now + WITHIN
    named = (handout_id, found.id, found.member_id, member["store_id"], caller.staff_id)
    await db.raw(tx).execute(
        _INSERT, *named, proof.value, body.reason, state.value, approval.id if approval else None, now, until
    )
    if approval is None:
        await _tell(tx, found.member_id, handout_id)


async def _tell(tx: Tx, member_id: int, handout_id: str) -> None:
    await events.publish(tx, ExportHandedOut(member_id=member_id, handout_id=handout_id))


async def apply(tx: Tx, body: AskedHandout, approval: Approval) -> None:
    """Let who asked fetch it; ``ExportGone`` where it is there no more."""
    found = await _waiting(tx, body.handout_id)
    export = await exports.get(found.export_id)
    _check_ready(export)
    await db.raw(tx).execute(
        "UPDATE privacy_handout SET state = 'granted', approved_by = $2, until = $3 WHERE id = $1",
        found.id,
        approval.decided_by,
        clock.now() + WITHIN_APPROVED,
    )
    await _tell(tx, found.member_id, found.id)


async def refuse(tx: Tx, body: AskedHandout, approval: Approval) -> None:
    """Nobody fetches it."""
    found = await _waiting(tx, body.handout_id)
    await db.raw(tx).execute("UPDATE privacy_handout SET state = 'refused' WHERE id = $1", found.id)


async def _waiting(tx: Tx, handout_id: str) -> Handout:
    rows = await db.fetch_in(tx, f"{HANDOUT} WHERE id = $1 FOR UPDATE", handout_id)
    if not rows or rows[0]["state"] != HandoutState.WAITING:
        raise HandoutNotGranted
    return handout_of(rows[0])


async def fetch(handout_id: str, caller: StaffCaller) -> tuple[str, AsyncIterator[bytes]]:
    """The archive's id, and it piece by piece: to who asked for it alone, within its time, while
    they reach its member still; when first is kept."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{HANDOUT} WHERE id = $1 FOR UPDATE", handout_id)
        if not rows or rows[0]["staff_id"] != caller.staff_id:
            raise NotFound("there is no such hand-out")
        found, now = handout_of(rows[0]), clock.now()
        if found.until is None or found.until <= now:
            raise HandoutNotGranted
        _check_ready(await _reached(found.export_id, caller))
        await db.raw(tx).execute(
            "UPDATE privacy_handout SET state = 'fetched', fetched_at = coalesce(fetched_at, $2) WHERE id = $1",
            handout_id,
            now,
        )
        trail.named(found.export_id, str(found.member_id))
    log.info("privacy.handout_fetched", handout_id=handout_id, staff_id=caller.staff_id)
    return found.export_id, exports.opened(found.export_id)
