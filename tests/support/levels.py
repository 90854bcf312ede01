"""Levels for tests: rules put in force over HTTP, and what becomes of members under them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from backend.kernel import db, outbox
from backend.kernel.config import Settings
from backend.lifecycle import queries
from backend.lifecycle.commands import runs
from backend.members import queries as members
from tests.support.members import Phone
from tests.support.pos import Till
from tests.support.races import codes_of
from tests.support.staff import StaffSession

RULES = "/v1/admin/level-rules"
YEAR = {"kind": "months", "months": 12}
SILVER = {"reach": {"spend_fen": 10_000}, "window": YEAR, "period": YEAR}
GOLD = {
    "reach": {"spend_fen": 50_000},
    "keep": {"spend_fen": 40_000},
    "window": YEAR,
    "period": YEAR,
    "grace_days": 7,
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def levels(database: Settings) -> None:
    """Silver from ¥100, gold from ¥500 of growth; gold takes 5 % off."""
    await db.fetchval(
        "INSERT INTO member_level (code, name, discount_bp, points_multiplier_bp, growth_from_fen)"
        " VALUES ('silver', '银卡', 200, 12000, 10000), ('gold', '金卡', 500, 15000, 50000) RETURNING 1"
    )
    members.forget_levels()


@pytest_asyncio.fixture(loop_scope="session")
async def no_other_rules(database: Settings) -> AsyncIterator[None]:
    """When the test is over levels go by growth again, and nobody stands anywhere."""
    yield
    for table in ("lifecycle_programme", "lifecycle_stages", "lifecycle_standing", "lifecycle_run"):
        await db.pool().execute(f"DELETE FROM {table}")
    await db.pool().execute("UPDATE member_level SET ruled = false")
    members.forget_levels()
    queries.forget_rules()


async def put_rules(admin: StaffSession, **rules: Any) -> dict[str, Any]:
    """Put rules in force, and look at everybody."""
    version = (await admin.get(RULES)).json()["version"]
    answer = await admin.call("PUT", RULES, {"version": version, "rules": rows(rules)})
    assert answer.status_code == 200, answer.text
    queries.forget_rules()
    while await runs.go_on():
        pass
    run: dict[str, Any] = answer.json()
    return run


def rows(rules: dict[str, Any]) -> list[dict[str, Any]]:
    """Rules as they are sent."""
    return [{"level": level} | rule for level, rule in rules.items()]


async def buy(client: httpx.AsyncClient, till: Till, phone: Phone, fen: int) -> str:
    """A sale paid in cash, and everything that follows from it; its id. Prices are as the till says them."""
    (code,) = await codes_of(phone, 1)
    answer = await till.sell(client, code, fen=fen, tenders=[{"type": "cash"}])
    assert answer.status_code == 201, answer.text
    await outbox.drain()
    sale_id: str = answer.json()["id"]
    return sale_id


async def give_back(client: httpx.AsyncClient, till: Till, sale_id: str, fen: int) -> None:
    """A refund of so much, and everything that follows from it."""
    answer = await till.post(client, f"/v1/pos/sales/{sale_id}/refunds", {"amount_fen": fen, "reason": "x"})
    assert answer.status_code == 201, answer.text
    await outbox.drain()


async def level_of(phone: Phone) -> str:
    """The level that prices are made with."""
    code: str = (await phone.call("GET", "/v1/member/level")).json()["level"]["code"]
    return code


async def history(phone: Phone) -> list[tuple[str, str, str]]:
    """Why, from which level, to which; oldest first."""
    answer = await phone.call("GET", "/v1/member/level/history")
    assert answer.status_code == 200, answer.text
    return [(one["why"], one["source"], one["level"]) for one in reversed(answer.json()["items"])]
