"""A group's principal allots stored value or points to its people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.approvals import service as approvals
from backend.approvals.types import Alone
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, invalid
from backend.kernel.http import Answer, Idempotency
from backend.kernel.paging import Place
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, IdempotencyConflict, Stale
from backend.ledger.plans import Plan, own_scope
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.errors import PinRequired

from .. import letters, plans, queries
from ..errors import AllotmentLimit, AllotmentOver, AllotmentTooMuch
from ..schemas import AllotIn
from ..types import Allotment, AllotmentKind, Group, GroupRole, SubMember
from . import groups, people

log = logging.get(__name__)


async def as_principal(member_id: int, body: AllotIn, pin: str | None, idem: Idempotency) -> Answer[Allotment]:
    """The owner of a group allots on the phone, with the payment PIN; once per key."""
    scope = own_scope(member_id)
    if (first := await first_answer(scope, idem)) is not None:
        return Answer(first, replayed=True)  # also to who owns the group no more
    person, group = await people.mine(member_id, GroupRole.OWNER)
    if not await members.has_pin(member_id):
        raise PinRequired("set a payment PIN first")
    await member_service.check_pin(member_id, pin, spends_fen=_worth_fen(body))
    return await allot(group, person, body, idem, scope=scope, staff_id=None)


def _worth_fen(body: AllotIn) -> int:
    """What it takes of the allowance of a PIN that was reset a short while ago."""
    if body.kind is AllotmentKind.STORED:
        return body.amount
    return body.amount * settings().point_value_fen_bp // 10_000


async def as_staff(group_id: str, body: AllotIn, caller: StaffCaller, idem: Idempotency) -> Answer[Allotment]:
    """Staff allot for a group, out of what its owner has; once per key."""
    group = await groups.get_group(group_id, caller)
    owner = await queries.find_owner(group_id)
    if owner is None:
        raise AllotmentOver("the group has no owner")
    scope = f"staff/{caller.staff_id}"
    if (first := await first_answer(scope, idem)) is not None:
        return Answer(first, replayed=True)
    return await allot(group, owner, body, idem, scope=scope, staff_id=caller.staff_id, alone=True)


def decided_alone(amounts: Mapping[AllotmentKind, int]) -> list[Alone]:
    """What one person of the staff allots, as what they decide alone on a day."""
    chain = settings()
    return [
        Alone("group_stored", amounts.get(AllotmentKind.STORED, 0), chain.group_allot_alone_max_fen),
        Alone("group_points", amounts.get(AllotmentKind.POINTS, 0), chain.group_allot_alone_max_points),
    ]


async def allot(
    group: Group,
    owner: SubMember,
    body: AllotIn,
    idem: Idempotency,
    *,
    scope: str,
    staff_id: int | None,
    alone: bool = False,
) -> Answer[Allotment]:
    """Move it from the owner to somebody of the group, once per scope and key.

    ``alone``: the person of the staff decides it now, by themselves, and their day counts it.
    """
    most, day_cap = limits(body.kind)
    if body.amount > most:
        raise AllotmentLimit(f"at most {most} at once", extra={"limit": "allotment"})
    person = await queries.find_person(group.id, body.person_id)
    if person is None or person.member_id == owner.member_id:
        raise invalid("/person_id", "is nobody else of this group")
    allotment_id = ids.new_document_id(plans.PREFIX, owner.member_id)
    wished = decided_alone({body.kind: body.amount})

    async def work(tx: Tx) -> Allotment:
        now = clock.now()
        on = clock.local_date(now, settings().timezone)
        made = Allotment(
            id=allotment_id,
            group_id=group.id,
            principal_id=owner.member_id,
            member_id=person.member_id,
            kind=body.kind,
            amount=body.amount,
            taken=0,
            staff_id=staff_id,
            note=body.note,
            at=now,
            updated_at=now,
        )
        await _check_belong(tx, made)
        await ledger.hold_both(tx, made.principal_id, made.member_id)
        lots = await ledger_queries.open_lots_in(tx, made.principal_id, [plans.account_of(made.kind)])
        taken = plans.take(lots, made.amount, on)
        if taken is None:
            raise AllotmentTooMuch
        halves = plans.allot(
            made,
            taken,
            scope=scope,
            key=idem.key,
            request_hash=idem.request_hash.hex(),
            day_cap=day_cap,
            holds_most=_holds_most(),
            on=on,
        )
        await post_both(tx, halves)
        await queries.insert_allotment(tx, made)
        await letters.tell_of_allotment(tx, made, group.name)
        if alone and staff_id is not None and not await approvals.count_alone(tx, staff_id, wished):
            raise AllotmentLimit(
                "more than one person allots alone in a day; a table is approved by a second one",
                extra={"limit": "alone"},
            )
        return made

    try:
        made = await ledger.with_fresh_books(work)
    except GuardRefused as refused:
        limit = "day" if refused.refusal == plans.DAY else "holds"
        raise AllotmentLimit(extra={"limit": limit}) from refused
    except DomainError:
        if (first := await first_answer(scope, idem)) is not None:
            return Answer(first, replayed=True)
        raise
    live.push(made.member_id, "allotment_received", {"kind": made.kind.value, "amount": made.amount})
    log.info("groups.allotted", allotment_id=made.id, kind=made.kind.value, amount=made.amount)
    return Answer(made)


async def _check_belong(tx: Tx, made: Allotment) -> None:
    """Both belong to the group, which is open; none of it changes before the transaction ends."""
    rows = await db.fetch_in(
        tx,
        "SELECT m.member_id, m.role FROM group_member m JOIN group_account g ON g.id = m.group_id"
        " WHERE m.group_id = $1 AND m.member_id = ANY($2) AND m.left_at IS NULL AND g.state = 'open'"
        " ORDER BY m.id FOR SHARE OF m",
        made.group_id,
        [made.principal_id, made.member_id],
    )
    roles = {row["member_id"]: row["role"] for row in rows}
    if len(roles) != 2 or roles[made.principal_id] != GroupRole.OWNER:
        raise AllotmentOver


def limits(kind: AllotmentKind) -> tuple[int, int]:
    """What may be allotted at once, and by one principal in a day."""
    chain = settings()
    if kind is AllotmentKind.STORED:
        return chain.group_allot_max_fen, chain.group_allot_day_fen
    return chain.group_allot_max_points, chain.group_allot_day_points


def _holds_most() -> tuple[int, tuple[str, ...]] | None:
    chain = settings()
    if not chain.stored_limit_fen:
        return None
    return chain.stored_limit_fen, () if chain.stored_limit_counts == "total" else ("principal",)


async def first_answer(scope: str, idem: Idempotency) -> Allotment | None:
    """What the same request did before, or None; ``IdempotencyConflict`` for another."""
    known = await ledger_queries.find_known(scope, idem.key)
    if known is None:
        return None
    found = await queries.find_allotment(known.result.document_id or "")
    if known.hash != idem.request_hash or found is None:
        raise IdempotencyConflict
    return found


async def post_both(tx: Tx, halves: Iterable[Plan]) -> None:
    """Both halves, by member ascending, in which order every transaction locks their books."""
    for plan in sorted(halves, key=lambda half: half.member_id):
        posted = await ledger.post_in(tx, plan)
        if posted.replayed:
            raise Stale  # the same request at the same moment: its answer is found


async def list_of_group(group_id: str, *, before: Place | None, limit: int) -> list[Allotment]:
    """What was allotted in a group, newest first."""
    return await queries.list_allotments(group_id, before=before, limit=limit)


async def list_mine(member_id: int, *, before: Place | None, limit: int) -> list[Allotment]:
    """What the owner allotted out of their own, newest first; of an owner before only staff are told."""
    _, group = await people.mine(member_id, GroupRole.OWNER)
    books = await members.ids_of(member_id)
    return await queries.list_allotments(group.id, before=before, limit=limit, out_of=books)
