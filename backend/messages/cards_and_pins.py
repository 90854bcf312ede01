"""What members are told when a card became theirs or was reported lost, and when somebody had a hand in their PIN."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.kernel import clock, events
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.membercards.events import MemberCardFound, MemberCardIssued, MemberCardLost
from backend.members.events import PinHandled
from backend.members.types import PinAct

from . import service
from .types import Builtin, Channel, Letter, Purpose, Variable

_WAYS = (Channel.INBOX, Channel.WECHAT)
_LAST4 = Variable("last4", label="卡号后四位", sample="8903")
_WHERE = Variable("where", label="办理处", sample="一号店")
_WHEN = Variable("when", label="时间", sample="11月28日 14:05")
CARD, PIN = "#/card", "#/pin"

ISSUED = Builtin(
    "card.issued",
    Purpose.SERVICE,
    "您有了一张会员卡",
    "尾号 {last4} 的会员卡已与您的会员账户绑定，在收银台出示即可积分。",
    _WAYS,
    (_LAST4,),
)
LOST = Builtin(
    "card.lost",
    Purpose.SERVICE,
    "您的会员卡已挂失",
    "尾号 {last4} 的会员卡已挂失，任何门店都不能再使用。您的余额、积分和优惠券不受影响。",
    _WAYS,
    (_LAST4,),
)
FOUND = Builtin(
    "card.found",
    Purpose.SERVICE,
    "您的会员卡已解除挂失",
    "尾号 {last4} 的会员卡可以继续使用。如非本人办理，请立即再次挂失。",
    _WAYS,
    (_LAST4,),
)
INITIALISED = Builtin(
    "pin.initialised",
    Purpose.SERVICE,
    "您的支付密码已初始化",
    "{where}于 {when} 应您的要求初始化了支付密码，原密码已失效，请在手机上重新设置。如非本人办理，请立即联系我们。",
    _WAYS,
    (_WHERE, _WHEN),
)
SET_AT_TILL = Builtin(
    "pin.set_at_till",
    Purpose.SERVICE,
    "您的支付密码已设置",
    "您于 {when} 在{where}的密码键盘上设置了支付密码。如非本人办理，请立即联系我们。",
    _WAYS,
    (_WHERE, _WHEN),
)
UNLOCKED = Builtin(
    "pin.unlocked",
    Purpose.SERVICE,
    "您的支付密码已解锁",
    "{where}于 {when} 应您的要求解锁了支付密码，密码没有变。如非本人办理，请立即联系我们。",
    _WAYS,
    (_WHERE, _WHEN),
)
service.declare(ISSUED, LOST, FOUND, INITIALISED, SET_AT_TILL, UNLOCKED)

_OF_PIN = {
    PinAct.INITIALISED: INITIALISED,
    PinAct.SET_AT_TILL: SET_AT_TILL,
    PinAct.UNLOCKED: UNLOCKED,
}


@events.on(MemberCardIssued)
async def tell_of_card(event: MemberCardIssued, tx: Tx) -> None:
    """Say that a card is the member's; a number without a card is no news."""
    if not event.virtual:
        letter = Letter(event.member_id, ISSUED.code, {"last4": event.last4}, str(event.card_id), CARD)
        await service.send(tx, [letter])


@events.on(MemberCardLost)
async def tell_of_loss(event: MemberCardLost, tx: Tx) -> None:
    """Say that a card is good nowhere, each time that it was reported."""
    once = f"{event.card_id}/{event.step}"
    await service.send(tx, [Letter(event.member_id, LOST.code, {"last4": event.last4}, once, CARD)])


@events.on(MemberCardFound)
async def tell_of_find(event: MemberCardFound, tx: Tx) -> None:
    """Say that a card is good again, each time."""
    once = f"{event.card_id}/{event.step}"
    await service.send(tx, [Letter(event.member_id, FOUND.code, {"last4": event.last4}, once, CARD)])


@events.on(PinHandled)
async def tell_of_pin(event: PinHandled, tx: Tx) -> None:
    """Say who had a hand in the member's PIN, and when: whoever did not ask for it hears of it."""
    store = await auth.find_store(event.store_id) if event.store_id else None
    local = event.at.astimezone(clock.zone(store.timezone if store else settings().timezone))
    values = {
        "where": store.name if store else "总部",
        "when": f"{local.month}月{local.day}日 {local:%H:%M}",
    }
    letter = Letter(event.member_id, _OF_PIN[PinAct(event.act)].code, values, str(event.act_id), PIN)
    await service.send(tx, [letter])
