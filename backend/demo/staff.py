"""Somebody of each role, what waits for a second person, and a month in the audit log."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from backend.auth import queries as auth
from backend.auth import trails
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids
from backend.kernel.http import Idempotency
from backend.members import queries as members
from backend.points.commands import adjustments
from backend.points.schemas import AdjustIn
from backend.points.types import AdjustReason

PEOPLE = ("member_centre", "marketing", "finance", "auditor")
"""Roles of head office with one person each, who are called like them."""

WISHES = (
    (AdjustReason.COMPENSATION, 800, "鸡蛋碎了两个，顾客接受补积分"),
    (AdjustReason.CORRECTION, -300, "同一张小票登记了两次"),
    (AdjustReason.GOODWILL, 500, "老会员生日当天到店"),
)
DAYS = 30

# Who does it (by name), the route, what it is called, what its address names, how it ends and how often in a hundred.
_DONE: tuple[tuple[str, str, str, str, int, str, int], ...] = (
    ("manager1", "POST /v1/admin/members/{member_id}/freeze", "冻结会员", "member", 200, "", 30),
    ("manager1", "POST /v1/admin/members/{member_id}/unfreeze", "解冻会员", "member", 200, "", 25),
    ("manager2", "POST /v1/admin/terminals/{terminal_id}/rotate-secret", "更换终端密钥", "till", 200, "", 15),
    ("clerk1", "POST /v1/admin/members/{member_id}/freeze", "冻结会员", "member", 403, "forbidden", 20),
    ("clerk2", "POST /v1/admin/contacts/lookup", "查找会员", "", 200, "", 80),
    ("marketing", "POST /v1/admin/messages/batches", "新建群发", "", 201, "", 20),
    ("finance", "POST /v1/admin/coupons/templates", "新建优惠券模板", "", 403, "forbidden", 10),
    ("admin", "PUT /v1/admin/levels/{code}", "修改会员等级", "level", 200, "", 8),
)


async def load_approvals() -> None:
    """Have the first store's manager ask for points for members of the store; nobody has decided yet."""
    manager = await _caller("manager1")
    found = await db.fetch(
        "SELECT id FROM member WHERE store_id = $1 AND status = 'active' ORDER BY id LIMIT $2",
        manager.store_id,
        len(WISHES),
    )
    for number, (row, (reason, points, text)) in enumerate(zip(found, WISHES, strict=False)):
        member = await members.find_member(row["id"])
        assert member is not None
        key = f"demo-{number}"
        body = AdjustIn(points=points, reason=reason, text=text)
        await adjustments.adjust(body, member, manager, Idempotency(key, key.encode().ljust(32)))


async def load_log() -> None:
    """Write down a month of log-ins and of what staff did and tried, always the same."""
    dice, now = Random(20), clock.now()  # noqa: S311 - a demo's month, not a secret
    people = {name: await _caller(name) for name in {one[0] for one in _DONE}}
    things = await _things()
    rows: list[tuple[Any, ...]] = []
    for day in range(DAYS, 0, -1):
        morning = (now - timedelta(days=day)).replace(hour=0, minute=30, second=0, microsecond=0)
        for name, person in sorted(people.items()):
            at = morning + timedelta(seconds=dice.randrange(3_600))
            if dice.random() < 0.1:
                rows.append(_row(person, at, trails.LOGIN, "员工登录", [], 401, "unauthenticated", name))
            rows.append(_row(person, at + timedelta(seconds=20), trails.LOGIN, "员工登录", [], 200, "", name))
        for name, route, title, thing, status, code, often in _DONE:
            if dice.randrange(100) < often:
                at = morning + timedelta(seconds=dice.randrange(3_600, 36_000))
                named = [dice.choice(things[thing])] if thing else []
                rows.append(_row(people[name], at, route, title, named, status, code, name))
    async with db.transaction() as tx:
        await db.raw(tx).executemany(trails.INSERT, rows)


def _row(
    who: StaffCaller, at: datetime, route: str, title: str, things: list[str], status: int, code: str, name: str
) -> tuple[Any, ...]:
    address = f"10.0.{sum(name.encode()) % 200}.7"
    call = trails.What(route, title, (), status, address, f"demo-{ids.new_token(9)}")
    made = trails.row(trails.who(who), call, things, status, code, {})
    return (made[0], at, *made[2:])


_TILLS = """
SELECT t.id FROM auth_terminal t JOIN auth_staff f ON f.store_id = t.store_id
 WHERE f.username = 'manager2' ORDER BY t.id
"""


async def _things() -> dict[str, list[str]]:
    member_ids = await db.fetch("SELECT id::text FROM member ORDER BY id LIMIT 40")
    tills = await db.fetch(_TILLS)
    levels = await db.fetch("SELECT code FROM member_level ORDER BY code")
    return {
        "member": [row[0] for row in member_ids],
        "till": [row[0] for row in tills],
        "level": [row[0] for row in levels],
    }


async def _caller(username: str) -> StaffCaller:
    return await auth.get_caller(await db.fetchval("SELECT id FROM auth_staff WHERE username = $1", username))
