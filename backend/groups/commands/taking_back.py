"""A group's principal takes back of what was allotted whatever is not spent."""

from __future__ import annotations

from backend.auth.types import StaffCaller
from backend.kernel import clock, events, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import own_scope
from backend.members import queries as members

from .. import plans, queries, rules
from ..errors import AllotmentTooMuch
from ..events import AllotmentTakenBack
from ..types import Allotment, GroupRole
from . import groups, people
from .allotting import first_answer, post_both

log = logging.get(__name__)


async def as_principal(member_id: int, allotment_id: str, amount: int | None, idem: Idempotency) -> Answer[Allotment]:
    """The owner takes back what is not spent, or so much of it; once per key."""
    found = await queries.find_allotment(allotment_id)
    if found is None or await members.current_id(found.principal_id) != member_id:
        raise NotFound("there is no such allotment")
    scope = own_scope(found.principal_id)
    if (first := await first_answer(scope, idem)) is not None:
        return Answer(first, replayed=True)  # also to who owns the group no more
    await people.mine(member_id, GroupRole.OWNER)
    return await _take_back(found, amount, scope, idem)


async def as_staff(
    group_id: str, allotment_id: str, amount: int | None, caller: StaffCaller, idem: Idempotency
) -> Answer[Allotment]:
    """Staff take it back for the owner; once per key."""
    await groups.get_group(group_id, caller)
    found = await queries.find_allotment(allotment_id)
    if found is None or found.group_id != group_id:
        raise NotFound("there is no such allotment")
    return await _take_back(found, amount, f"staff/{caller.staff_id}", idem)


async def _take_back(found: Allotment, amount: int | None, scope: str, idem: Idempotency) -> Answer[Allotment]:
    if (first := await first_answer(scope, idem)) is not None:
        return Answer(first, replayed=True)

    async def work(tx: Tx) -> Allotment:
        made = await queries.lock_allotment(tx, found.id)
        holder_id = await members.current_id_in(tx, made.member_id)
        await ledger.hold_both(tx, made.principal_id, holder_id)
        now = clock.now()
        reverses, pairs = await _pairs(tx, made, holder_id, amount)
        back = sum(part for _, _, part in pairs)
        if back == 0 or (amount is not None and back < amount):
            raise AllotmentTooMuch("the member has not so much of it any more", extra={"left": back})
        halves = plans.take_back(
            made,
            pairs,
            holder_id=holder_id,
            scope=scope,
            key=idem.key,
            request_hash=idem.request_hash.hex(),
            reverses=reverses,
            now=now,
            on=clock.local_date(now, settings().timezone),
        )
        await post_both(tx, halves)
        after = await queries.note_taken(tx, made, back, now)
        event = AllotmentTakenBack(member_id=made.principal_id, allotment_id=made.id, taken=after.taken)
        await events.publish(tx, event)
        return after

    try:
        made = await ledger.with_fresh_books(work)
    except DomainError:
        if (first := await first_answer(scope, idem)) is not None:
            return Answer(first, replayed=True)
        raise
    log.info("groups.taken_back", allotment_id=made.id, taken=made.taken)
    return Answer(made)


async def _pairs(
    tx: Tx, made: Allotment, holder_id: int, amount: int | None
) -> tuple[int | None, list[tuple[int, int, int]]]:
    """What is left of it with whoever has it now, and the principal's lots that it goes back into: so much, or all;
    before it the transfer that is taken back.

    Nothing where the principal has it: they were merged with the one who got it.
    """
    if holder_id == await members.current_id_in(tx, made.principal_id):
        return None, []
    kinds = (plans.ALLOTTED, plans.TAKEN_BACK)
    first, out = await ledger_queries.net_moves_in(tx, made.principal_id, made.id, kinds)
    theirs = await ledger_queries.open_lots_of_in(tx, holder_id, made.id)
    return first, rules.pair_back(theirs, [(lot, rank, -net) for lot, rank, net in out], amount)
