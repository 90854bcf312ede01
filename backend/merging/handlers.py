"""What follows from a merge, and what came late; importing this module registers the approval's kind."""

from __future__ import annotations

from backend.auth.types import SESSION_CHECK
from backend.kernel import events, live
from backend.kernel.db import Tx
from backend.ledger.events import MergedBooksMoved

from . import service
from .commands import merging  # noqa: F401 - the kind of approvals
from .events import MembersMerged


@events.on(MergedBooksMoved)
async def pass_on(event: MergedBooksMoved, tx: Tx) -> None:
    """What came to a merged member's books goes on to the other's."""
    await service.pass_on(tx, event.member_id)


@events.on(MembersMerged)
async def tell_phones(event: MembersMerged, tx: Tx) -> None:
    """Phones read again who they act for."""
    for member_id in (event.member_id, event.source_id):
        live.push(member_id, SESSION_CHECK, {})
