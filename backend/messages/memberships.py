"""What members are told of their membership: that it ends, has ended, goes on; texts that staff may change."""

from __future__ import annotations

from datetime import date

from backend.kernel import events
from backend.kernel.db import Tx
from backend.members import queries as members
from backend.merging.events import MembersMerged
from backend.registration.events import MembershipEnded, MembershipEnding, MembershipResumed, RegistrationApproved

from . import service
from .types import Builtin, Channel, Letter, Purpose, Variable

_DAY = Variable("day", label="到期日", sample="2026年12月31日")
_WAYS = (Channel.INBOX, Channel.WECHAT)
HOME = "#/me"

ENDING = Builtin(
    "membership.ending",
    Purpose.SERVICE,
    "您的会员资格即将到期",
    "您的会员资格有效期至 {day}，到期后会员码、储值和积分将暂停使用。如需延期，请联系门店。",
    _WAYS,
    (_DAY,),
)
ENDED = Builtin(
    "membership.ended",
    Purpose.SERVICE,
    "您的会员资格已到期",
    "您的会员资格已于 {day} 到期，会员码、储值和积分暂停使用，余额保留。如需延期，请联系门店。",
    _WAYS,
    (_DAY,),
)
RESUMED = Builtin(
    "membership.resumed",
    Purpose.SERVICE,
    "您的会员资格已恢复",
    "您的会员资格已恢复，{until}。会员码、储值和积分可以照常使用。",
    _WAYS,
    (Variable("until", label="有效期", sample="有效期至 2027年12月31日"),),
)
APPROVED = Builtin(
    "membership.approved",
    Purpose.SERVICE,
    "您的会员申请已通过",
    "欢迎成为会员！您的注册申请已通过审核，会员码、储值和积分现在可以使用。",
    _WAYS,
)
MERGED = Builtin(
    "membership.merged",
    Purpose.SERVICE,
    "您的两个会员账户已合并",
    "您的会员号 {source} 已合并到会员号 {target}：储值、积分、优惠券和卡项都在这里，原会员号继续可以使用。",
    _WAYS,
    (
        Variable("source", label="原会员号", sample="100000000001"),
        Variable("target", label="会员号", sample="100000000002"),
    ),
)
service.declare(ENDING, ENDED, RESUMED, APPROVED, MERGED)


def day_text(on: date) -> str:
    """A day as members read it."""
    return f"{on.year}年{on.month}月{on.day}日"


@events.on(MembershipEnding)
async def warn(event: MembershipEnding, tx: Tx) -> None:
    """Say in time that a membership ends, once for its last day and each time that it is warned of."""
    once = f"{event.valid_until}/{event.days}"
    letter = Letter(event.member_id, ENDING.code, {"day": day_text(event.valid_until)}, once, HOME)
    await service.send(tx, [letter])


@events.on(MembershipEnded)
async def tell_of_end(event: MembershipEnded, tx: Tx) -> None:
    """Say that a membership has ended."""
    values = {"day": day_text(event.valid_until)}
    await service.send(tx, [Letter(event.member_id, ENDED.code, values, str(event.valid_until), HOME)])


@events.on(MembershipResumed)
async def tell_of_more(event: MembershipResumed, tx: Tx) -> None:
    """Say that a membership is good again."""
    until = f"有效期至 {day_text(event.valid_until)}" if event.valid_until else "长期有效"
    once = str(event.valid_until or "ever")
    await service.send(tx, [Letter(event.member_id, RESUMED.code, {"until": until}, once, HOME)])


@events.on(RegistrationApproved)
async def welcome(event: RegistrationApproved, tx: Tx) -> None:
    """Say that who had waited is a member now."""
    await service.send(tx, [Letter(event.member_id, APPROVED.code, {}, "approved", HOME)])


@events.on(MembersMerged)
async def tell_of_merge(event: MembersMerged, tx: Tx) -> None:
    """Say to the member that what was under two numbers is under one now."""
    numbers = await members.list_numbers([event.source_id, event.member_id])
    values = {"source": numbers[event.source_id], "target": numbers[event.member_id]}
    await service.send(tx, [Letter(event.member_id, MERGED.code, values, event.merge_id, HOME)])
