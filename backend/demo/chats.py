"""Customer service as it looks on an ordinary morning: some wait, some are being answered, some are done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from backend.app import simulator_config
from backend.auth import service as auth
from backend.auth.types import Standing
from backend.conversations import service
from backend.conversations.rules import windows
from backend.conversations.types import Act, Author, Canned, Card, Conversation, Kind, Match, Rule, Stage, State
from backend.kernel import clock, db
from backend.kernel.config import Settings
from backend.kernel.db import Tx
from miniapp_mock import simulator
from miniapp_mock.simulator.windows import Windows

RULES = (
    Rule(
        id="ADEMORETURN",
        match=Match.CONTAINS,
        words=("退货", "退款", "换货"),
        priority=200,
        act=Act.SAY,
        text="收货后七天内可以申请退换货，商品需保持完好。点下面的卡片选择订单即可申请。",
        card=Card("我的订单", "pages/orders/index"),
        active=True,
    ),
    Rule(
        id="ADEMOHOURS",
        match=Match.CONTAINS,
        words=("营业时间", "几点开门", "几点关门", "开门吗"),
        priority=150,
        act=Act.SAY,
        text="各门店每天 8:00–22:00 营业，节假日照常。",
        card=None,
        active=True,
    ),
    Rule(
        id="ADEMOCOMPLAIN",
        match=Match.CONTAINS,
        words=("投诉", "差评", "太差"),
        priority=300,
        act=Act.STAFF,
        text="非常抱歉给您带来不好的体验，马上请店员为您处理。",
        card=None,
        active=True,
    ),
)
CANNED = (
    Canned(id="CDEMOHELLO", title="问候", text="您好，我是门店客服，请问有什么可以帮您？", store_id=None, sort=1),
    Canned(id="CDEMOWAIT", title="稍等", text="好的，我马上帮您核实，请稍等一两分钟。", store_id=None, sort=2),
    Canned(id="CDEMOBYE", title="结束语", text="还有其他可以帮您的吗？祝您生活愉快！", store_id=None, sort=3),
    Canned(
        id="CDEMOADDRESS",
        title="门店地址",
        text="我们在南京东路 100 号，地铁二号线出站右转即到。",
        store_id="S001",
        sort=4,
    ),
)

Line = tuple[Author, str]
"""Who says it, and what."""

C, R, S = Author.CUSTOMER, Author.ROBOT, Author.STAFF

TALKS: tuple[tuple[State, int, tuple[Line, ...]], ...] = (
    (State.WAITING, 9, ((C, "上周买的酸奶快到期了，能换吗"), (C, "人工"), (R, "正在为您转接人工客服，请稍候。"))),
    (
        State.WAITING,
        4,
        ((C, "充值的赠送金额没有到账，太差了"), (R, "非常抱歉给您带来不好的体验，马上请店员为您处理。")),
    ),
    (State.WAITING, 2, ((C, "请问生日券怎么领"), (C, "转人工"), (R, "正在为您转接人工客服，请稍候。前面还有 2 位。"))),
    (
        State.OPEN,
        12,
        (
            (C, "人工"),
            (R, "正在为您转接人工客服，请稍候。"),
            (S, "您好，我是门店客服，请问有什么可以帮您？"),
            (C, "昨天的订单能改成自提吗"),
        ),
    ),
    (State.WECHAT, 40, ((C, "人工"), (R, "正在为您转接人工客服，请稍候。"), (S, "请微信客服帮您看。"), (C, "好"))),
    (State.ROBOT, 30, ((C, "你们几点关门"), (R, "各门店每天 8:00–22:00 营业，节假日照常。"))),
    (
        State.CLOSED,
        180,
        (
            (C, "人工"),
            (R, "正在为您转接人工客服，请稍候。"),
            (S, "您好，请讲。"),
            (C, "发票怎么开"),
            (S, "在“我的－发票”里填写抬头，门店当天开好。"),
            (C, "好的谢谢"),
        ),
    ),
    (State.CLOSED, 300, ((C, "余额"), (R, "您的储值余额为 ¥88。"), (C, "谢谢"))),
)
STEP = timedelta(seconds=40)


def openid_of(number: int) -> str:
    """Who the demo's customer is at WeChat; the phone page plays one with ``?as=demo-customer-1``."""
    return f"openid-demo-customer-{number}"


async def load(settings: Settings) -> None:
    """Rules, canned answers, and a conversation each of some members; what staff answer now still goes out."""
    now = clock.now()
    rows = await db.fetch("SELECT id, store_id FROM member ORDER BY created_at DESC, id LIMIT $1", len(TALKS))
    manager = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'")
    async with db.transaction() as tx:
        await _write_guide(tx, now)
        for number, (row, (state, ago, lines)) in enumerate(zip(rows, TALKS, strict=True), 1):
            login = await auth.open_session(tx, openid_of(number))
            await auth.bind_identity(tx, login.identity_id, row["id"], Standing.ACTIVE)
            began = now - timedelta(minutes=ago)
            conversation = await service.open_of(tx, openid_of(number), began)
            conversation = msgspec.structs.replace(conversation, member_id=row["id"], store_id=row["store_id"])
            await _talk(tx, conversation, state, lines, began, manager)
    await _open_windows(settings, len(rows))


async def _write_guide(tx: Tx, now: datetime) -> None:
    await db.raw(tx).executemany(
        "INSERT INTO conversation_rule (id, match, words, priority, act, text, card, active, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        [
            (
                rule.id,
                rule.match.value,
                msgspec.json.encode(rule.words).decode(),
                rule.priority,
                rule.act.value,
                rule.text,
                msgspec.json.encode(rule.card).decode() if rule.card else None,
                rule.active,
                now,
            )
            for rule in RULES
        ],
    )
    await db.raw(tx).executemany(
        "INSERT INTO conversation_canned (id, title, text, store_id, sort, updated_at) VALUES ($1, $2, $3, $4, $5, $6)",
        [(one.id, one.title, one.text, one.store_id, one.sort, now) for one in CANNED],
    )


async def _talk(
    tx: Tx, conversation: Conversation, state: State, lines: Sequence[Line], began: datetime, staff_id: int
) -> None:
    """What was said, a line every 40 seconds, and how it stands now."""
    at, claimed = began, began
    for author, text in lines:
        stage = Stage.RECEIVED if author is C else Stage.SENT
        if author is C:
            opened = windows.wrote(conversation.windows, at, at)
            conversation = msgspec.structs.replace(conversation, windows=opened, unread=conversation.unread + 1)
        else:
            conversation = service.counted(conversation, windows.spend(conversation.windows, at))
        if author is S and claimed == began:
            claimed = at
            conversation, _ = await service.append(
                tx, conversation, Author.SYSTEM, Kind.NOTE, Stage.NOTED, at, text="claimed", staff_id=staff_id
            )
        conversation, _ = await service.append(
            tx,
            conversation,
            author,
            Kind.TEXT,
            stage,
            at,
            text=text,
            staff_id=staff_id if author is S else None,
        )
        at += STEP
    conversation = service.moved(conversation, state, at, staff_id=staff_id if state is State.OPEN else None)
    if state is State.CLOSED:
        conversation, _ = await service.append(
            tx, conversation, Author.SYSTEM, Kind.NOTE, Stage.NOTED, at, text="closed", staff_id=staff_id
        )
    unread = conversation.unread if state is State.WAITING else int(state is State.OPEN)
    await service.keep(tx, msgspec.structs.replace(conversation, unread=unread))


async def _open_windows(settings: Settings, count: int) -> None:
    """The simulated WeChat knows that they wrote: it lets them be answered."""
    platform = simulator.build(simulator_config(settings))
    try:
        written = Windows(platform.platform)
        for number in range(1, count + 1):
            await written.opened({"FromUserName": openid_of(number), "MsgType": "text"})
    finally:
        await platform.aclose()
