"""Which places a caller reaches: head office all, a store's staff the store and its warehouses."""

from __future__ import annotations

from backend.auth.types import StaffCaller
from backend.kernel.errors import Forbidden, NotFound

from . import queries
from .types import Alert, Document, Place


async def place(caller: StaffCaller, place_id: str) -> Place:
    """The place, where the caller reaches it; ``NotFound`` as for none."""
    found = await queries.get_place(place_id)
    if not caller.reaches(found.store_id):
        raise NotFound("there is no such place")
    return found


async def reached(caller: StaffCaller) -> list[str] | None:
    """The ids of what the caller reaches; None: everything."""
    if caller.office:
        return None
    return [found.id for found in await queries.list_places(store_id=caller.store_id)]


async def alert(caller: StaffCaller, alert_id: str) -> Alert:
    """Something to look at, at a place that the caller reaches."""
    found = await queries.get_alert(alert_id)
    ids = await reached(caller)
    if ids is not None and found.place_id not in ids:
        raise NotFound("there is no such alert")
    return found


async def document(caller: StaffCaller, document_id: str, *, side: str = "either") -> Document:
    """A document of a place that the caller reaches; of a transfer its ``source``, its ``target``, or either."""
    found = await queries.get_document(document_id)
    ids = await reached(caller)
    if ids is None:
        return found
    if found.place_id not in ids and found.other_place_id not in ids:
        raise NotFound("there is no such document")
    target = side == "target" and found.other_place_id is not None
    if side != "either" and (found.other_place_id if target else found.place_id) not in ids:
        raise Forbidden("the other place does that")
    return found
