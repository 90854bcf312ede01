"""What members hear of their archive and of being erased; and words about letters, for ``privacy``, which has none.

Importing this module registers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from backend.kernel import events
from backend.kernel.db import Tx
from backend.privacy import service as privacy
from backend.privacy.events import ErasureAsked, ErasureLapsed, ExportHandedOut, ExportReady

from . import queries, service
from .types import Builtin, Channel, Letter, Purpose

READY = Builtin("privacy.export_ready", Purpose.SERVICE, "个人数据已备好", "您申请的个人数据已备好，请在期限内下载。")
ASKED = Builtin(
    "privacy.erasure_asked",
    Purpose.SERVICE,
    "账号即将注销",
    "您的注销申请已受理。若非本人操作或改变主意，可在冷静期内撤回。",
)
LAPSED = Builtin(
    "privacy.erasure_lapsed",
    Purpose.SERVICE,
    "账号未注销",
    "账号仍有未了结的事项或新的余额，注销申请已失效，请查看后重新申请。",
)
HANDED = Builtin(
    "privacy.export_handed_out",
    Purpose.SERVICE,
    "个人数据已当面交付",
    "门店员工已核验身份并向您当面交付个人数据。若非本人到店，请立即联系客服。",
)
service.declare(READY, ASKED, LAPSED, HANDED)
_LINK = "#/privacy"


async def _words(member_id: int) -> Mapping[privacy.Way, tuple[bool, datetime | None]]:
    return {
        (word.channel.value, word.purpose.value): (word.granted, word.at)
        for word in await queries.list_consents(member_id)
    }


async def _changes(member_id: int, before: tuple[datetime, int] | None, limit: int) -> list[privacy.LetterWord]:
    found = await queries.list_consent_changes(member_id, before=before, limit=limit)
    return [
        privacy.LetterWord(word.id, (word.channel.value, word.purpose.value), word.granted, word.by, word.at)
        for word in found
    ]


async def _say(tx: Tx, member_id: int, way: privacy.Way, *, granted: bool, by: str) -> bool:
    return await service.set_consent(tx, member_id, Channel(way[0]), Purpose(way[1]), granted=granted, by=by)


privacy.keep(privacy.Letters(_words, _changes, _say))


@events.on(ExportReady)
async def tell_of_archive(event: ExportReady, tx: Tx) -> None:
    """Write to the member that the archive can be fetched."""
    await service.send(tx, [Letter(event.member_id, READY.code, {}, event.export_id, _LINK)])


@events.on(ExportHandedOut)
async def tell_of_handout(event: ExportHandedOut, tx: Tx) -> None:
    """Write to the member that staff gave their archive to somebody who proved to be them."""
    await service.send(tx, [Letter(event.member_id, HANDED.code, {}, event.handout_id, _LINK)])


@events.on(ErasureAsked)
async def tell_of_wish(event: ErasureAsked, tx: Tx) -> None:
    """Write to the member that the account is to be erased, whoever asked for it."""
    await service.send(tx, [Letter(event.member_id, ASKED.code, {}, event.erasure_id, _LINK)])


@events.on(ErasureLapsed)
async def tell_of_lapse(event: ErasureLapsed, tx: Tx) -> None:
    """Write to the member that the account was not erased."""
    await service.send(tx, [Letter(event.member_id, LAPSED.code, {}, event.erasure_id, _LINK)])
