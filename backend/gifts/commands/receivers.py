"""To whom a gift is sent, for those who send it; each look is written down."""

from __future__ import annotations

import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db
from backend.kernel.errors import NotFound

from .. import queries, service
from ..schemas import ParcelReceiverOut
from .handing import reached

SEEN = "receiver_seen"


async def look(redemption_id: str, caller: StaffCaller) -> ParcelReceiverOut:
    """The receiver; ``NotFound`` where it is not sent, or came to nothing and was forgotten."""
    made = await reached(redemption_id, caller)
    sealed = await queries.find_sealed(made.member_id, made.id)
    if sealed is None:
        raise NotFound("nothing is sent to anybody")
    async with db.transaction() as tx:
        await queries.changes.note(tx, made.id, caller.staff_id, SEEN, {}, clock.now())
    return ParcelReceiverOut(**msgspec.structs.asdict(service.open_receiver(sealed)))
