"""What staff look for among members, as far as they may."""

from __future__ import annotations

import msgspec

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, ids
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.paging import Place, read_place

from .. import queries
from ..queries import Page
from ..schemas import MemberQuery
from ..types import MemberFilter, Status

NOTHING = MemberFilter()


def filter_of(said: MemberQuery) -> MemberFilter:
    """The conditions in a query or a body."""
    fields = {name: getattr(said, name) for name in NOTHING.__struct_fields__ if hasattr(said, name)}
    return MemberFilter(**fields)


def only_status(wanted: MemberFilter, where: str) -> Status | None:
    """The status that goes with a number; anything else beside a number is refused."""
    if msgspec.structs.replace(wanted, status=None) != NOTHING:
        raise invalid(f"{where}/query", "goes with a status, and no other condition")
    return wanted.status


async def find(caller: StaffCaller, wanted: MemberFilter, *, cursor: str | None, limit: int, where: str) -> Page:
    """A page of members whom the caller may see; ``where`` is where the conditions stand in the request."""
    if wanted == NOTHING:
        raise invalid(f"{where}/query", "give a number or a condition")
    await _check(caller, wanted, where)
    if caller.store_id is not None:
        wanted = msgspec.structs.replace(wanted, store_id=caller.store_id)
    return await queries.find_members(wanted, after=_place(cursor), limit=limit)


async def _check(caller: StaffCaller, wanted: MemberFilter, where: str) -> None:
    if wanted.store_id is not None:
        if not caller.reaches(wanted.store_id):
            raise NotFound("there is no such store")
        await auth.check_store(wanted.store_id, f"{where}/store_id")
    if wanted.level is not None and wanted.level not in await queries.levels():
        raise invalid(f"{where}/level", "there is no such level")
    for name in ("registered", "valid_until"):
        first, last = (f"{name}_from", f"{name}_until" if name == "registered" else f"{name}_to")
        begin, end = getattr(wanted, first), getattr(wanted, last)
        for field, on in ((first, begin), (last, end)):
            if on is not None and on.year not in clock.YEARS:
                raise invalid(f"{where}/{field}", "is out of range")
        if begin is not None and end is not None and begin > end:
            raise invalid(f"{where}/{last}", f"is before {first}")
    wrong = await queries.wrong_conditions(
        wanted.attributes, queries.reach_of(caller), caller.permissions, pointer=f"{where}/attributes"
    )
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))


def _place(cursor: str | None) -> Place | None:
    place = read_place(cursor)
    if place is not None and ids.read_bigint(place[1]) is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return place
