"""What members hear of their own membership, and letters that were written, told to open phones afterwards."""

from __future__ import annotations

from backend.kernel import events, live
from backend.kernel.db import Tx
from backend.members.events import LevelReached

from . import queries, service
from .events import LetterShown
from .types import Builtin, Letter, Purpose

LEVEL_REACHED = Builtin(
    "member.level_reached", Purpose.SERVICE, "会员等级提升", "恭喜您升级为{level}，快来看看新的权益。"
)
service.declare(LEVEL_REACHED)


@events.on(LetterShown)
async def tell_phones(event: LetterShown, tx: Tx) -> None:
    """Let open phones look at their inbox."""
    found = await queries.find_letter(event.member_id, event.letter_id)
    if found is not None:
        live.push(event.member_id, "message", {"id": found.id, "kind": found.template, "title": found.title})


@events.on(LevelReached)
async def congratulate(event: LevelReached, tx: Tx) -> None:
    """A member hears of a new level, once for each."""
    await service.send(tx, [Letter(event.member_id, LEVEL_REACHED.code, {}, event.level, "#/me")])
