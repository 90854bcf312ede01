"""Making somebody a member, or giving them the member that they are already."""

from __future__ import annotations

import msgspec

from backend.auth import service as auth
from backend.kernel import db
from backend.kernel.db import Tx

from .. import locks, queries
from ..errors import PhoneTaken
from ..types import Actor, ActorKind, Gender, NewMember, Status
from .people import create_member, set_status
from .profile import write_profile


class Joined(msgspec.Struct, frozen=True):
    """Whom somebody became, held: ``anew`` where they were nobody, or had been refused; else a member that was there.

    ``kept_name`` is that member's name, where another was given.
    """

    member_id: int
    status: Status
    anew: bool
    kept_name: str | None = None


async def join(tx: Tx, new: NewMember) -> Joined:
    """Make a member, or find the one with that phone whom nobody acts for; ``PhoneTaken`` where somebody does.

    Held until the transaction ends, so that two registrations cannot both have it. Who was there keeps name, status
    and value, and gets what was missing; who had been refused has the new status.
    """
    index = queries.phone_index(new.phone)
    known = await locks.lock_by_phone(tx, index)
    if known is None:
        member_id = await create_member(tx, new, by=Actor(ActorKind.MEMBER))
        if member_id is not None:
            return Joined(member_id, new.status, anew=True)
        known = await locks.lock_by_phone(tx, index)  # somebody else was quicker
        assert known is not None
    if await auth.is_bound(tx, known["id"]):
        raise PhoneTaken
    return await _complete(tx, known, new)


async def _complete(tx: Tx, known: db.Record, new: NewMember) -> Joined:
    """Fill in what was not known of a member; somebody who was refused before registers anew."""
    anew = known["status"] == Status.NONE
    filled = {
        "name": new.name if anew else known["name"],
        "birthday": known["birthday"] or new.birthday,
        "gender": new.gender.value if known["gender"] == Gender.UNKNOWN else known["gender"],
        "store_id": known["store_id"] or new.store_id,
        "referrer_id": known["referrer_id"] or (new.referrer_id if new.referrer_id != known["id"] else None),
    }
    by = Actor.member(known["id"])
    await write_profile(tx, known, filled, by=by)
    if anew:
        await set_status(tx, known["id"], new.status, by=by)
        return Joined(known["id"], new.status, anew=True)
    kept = known["name"] if known["name"] != new.name else None
    return Joined(known["id"], Status(known["status"]), anew=False, kept_name=kept)
