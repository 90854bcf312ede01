"""Care plans, and what becomes of them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from backend.care.commands import carrying, running
from backend.kernel import clock, db
from tests.support.members import Phone
from tests.support.staff import StaffSession

PLANS = "/v1/admin/care-plans"
TASKS = "/v1/admin/care-tasks"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """The chain's day."""
    return clock.now().astimezone(SHANGHAI).date()


async def born_today(phone: Phone, year: int = 1990) -> None:
    """The member's birthday is today."""
    day = today()
    await db.fetchval("UPDATE member SET birthday = $2 WHERE id = $1", phone.member_id, date(year, day.month, day.day))


async def plan(admin: StaffSession, trigger: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A draft; a letter of greeting unless it says otherwise."""
    body = {"title": "关怀", "trigger": trigger, "how": "letter", "template": "care.greeting", "hour": 0} | fields
    if body["how"] != "letter":
        del body["template"]
    made = await admin.post(PLANS, body, key=uuid4().hex)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def started(admin: StaffSession, trigger: dict[str, Any], **fields: Any) -> str:
    """A plan that runs; its id."""
    made = await plan(admin, trigger, **fields)
    answer = await admin.post(f"{PLANS}/{made['id']}/start", {})
    assert answer.status_code == 200, answer.text
    found: str = made["id"]
    return found


async def run() -> None:
    """The day is run, and what is due goes."""
    await running.run_due(clock.now())
    await carrying.carry_out_due()


async def tasks(admin: StaffSession, plan_id: str) -> list[dict[str, Any]]:
    """A plan's tasks."""
    found: list[dict[str, Any]] = (await admin.get(f"{TASKS}?plan_id={plan_id}")).json()["items"]
    return found


async def letters(member_id: int, template: str = "care.greeting") -> list[str]:
    """What letters of a template say to a member."""
    rows = await db.fetch("SELECT body FROM message_letter WHERE member_id = $1 AND template = $2", member_id, template)
    return [row[0] for row in rows]


async def points_of(phone: Phone) -> int:
    """The member's points."""
    found: int = (await phone.wallet())["points"]["available"]
    return found
