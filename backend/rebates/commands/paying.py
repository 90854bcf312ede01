"""Closed statements are paid, some members at a time, each once: its id is the key under which the books take it."""

from __future__ import annotations

from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError
from backend.ledger import service as ledger
from backend.members import service as members
from backend.members.types import Status

from .. import plans
from ..queries import statements
from ..types import Run

log = logging.get(__name__)

AT_ONCE = 100

ERASED = "member_erased"
"""Why nobody is paid who gave up what would have come."""


async def step(tx: Tx, run: Run) -> None:
    """Pay the next statements of a run, whose row the caller holds; without any the run is paid."""
    holder_ids = await statements.list_unpaid_holders(tx, run.id, AT_ONCE)
    now = clock.now()
    on = clock.local_date(now, settings().timezone)
    if not holder_ids:
        await db.raw(tx).execute("UPDATE rebate_run SET state = 'paid', ended_at = $2 WHERE id = $1", run.id, now)
        log.info("rebates.run_paid", run_id=run.id, paid=run.paid)
        return
    held = await members.lock_held(tx, holder_ids)  # before their statements, as merges and erasures do
    due = await statements.lock_unpaid(tx, run.id, holder_ids, AT_ONCE)
    gone = {one.member_id for one in held if one.status is Status.ERASED}
    answers = iter(
        await ledger.post_many_in(
            tx,
            [plans.pay(one, body.paid, body.costs, now=now, on=on) for one, body in due if one.holder_id not in gone],
        )
    )
    refusals = [ERASED if one.holder_id in gone else _refusal(next(answers)) for one, _ in due]
    await db.raw(tx).execute(
        "UPDATE rebate_statement s SET refusal = w.refusal, expires_on = w.expires_on,"
        " paid_at = CASE WHEN w.refusal IS NULL THEN $2::timestamptz END"
        " FROM unnest($3::text[], $4::text[], $5::date[]) AS w (id, refusal, expires_on)"
        " WHERE s.run_id = $1 AND s.id = w.id",
        run.id,
        now,
        [one.id for one, _ in due],
        refusals,
        [plans.first_end(body.paid, on) for _, body in due],
    )
    paid = [one for (one, _), refusal in zip(due, refusals, strict=True) if refusal is None]
    await db.raw(tx).execute(
        "UPDATE rebate_run SET paid = paid + $2, paid_fen = paid_fen + $3, refused = refused + $4 WHERE id = $1",
        run.id,
        len(paid),
        sum(one.payout_fen for one in paid),
        len(due) - len(paid),
    )
    for refusal in sorted({refusal for refusal in refusals if refusal}):
        log.warning("rebates.not_paid", run_id=run.id, refusal=refusal, statements=refusals.count(refusal))


def _refusal(answer: object) -> str | None:
    return answer.code if isinstance(answer, DomainError) else None
