"""A member's cards, as staff look at them."""

from __future__ import annotations

from backend.auth.types import StaffCaller
from backend.kernel import ids
from backend.kernel.errors import NotFound
from backend.members import queries as members

from .. import queries
from ..types import Card

LAST = 100


async def list_cards(member_id: str, caller: StaffCaller) -> list[Card]:
    """Every card of a member whom the caller may see; ``NotFound`` for any other."""
    row_id = ids.read_bigint(member_id)
    found = await members.find_member(row_id) if row_id is not None else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return await queries.list_of_member(found.id, limit=LAST)
