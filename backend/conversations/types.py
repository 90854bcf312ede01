"""Conversations, their messages, and what the robot goes by."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class State(StrEnum):
    """Who has a conversation: the robot, the queue, somebody of the staff, WeChat's own service, nobody."""

    ROBOT = "robot"
    WAITING = "waiting"
    OPEN = "open"
    WECHAT = "wechat"
    CLOSED = "closed"


class Author(StrEnum):
    """Who said something; ``SYSTEM`` notes what happened to the conversation."""

    CUSTOMER = "customer"
    ROBOT = "robot"
    STAFF = "staff"
    SYSTEM = "system"


class Kind(StrEnum):
    """What it is; ``OTHER`` is what we cannot show (voice, video…), ``ENTERED`` a customer who opened the chat."""

    TEXT = "text"
    PICTURE = "picture"
    CARD = "card"
    OTHER = "other"
    ENTERED = "entered"
    NOTE = "note"


class Stage(StrEnum):
    """How far a message is.

    Of a customer: ``received``, ``fetching`` while its picture is not here yet, ``lost`` where it cannot be had, and
    ``transferred`` to WeChat's own service. Of ours: ``sending``, then ``sent``, ``refused`` by WeChat, or ``unknown``
    where no answer came. ``noted`` is what was only written down.
    """

    RECEIVED = "received"
    FETCHING = "fetching"
    LOST = "lost"
    TRANSFERRED = "transferred"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOTED = "noted"


class Card(msgspec.Struct, frozen=True):
    """A card that opens a page of the mini-program, such as ``pages/coupons/index``."""

    title: str
    page: str


class Windows(msgspec.Struct, frozen=True):
    """What opened the windows, and how many messages were handed to WeChat since."""

    wrote_at: datetime | None = None
    wrote_sent: int = 0
    entered_at: datetime | None = None
    entered_sent: int = 0


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's conversation as it stands; ``unread`` counts what the customer said since a person answered."""

    id: int
    openid_sealed: str
    member_id: int | None
    store_id: str | None
    state: State
    staff_id: int | None
    windows: Windows
    last_seq: int
    unread: int
    last_at: datetime
    waiting_since: datetime | None
    claimed_at: datetime | None
    welcomed_at: datetime | None
    created_at: datetime

    def __repr__(self) -> str:
        return f"<Conversation {self.id}>"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said or happened, in the order of ``seq``; ``reason`` says why it was refused or lost."""

    conversation_id: int
    seq: int
    author: Author
    kind: Kind
    stage: Stage
    at: datetime
    text: str = ""
    card: Card | None = None
    media_id: str = ""
    decision: str = ""
    reason: str = ""
    staff_id: int | None = None
    once: str | None = None
    request_hash: bytes | None = None
    sent_at: datetime | None = None

    def __repr__(self) -> str:
        return f"<Message {self.conversation_id}/{self.seq}>"


class Match(StrEnum):
    """How a rule's words are compared with what the customer wrote."""

    EXACT = "exact"
    CONTAINS = "contains"


class Act(StrEnum):
    """What a rule does: says something, gives the customer to the staff, or to WeChat's own service."""

    SAY = "say"
    STAFF = "staff"
    WECHAT = "wechat"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What the robot does where a customer writes one of these words; the higher ``priority`` wins."""

    id: str
    match: Match
    words: tuple[str, ...]
    priority: int
    act: Act
    text: str
    card: Card | None
    active: bool


class Topic(StrEnum):
    """What the robot knows by itself."""

    BALANCE = "balance"
    POINTS = "points"
    COUPONS = "coupons"
    ORDERS = "orders"


class Texts(msgspec.Struct, frozen=True):
    """What is said at the beginning, where nothing fits, when somebody is put into the queue, and at the end."""

    welcome: str = "您好，欢迎光临！发送“余额”“积分”“优惠券”“订单”可以直接查询，发送“人工”由店员为您服务。"
    fallback: str = "没有完全明白您的意思。发送“余额”“积分”“优惠券”“订单”可以直接查询，发送“人工”由店员为您服务。"
    queued: str = "正在为您转接人工客服，请稍候。"
    closed: str = ""


class Canned(msgspec.Struct, frozen=True, kw_only=True):
    """An answer kept ready for staff; of one store, or of the chain."""

    id: str
    title: str
    text: str
    store_id: str | None
    sort: int
