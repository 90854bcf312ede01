"""Passes that a recharge earns: its event queues a job, because no product may stay locked among many other events."""

from __future__ import annotations

from backend.kernel import clock, db, jobs, logging
from backend.kernel.db import Tx
from backend.ledger.errors import IdempotencyConflict, MemberInactive
from backend.ledger.plans import job_hash
from backend.members import service as members

from .. import queries, service
from ..errors import PassProductConflict

log = logging.get(__name__)

JOB = "passes.give_earned"


async def note_earned(tx: Tx, member_id: int, recharge_id: str, pay_fen: int) -> None:
    """Queue what a recharge of that size earns; mostly nothing."""
    for offer in (await queries.offered()).values():
        least = offer.terms.earned_by_recharge_fen
        if least is not None and pay_fen >= least:
            await jobs.defer(tx, JOB, member_id=member_id, product_id=offer.product_id, recharge_id=recharge_id)


async def give_earned(member_id: int, product_id: str, recharge_id: str) -> None:
    """Give a member what a recharge earned, once; nothing where the product is sold no more, or they are shut out.

    The recharge is the key: where a job gave it before and died, and its member was merged since, the other has it.
    """
    try:
        async with db.transaction() as tx:
            member_id = await members.hold_current(tx, member_id)
            await service.give_in(
                tx,
                member_id,
                product_id,
                f"recharge:{recharge_id}",
                scope=f"pass_earned/{product_id}",
                key=recharge_id,
                request_hash=job_hash("earned", product_id, member_id, recharge_id),
                at=clock.now(),
            )
    except (PassProductConflict, MemberInactive, IdempotencyConflict) as refused:
        log.info("passes.not_earned", product_id=product_id, code=refused.code)
