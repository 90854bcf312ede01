"""Customers' messages, guests who register, members who move. Importing this module registers them."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.kernel import events
from backend.kernel.db import Tx
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.events import HomeStoreChanged, MemberRegistered
from backend.wechat import service as wechat

from . import service
from .commands.receive import take

wechat.on_push_message(take)


@events.on(MemberRegistered)
async def join_guest(event: MemberRegistered, tx: Tx) -> None:
    """A guest who registers finds the conversation again, and the member's staff see whose it is."""
    member_id = await member_service.hold_current(tx, event.member_id)
    openid = await auth.find_openid(member_id)
    member = await members.find_member(member_id)
    if openid is not None and member is not None:
        await service.set_member(tx, openid, member_id, member.store_id)


@events.on(HomeStoreChanged)
async def follow_member(event: HomeStoreChanged, tx: Tx) -> None:
    """Staff of the new home store see the conversation, those of the old one no longer."""
    member = await members.find_member(await member_service.hold_current(tx, event.member_id))
    if member is not None:
        await service.set_store(tx, member.id, member.store_id)
