"""What other domains ask for when they take an audience; and what is noted of sales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from backend.auth import queries as auth
from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, ValidationFailed
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.types import Reach

from .types import Audience


async def check(
    audience: Audience, caller_store: str | None, *, pointer: str = "/audience", any_status: bool = False
) -> Audience:
    """The audience as this caller may mean it; ``ValidationFailed`` names what is unknown in it.

    A store's staff (``caller_store``) mean their own store's members: no other store is known to them, and an audience
    that names none is narrowed to theirs. ``pointer`` is where the audience stands in the request's body. Others than
    active members are meant only where the caller's call is for them (``any_status``).
    """
    wrong: list[FieldError] = []
    known = await members.levels()
    if audience.levels is not None and any(code not in known for code in audience.levels):
        members.forget_levels()
        known = await members.levels()
    wrong += _unknown(audience.levels, known, f"{pointer}/levels", "there is no such level")
    if audience.store_ids is not None:
        stores = {store.id for store in await auth.list_stores(only=caller_store)}
        wrong += _unknown(audience.store_ids, stores, f"{pointer}/store_ids", "there is no such store")
    if audience.bought_within_days is not None and audience.bought_skus is None:
        wrong.append(FieldError(f"{pointer}/bought_within_days", "needs bought_skus"))
    if audience.statuses is not None and not any_status:
        wrong.append(FieldError(f"{pointer}/statuses", "active members only are meant here"))
    for name in ("registered_from", "registered_until", "valid_until_from", "valid_until_to"):
        on = getattr(audience, name)
        if on is not None and on.year not in clock.YEARS:
            wrong.append(FieldError(f"{pointer}/{name}", "is out of range"))
    if audience.registered_from and audience.registered_until and audience.registered_from > audience.registered_until:
        wrong.append(FieldError(f"{pointer}/registered_until", "is before registered_from"))
    if audience.attributes is not None:
        reach = Reach.OFFICE if caller_store is None else Reach.STORE
        wrong += await members.wrong_conditions(audience.attributes, reach, None, pointer=f"{pointer}/attributes")
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))
    if caller_store is not None and audience.store_ids is None:
        return msgspec.structs.replace(audience, store_ids=(caller_store,))
    return audience


def _unknown(named: Sequence[str] | None, known: Iterable[str], pointer: str, message: str) -> list[FieldError]:
    there = set(known)
    return [FieldError(f"{pointer}/{place}", message) for place, code in enumerate(named or ()) if code not in there]


_NOTE = """
INSERT INTO audience_sale (member_id, sale_id, due) VALUES ($1, $2, true)
    ON CONFLICT (member_id, sale_id) DO UPDATE SET due = true WHERE NOT audience_sale.due"""


async def note(tx: Tx, member_id: int, sale_id: str) -> None:
    """Note that a purchase is to be counted, or counted anew; a job does it."""
    await db.raw(tx).execute(_NOTE, await member_service.hold_current(tx, member_id), sale_id)
