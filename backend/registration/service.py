"""What changes memberships on a transaction that the caller opened: their days, and the status that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import msgspec

from backend.kernel import clock, events
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.members import service as members
from backend.members.bulk import UNCHANGED, BulkBy
from backend.members.types import SYSTEM, Actor, Status, Validity

from .events import MembershipEnded, MembershipResumed
from .rules import validity as rules
from .schemas.batches import ExtendValidity, NoMore, SetValidity

NOT_REGISTERED = "not_registered"
_NOBODY = frozenset({Status.NONE, Status.MERGED, Status.ERASED})
"""Who was a member when the batch was written down, and is none by now."""


def today() -> date:
    """The chain's day."""
    return clock.local_date(clock.now(), settings().timezone)


async def set_validity(tx: Tx, member_ids: Sequence[int], body: SetValidity, by: BulkBy) -> Mapping[int, str]:
    """Let memberships be good for these days."""
    wanted = Validity(body.valid_from, body.valid_until)
    return await _revalidate(tx, member_ids, lambda _: wanted, by)


async def extend_validity(tx: Tx, member_ids: Sequence[int], body: ExtendValidity, by: BulkBy) -> Mapping[int, str]:
    """Let memberships be good for longer; those without an end stay so."""
    on = today()
    return await _revalidate(tx, member_ids, lambda now: rules.extended(now, body.months, body.days, on), by)


async def _revalidate(
    tx: Tx, member_ids: Sequence[int], of: Callable[[Validity], Validity], by: BulkBy
) -> Mapping[int, str]:
    left: dict[int, str] = {}
    changed: list[tuple[members.Held, Validity]] = []
    for held in await members.lock_held(tx, member_ids):
        after = of(held.validity)
        if held.status in _NOBODY:
            left[held.member_id] = NOT_REGISTERED
        elif after == held.validity:
            left[held.member_id] = UNCHANGED
        else:
            changed.append((held, after))
    actor = Actor.staff(by.staff_id)
    await members.set_validity(tx, changed, by=actor, reason=by.reason)
    after_it = [msgspec.structs.replace(held, validity=after) for held, after in changed]
    await follow(tx, after_it, by=actor, reason=by.reason)
    return left


async def follow(
    tx: Tx, held: Sequence[members.Held], *, by: Actor = SYSTEM, reason: str | None = None
) -> list[members.Held]:
    """Put members, whom the caller holds, into the status that their days ask for; those that were in another."""
    on, moves = today(), dict[Status, list[members.Held]]()
    for one in held:
        status = one.validity.status_of(one.status, on)
        if status is not one.status:
            moves.setdefault(status, []).append(one)
    for status, moved in moves.items():
        await members.set_statuses(tx, moved, status, by=by, reason=reason)
        await events.publish_many(tx, [told for one in moved if (told := _told(one, status, on)) is not None])
    return [one for moved in moves.values() for one in moved]


def _told(held: members.Held, status: Status, on: date) -> events.Event | None:
    """What the member hears; nothing where the membership has not begun: it is told when it does."""
    until = held.validity.valid_until
    if status is Status.ACTIVE:
        return MembershipResumed(member_id=held.member_id, valid_until=until)
    return MembershipEnded(member_id=held.member_id, valid_until=until) if until is not None and until < on else None


async def freeze(tx: Tx, member_ids: Sequence[int], _body: NoMore, by: BulkBy) -> Mapping[int, str]:
    """Shut members out until somebody of the staff lets them in again."""
    return await _move(tx, member_ids, frozenset({Status.ACTIVE, Status.EXPIRED}), Status.FROZEN, by)


async def unfreeze(tx: Tx, member_ids: Sequence[int], _body: NoMore, by: BulkBy) -> Mapping[int, str]:
    """Let frozen members in again; whose days are over is expired then."""
    return await _move(tx, member_ids, frozenset({Status.FROZEN}), Status.ACTIVE, by)


async def _move(
    tx: Tx, member_ids: Sequence[int], sources: frozenset[Status], target: Status, by: BulkBy
) -> Mapping[int, str]:
    on, moves, left = today(), dict[Status, list[members.Held]](), dict[int, str]()
    for one in await members.lock_held(tx, member_ids):
        if one.status in sources:
            moves.setdefault(one.validity.status_of(target, on), []).append(one)
        else:
            left[one.member_id] = UNCHANGED if one.status is target else "status_conflict"
    for status, moved in moves.items():
        await members.set_statuses(tx, moved, status, by=Actor.staff(by.staff_id), reason=by.reason)
    return left
