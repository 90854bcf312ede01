"""Whoever becomes a member gets a number, where the chain gives them out."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.members import service as members
from backend.members.events import MemberRegistered

from . import queries, service
from .types import Handing, Way


@events.on(MemberRegistered)
async def number(event: MemberRegistered, tx: Tx) -> None:
    """Give a new member who has no card a virtual one."""
    if await queries.find_automatic() is None:
        return
    await members.lock(tx, event.member_id)
    await service.give_virtual(tx, event.member_id, Handing(Way.SYSTEM))
