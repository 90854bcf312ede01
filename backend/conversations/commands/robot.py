"""What the robot answers: rules of the staff, what a member has, and the texts for the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime

from backend.coupons import queries as coupons
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.money import yuan
from backend.members import queries as members
from backend.members.types import Member, Status
from backend.notices import queries as notices
from backend.orders import queries as orders
from backend.orders.types import Order, OrderState
from backend.wallet import queries as wallets

from .. import queries
from ..rules import words
from ..types import Author, Card, Conversation, Kind, Topic
from . import sending
from .sending import Saying

GUEST = "注册会员后，就可以在这里查询余额、积分、优惠券和订单。"
_SHUT_OUT = {
    Status.PENDING: "您的入会申请正在审核，通过后就可以在这里查询余额、积分、优惠券和订单。",
    Status.FROZEN: "您的会员账户已冻结，暂时不能查询。发送“人工”由店员为您服务。",
}
_ORDER_STATES = {
    OrderState.AWAITING_PAYMENT: "待付款",
    OrderState.PAID: "待发货",
    OrderState.SHIPPED: "已发货",
    OrderState.READY_FOR_PICKUP: "待自提",
    OrderState.RECEIVED: "已收货",
    OrderState.COMPLETED: "已完成",
    OrderState.CANCELLED: "已取消",
    OrderState.CLOSED: "已关闭",
}
_LAST_ORDERS = 3
_LEAST_ASKED, _MOST_ASKED = 2, 100
_MOST_TITLE, _MOST_SAID = 30, 500

REGISTER = Card("注册会员", "pages/home/index")
CARDS = {
    Topic.COUPONS: Card("我的优惠券", "pages/coupons/index"),
    Topic.ORDERS: Card("我的订单", "pages/orders/index"),
}


async def answer(conversation_id: int, seq: int) -> None:
    """Answer a customer's message, or an entry, as was decided when it came; doing it again says nothing twice."""
    conversation = await queries.find_conversation(conversation_id)
    message = await queries.find_message(conversation_id, seq)
    if conversation is None or message is None or message.author is not Author.CUSTOMER:
        return
    for number, said in enumerate(await compose(conversation, message.decision, message.text, clock.now())):
        if await sending.say(conversation_id, said, f"answer:{seq}:{number}") is None:
            return


async def compose(conversation: Conversation, decision: str, text: str, now: datetime) -> Sequence[Saying]:
    """What to say, at most two messages: WeChat takes five, and a person may need the rest."""
    texts = await queries.texts()
    what, _, name = decision.partition(":")
    if what == words.WELCOME:
        return _texts(texts.welcome)
    if what == words.QUEUED:
        return _texts(await _queued(conversation, texts.queued))
    if what == "rule":
        rule = await queries.find_rule(name)
        if rule is not None and (said := [*_texts(rule.text), *_card(rule.card)]):
            return said
        if conversation.waiting_since is not None:  # a rule that only asks for a person, or has gone meanwhile
            return _texts(await _queued(conversation, texts.queued))
    if what == "topic":
        return await _topic(conversation, Topic(name), now)
    return await _search(conversation, text) or _texts(texts.fallback)


async def _search(conversation: Conversation, text: str) -> Sequence[Saying]:
    """What the handbook says to a question, and where to read on; nothing where it is silent."""
    if len(text.strip()) < _LEAST_ASKED:
        return []
    member = await _member(conversation)
    level = member.level.code if member is not None and member.status is Status.ACTIVE else None
    found = await notices.search_handbook(text[:_MOST_ASKED], 1, level=level)
    if not found:
        return []
    chapter = found[0]
    page = Card(chapter.title[:_MOST_TITLE], f"pages/handbook/index?id={chapter.chapter_id}")
    return [*_texts(f"{chapter.title}：{chapter.excerpt}"[:_MOST_SAID]), *_card(page)]


async def _queued(conversation: Conversation, text: str) -> str:
    if conversation.waiting_since is None:
        return text
    ahead = await queries.count_ahead(conversation)
    return f"{text}前面还有 {ahead} 位。" if ahead else text


async def _topic(conversation: Conversation, topic: Topic, now: datetime) -> Sequence[Saying]:
    member = await _member(conversation)
    if member is None or member.status is Status.NONE:
        return [*_texts(GUEST), *_card(REGISTER)]
    if member.status is not Status.ACTIVE:  # as on the phone: it shows no wallet, either
        return _texts(_SHUT_OUT[member.status])
    return [*_texts(await _TOPICS[topic](member.id, now)), *_card(CARDS.get(topic))]


async def _member(conversation: Conversation) -> Member | None:
    return await members.find_member(conversation.member_id) if conversation.member_id is not None else None


async def _balance(member_id: int, now: datetime) -> str:
    wallet = await wallets.get_wallet(member_id, _today(now))
    bonus = f"（其中赠送 ¥{yuan(wallet.stored.bonus_fen)}）" if wallet.stored.bonus_fen else ""
    rebate = f"，返利 ¥{yuan(wallet.rebate_fen)}" if wallet.rebate_fen else ""
    return f"您的储值余额为 ¥{yuan(wallet.stored.total_fen)}{bonus}{rebate}。"


async def _points(member_id: int, now: datetime) -> str:
    points = (await wallets.get_wallet(member_id, _today(now))).points
    pending = f"，待到账 {points.pending}" if points.pending else ""
    soon = points.expiring[0] if points.expiring else None
    ends = f"其中 {soon.points} 积分将于 {soon.on.year}年{soon.on.month}月{soon.on.day}日到期。" if soon else ""
    return f"您的可用积分为 {points.available}{pending}。{ends}"


async def _coupons(member_id: int, now: datetime) -> str:
    count, first = await coupons.count_available(member_id, _today(now))
    if not count:
        return "您现在没有可用的优惠券。"
    ends = f"，最早一张 {first.year}年{first.month}月{first.day}日到期" if first else ""
    return f"您有 {count} 张可用优惠券{ends}。"


async def _orders(member_id: int, now: datetime) -> str:
    found = await orders.list_orders(member_id, None, before=None, limit=_LAST_ORDERS)
    if not found:
        return "您还没有商城订单。"
    return "\n".join(["您最近的订单：", *(_order_line(order) for order in found)])


def _order_line(order: Order) -> str:
    at = order.placed_at.astimezone(clock.zone(settings().timezone))
    goods = f"{order.lines[0].name} 等 {len(order.lines)} 件" if len(order.lines) > 1 else order.lines[0].name
    return f"{at.month}月{at.day}日 {goods}，¥{yuan(order.payable_fen)}，{_ORDER_STATES[order.state]}"


_TOPICS: dict[Topic, Callable[[int, datetime], Awaitable[str]]] = {
    Topic.BALANCE: _balance,
    Topic.POINTS: _points,
    Topic.COUPONS: _coupons,
    Topic.ORDERS: _orders,
}


def _today(now: datetime) -> date:
    return clock.local_date(now, settings().timezone)


def _texts(text: str) -> list[Saying]:
    return [Saying(kind=Kind.TEXT, text=text)] if text else []


def _card(card: Card | None) -> list[Saying]:
    return [Saying(kind=Kind.CARD, card=card)] if card else []
