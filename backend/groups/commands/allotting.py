"""A group's principal allots stored value or points to its people, and takes back what they have not spent."""

from __future__ import annotations

from collections.abc import Iterable

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound, invalid
from backend.kernel.http import Answer, Idempotency
from backend.kernel.paging import Place
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, IdempotencyConflict, Stale
from backend.ledger.plans import Plan
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.errors import PinRequired

from .. import plans, queries
from ..errors import AllotmentLimit, AllotmentOver, AllotmentTooMuch
from ..schemas import AllotIn
from ..types import Allotment, AllotmentKind, Group, GroupRole, SubMember
from . import groups, people

log = logging.get(__name__)


async def as_principal(member_id: int, body: AllotIn, pin: str | None, idem: Idempotency) -> Answer[Allotment]:
    """The owner of a group allots on the phone, with the payment PIN; once per key."""
    person, group = await people.mine(member_id, GroupRole.OWNER)
    scope = f"member/{member_id}"
    if (first := await _first(person.member_id, scope, idem)) is not None:
        return Answer(first, replayed=True)
    if not await members.has_pin(member_id):
        raise PinRequired("set a payment PIN first")
    await member_service.check_pin(member_id, pin)
    return await _allot(group, person, body, idem, scope=scope, staff_id=None)


async def as_staff(group_id: str, body: AllotIn, caller: StaffCaller, idem: Idempotency) -> Answer[Allotment]:
    """Staff allot for a group, out of what its owner has; once per key."""
    group = await groups.get_group(group_id, caller)
    owner = await queries.find_owner(group_id)
    if owner is None:
        raise AllotmentOver("the group has no owner")
    scope = f"staff/{caller.staff_id}"
    if (first := await _first(owner.member_id, scope, idem)) is not None:
        return Answer(first, replayed=True)
    return await _allot(group, owner, body, idem, scope=scope, staff_id=caller.staff_id)


async def _allot(
    group: Group, owner: SubMember, body: AllotIn, idem: Idempotency, *, scope: str, staff_id: int | None
) -> Answer[Allotment]:
    most, day_cap = _limits(body.kind)
    if body.amount > most:
        raise AllotmentLimit(f"at most {most} at once", extra={"limit": "allotment"})
    person = await queries.find_person(group.id, body.person_id)
    if person is None or person.member_id == owner.member_id:
        raise invalid("/person_id", "is nobody else of this group")
    allotment_id = ids.new_document_id(plans.PREFIX, owner.member_id)

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
        await _post(tx, halves)
        await queries.insert_allotment(tx, made)
        return made

    try:
        made = await ledger.with_fresh_books(work)
    except GuardRefused as refused:
        limit = "day" if refused.refusal == plans.DAY else "holds"
        raise AllotmentLimit(extra={"limit": limit}) from refused
    except DomainError:
        if (first := await _first(owner.member_id, scope, idem)) is not None:
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


def _limits(kind: AllotmentKind) -> tuple[int, int]:
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


async def _first(principal_id: int, scope: str, idem: Idempotency) -> Allotment | None:
    known = await ledger_queries.find_own_key(principal_id, scope, idem.key)
    if known is None:
        return None
    found = await queries.find_allotment(known.result.document_id or "")
    if known.hash != idem.request_hash or found is None:
        raise IdempotencyConflict
    return found


async def _post(tx: Tx, halves: Iterable[Plan]) -> None:
    """Both halves, by member ascending, in which order every transaction locks their books."""
    for plan in sorted(halves, key=lambda half: half.member_id):
        posted = await ledger.post_in(tx, plan)
        if posted.replayed:
            raise Stale  # the same request at the same moment: its answer is found


# -- taking back


async def take_back_as_principal(member_id: int, allotment_id: str, amount: int | None) -> Allotment:
    """The owner takes back what is not spent, or so much of it."""
    await people.mine(member_id, GroupRole.OWNER)
    found = await queries.find_allotment(allotment_id)
    if found is None or found.principal_id != member_id:
        raise NotFound("there is no such allotment")
    return await _take_back(allotment_id, amount)


async def take_back_as_staff(group_id: str, allotment_id: str, amount: int | None, caller: StaffCaller) -> Allotment:
    """Staff take it back for the owner."""
    await groups.get_group(group_id, caller)
    found = await queries.find_allotment(allotment_id)
    if found is None or found.group_id != group_id:
        raise NotFound("there is no such allotment")
    return await _take_back(allotment_id, amount)


async def _take_back(allotment_id: str, amount: int | None) -> Allotment:
    async def work(tx: Tx) -> Allotment:
        made = await queries.lock_allotment(tx, allotment_id)
        await ledger.hold_both(tx, made.principal_id, made.member_id)
        now = clock.now()
        pairs, reverses = await _pairs(made, amount)
        back = sum(part for _, _, part in pairs)
        if back == 0 or (amount is not None and back < amount):
            raise AllotmentTooMuch("the member has not so much of it any more", extra={"left": back})
        on = clock.local_date(now, settings().timezone)
        await _post(tx, plans.take_back(made, pairs, reverses=reverses, now=now, on=on))
        return await queries.note_taken(tx, made, back, now)

    made = await ledger.with_fresh_books(work)
    log.info("groups.taken_back", allotment_id=made.id, taken=made.taken)
    return made


async def _pairs(made: Allotment, amount: int | None) -> tuple[list[tuple[int, int, int]], int | None]:
    """What is left of each lot that the allotment gave, with the lot that it came from: as much as is wanted."""
    transfer, moves = await ledger_queries.find_moves(made.principal_id, made.id, plans.ALLOTTED)
    mine = [lot for lot, moved in moves if moved < 0]
    theirs = await ledger_queries.list_lots_of(made.member_id, made.id)
    left = sum(lot.remaining for lot in theirs) if amount is None else amount
    found: list[tuple[int, int, int]] = []
    for there, home in zip(theirs, mine, strict=False):
        if part := min(left, there.remaining):
            found.append((there.lot_id, home.lot_id, part))
            left -= part
    return found, transfer


async def list_of_group(group_id: str, *, before: Place | None, limit: int) -> list[Allotment]:
    """What was allotted in a group, newest first."""
    return await queries.list_allotments(group_id, before=before, limit=limit)


async def list_mine(member_id: int, *, before: Place | None, limit: int) -> list[Allotment]:
    """What the owner's group was allotted, newest first."""
    _, group = await people.mine(member_id, GroupRole.OWNER)
    return await queries.list_allotments(group.id, before=before, limit=limit)
