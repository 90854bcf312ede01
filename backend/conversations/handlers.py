"""Customers' messages, and guests who register. Importing this module registers both."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.kernel import events
from backend.kernel.db import Tx
from backend.members import queries as members
from backend.members.events import MemberRegistered
from backend.wechat import service as wechat

from . import service
from .commands.receive import take

wechat.on_push_message(take)


@events.on(MemberRegistered)
async def join_guest(event: MemberRegistered, tx: Tx) -> None:
    """A guest who registers finds the conversation again, and the member's staff see whose it is."""
    openid = await auth.find_openid(event.member_id)
    member = await members.find_member(event.member_id)
    if openid is not None and member is not None:
        await service.set_member(tx, openid, event.member_id, member.store_id)
