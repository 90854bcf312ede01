"""A new member's birthday: the day is run by the worker's jobs, the gift and the letter arrive, the store calls."""

from __future__ import annotations

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import config, db, jobs
from backend.kernel.config import Settings
from backend.kernel.jobs import runner
from backend.worker import load
from tests.support.care import PLANS, TASKS, born_today, started
from tests.support.members import register
from tests.support.messages import inbox
from tests.support.seed import seed_chain
from tests.support.staff import log_in
from tests.support.value import findings


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """No hour is quiet, whenever the test runs."""
    made = msgspec.structs.replace(settings, message_quiet_until=settings.message_quiet_from)
    config.use(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def chain(server):
    load()
    return await seed_chain(server.base_url)


async def test_a_birthday_is_greeted_and_called_and_judged(client, chain, settings):
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S1")
    phone = await register(client)
    await phone.call("PATCH", "/v1/member/profile", {"store_id": "S1"})
    await born_today(phone)
    wish = {"items": [{"channel": "inbox", "purpose": "care", "granted": True}]}
    assert (await phone.call("PUT", "/v1/member/messages/consents", wish)).status_code in (200, 204)
    plan_id = await started(admin, {"on": "birthday"}, template="care.birthday", gift={"points": 66})

    for name in ("care.run_plans", "care.carry_out", "messages.deliver"):
        async with db.transaction() as tx:
            await jobs.defer(tx, name)
        await runner.run_waiting(settings)

    assert (await phone.wallet())["points"]["available"] == 66
    (run,) = (await admin.get(f"{PLANS}/{plan_id}/runs")).json()["items"]
    assert (run["made"], run["done_at"] is not None) == (1, True)
    (call,) = (await manager.get(f"{TASKS}?status=open")).json()["items"]
    assert (call["title"], call["how"], call["member"]["id"]) == ("生日问候", "call", phone.member["id"])
    assert (await manager.post(f"{TASKS}/{call['id']}/done", {"note": "很高兴"})).status_code == 200
    (shown,) = (await manager.get("/v1/admin/birthdays")).json()["items"]
    assert (shown["task"]["status"], shown["task"]["note"]) == ("done", "很高兴")
    assert "生日快乐" in [letter["title"] for letter in (await inbox(phone))["items"]]
    assert await findings(settings) == []
