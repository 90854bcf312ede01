"""Three suggestion boxes with what members put into them, and a half year of feedback: some waits, some is overdue."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from backend.auth import queries as auth
from backend.cases import locks
from backend.cases import service as cases
from backend.cases.commands import giving
from backend.cases.schemas import GiveIn
from backend.cases.types import Action, Actor, By, CaseChannel, CaseKind, Contact, NewCase, Outcome, Priority
from backend.kernel import clock, db, readable
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.suggestions import tickets
from backend.suggestions.commands import boxes
from backend.suggestions.models import Message, Suggestion
from backend.suggestions.queries.suggestions import receipt_digest
from backend.suggestions.schemas import BoxIn

OFFICE, SHOP, GOODS = "BDEMOOFFICE", "BDEMOSHOP", "BDEMOGOODS"
STORES = ("S001", "S002", "S003")
CASES = 60
DAYS = 180

BOXES = {
    OFFICE: ("给总部的话", "对制度、服务、员工的意见，可以匿名", None),
    SHOP: ("南京路店 门店环境", "灯光、卫生、排队、停车", STORES[0]),
    GOODS: ("想买什么", "希望上架的商品", None),
}
# Box, what was said, the answer, and whether it has a name on it.
SAID = (
    (OFFICE, "积分过期前能不能提醒一下？", "已安排：到期前 30 天在消息里提醒。", True),
    (OFFICE, "有店员把临期商品放在最里面，不标日期。", None, False),
    (OFFICE, "排班太满，晚班只有一个人，安全吗？", "谢谢你说出来，已要求各店晚班至少两人。", False),
    (SHOP, "收银台前的地砖翘起来了，容易绊倒。", "当天已修好。", True),
    (SHOP, "周末中午总是排很长的队。", None, True),
    (GOODS, "希望有无糖酸奶，大盒的。", "十二月起上架，谢谢建议。", True),
    (GOODS, "能不能卖小包装的大米？", None, False),
)
TEXTS = {
    CaseKind.COMPLAINT: ("买到的牛奶过期了", "收银多扫了一件", "店员态度不好", "退款一直没到账", "配送晚了两个小时"),
    CaseKind.OPINION: ("希望早上七点开门", "货架太高拿不到", "希望增加自助收银"),
    CaseKind.PRAISE: ("王店员帮我找回了手机", "门店很干净", "送货师傅很热心"),
    CaseKind.CONSULTATION: ("礼品卡可以退吗", "积分怎么用", "会员日是哪天"),
}
TEA = "TDEMOFREETEA"
REASON = "给您添麻烦了，先补偿您积分"
ANSWERS = ("抱歉给您带来不便，已处理，请您确认。", "谢谢您的反馈，我们已经安排。", "已电话说明，欢迎再来。")


async def load_boxes(member_ids: Sequence[int]) -> None:
    """The boxes, read by head office and by the first store's manager, and what is in them."""
    now = clock.now()
    staff = {row["username"]: row["id"] for row in await db.fetch("SELECT id, username FROM auth_staff")}
    async with db.transaction() as tx:
        for box_id, (title, topic, store_id) in BOXES.items():
            readers = [staff["manager1"]] if store_id else [staff["admin"]]
            body = BoxIn(title=title, topic=topic, store_id=store_id, administrators=[str(one) for one in readers])
            await boxes.write(tx, box_id, body, readers, now)
        for number, (box_id, text, answer, signed) in enumerate(SAID):
            member_id = member_ids[number * 7] if signed else None
            reader = staff["manager1"] if box_id == SHOP else staff["admin"]
            await _suggest(tx, box_id, text, answer, member_id, reader, now - timedelta(days=3 * number + 1))


async def _suggest(
    tx: Tx, box_id: str, text: str, answer: str | None, member_id: int | None, reader: int, at: datetime
) -> None:
    suggestion_id = "G" + readable.make(secrets.randbits(75), 15)
    day = clock.local_date(at, settings().timezone)
    receipt = receipt_digest(tickets.receipt_from(secrets.token_bytes(12))) if member_id is None else None
    answered_at = at + timedelta(hours=20) if answer else None
    await Suggestion.create(
        using_db=tx,
        id=suggestion_id,
        box_id=box_id,
        member_id=member_id,
        receipt=receipt,
        state="answered" if answer else "open",
        day=day,
        at=at if member_id is not None else None,
        answered_at=answered_at,
        messages=2 if answer else 1,
        unanswered=0 if answer else 1,
        version=2 if answer else 1,
    )
    said = [("writer", None, text, at if member_id is not None else None), ("staff", reader, answer, answered_at)]
    for seq, (author, staff_id, words, when) in enumerate(said, 1):
        if words is not None:
            await Message.create(
                using_db=tx,
                id=secrets.token_hex(32),
                suggestion_id=suggestion_id,
                seq=seq,
                author=author,
                staff_id=staff_id,
                text=words,
                pictures=[],
                day=day if author == "writer" else clock.local_date(at + timedelta(hours=20), settings().timezone),
                at=when,
            )


async def load_cases(member_ids: Sequence[int]) -> None:
    """Sixty cases of the last half year; the newest wait, a few of them for too long."""
    random = Random(612)  # noqa: S311 - a fixed seed is the point
    staff = {row["username"]: row["id"] for row in await db.fetch("SELECT id, username FROM auth_staff")}
    now = clock.now()
    for number in range(CASES):
        at = now - timedelta(days=DAYS * (CASES - number - 1) / CASES, hours=random.randrange(1, 20))
        store = number % len(STORES)
        manager = Actor(By.STAFF, staff[f"manager{store + 1}"])
        new = _new_case(random, number, member_ids, STORES[store], manager)
        async with db.transaction() as tx:
            case_id = await cases.open(tx, new, at=at)
            if number < CASES - 6:
                await _see_to(tx, case_id, manager, at, random)


def _new_case(random: Random, number: int, member_ids: Sequence[int], store_id: str, manager: Actor) -> NewCase:
    kind = random.choice((*CaseKind, CaseKind.COMPLAINT, CaseKind.COMPLAINT))
    walk_in = number % 5 == 0
    return NewCase(
        kind=kind,
        channel=random.choice((CaseChannel.SHOP, CaseChannel.PHONE)) if walk_in else CaseChannel.MINIAPP,
        text=random.choice(TEXTS[kind]),
        member_id=None if walk_in else member_ids[number * 11 % len(member_ids)],
        contact=Contact("李先生", f"138{random.randrange(10**8):08d}") if walk_in else None,
        store_id=store_id,
        priority=Priority.HIGH if kind is CaseKind.COMPLAINT and number % 4 == 0 else Priority.NORMAL,
        by=manager if walk_in else Actor(By.MEMBER),
    )


async def _see_to(tx: Tx, case_id: str, manager: Actor, at: datetime, random: Random) -> None:
    """Answer a case some hours later, and mostly close it with some stars."""
    answered = at + timedelta(hours=random.choice((1, 3, 6, 12, 30)), minutes=random.randrange(60))
    if answered > clock.now():
        return
    first = {"answered_at": answered, "answered_by": manager.staff_id, "assigned_to": manager.staff_id}
    case = await locks.lock_case(tx, case_id)
    await cases.step(
        tx,
        case,
        Action.ANSWER,
        manager,
        text=random.choice(ANSWERS),
        changes=first | {"updated_at": answered},
        at=answered,
    )
    closed = answered + timedelta(days=random.choice((1, 2, 7)))
    if closed > clock.now() or random.random() < 0.1:
        return
    case = await locks.lock_case(tx, case_id)
    outcome = random.choice((Outcome.SOLVED, Outcome.SOLVED, Outcome.EXPLAINED, Outcome.COMPENSATED))
    given = "赠酸奶一盒" if outcome is Outcome.COMPENSATED else ""
    changes = {"outcome": outcome.value, "compensation": given, "closed_at": closed}
    detail = {"outcome": outcome.value, "compensation": given}
    await cases.step(tx, case, Action.CLOSE, manager, detail=detail, changes=changes, at=closed)
    if case.member_id is not None and random.random() < 0.7:
        rating = random.choice((3, 4, 5, 5, 5))
        case = await locks.lock_case(tx, case_id)
        await cases.step(
            tx,
            case,
            Action.RATE,
            Actor(By.MEMBER),
            detail={"rating": str(rating)},
            changes={"rating": rating},
            at=closed + timedelta(hours=2),
        )


async def load_gifts() -> None:
    """Stores may give the coupon for a cup of tea; one of them did give points, for a complaint that waits."""
    row = await db.fetchrow(
        "SELECT c.id, c.version, s.id AS staff_id FROM feedback_case c"
        " JOIN auth_staff s ON s.store_id = c.store_id AND s.role = 'manager'"
        " WHERE c.member_id IS NOT NULL AND c.state = 'received' ORDER BY c.created_at DESC LIMIT 1"
    )
    if row is not None:
        caller = await auth.get_caller(row["staff_id"])
        await giving.give(row["id"], GiveIn(points=200, reason=REASON, version=row["version"]), caller)
    office = await db.fetchval("SELECT id FROM auth_staff WHERE role = 'admin' ORDER BY id LIMIT 1")
    await giving.offer(TEA, await auth.get_caller(office))
