"""What a plan that is paused or has ended still does, and a gift to whoever wants no letters."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.care.commands import carrying, running
from backend.kernel import clock, db
from backend.messages.commands import deliver
from backend.messages.types import Channel, Purpose
from tests.support.care import PLANS, born_today, letters, points_of, started, tasks
from tests.support.members import register
from tests.support.messages import agree, deliveries, inbox

pytestmark = pytest.mark.usefixtures("quiet")


async def due(admin, phone):
    """A plan with a letter that is due and has not gone."""
    await born_today(phone)
    plan_id = await started(admin, {"on": "birthday"}, template="care.birthday", gift={"points": 9})
    await running.run_due(clock.now())
    (task,) = await tasks(admin, plan_id)
    assert task["status"] == "due"
    return f"{PLANS}/{plan_id}", plan_id


async def told(admin, plan_id):
    (task,) = await tasks(admin, plan_id)
    return task["status"], task["note"]


async def test_what_is_due_of_a_paused_plan_waits_until_it_goes_on(admin, phone, books):
    one, plan_id = await due(admin, phone)

    await admin.post(f"{one}/pause")
    sent = await carrying.carry_out_due()
    while_paused = (await told(admin, plan_id), await points_of(phone), await letters(phone.member_id, "care.birthday"))
    await admin.post(f"{one}/start", {})
    await carrying.carry_out_due()

    assert (sent, while_paused) == (0, (("due", ""), 0, []))
    assert await told(admin, plan_id) == ("sent", "")
    assert await points_of(phone) == 9


async def test_a_plan_that_is_paused_while_its_letters_go_stops_at_the_next(admin, client, monkeypatch, books):
    phones = [await register(client) for _ in range(3)]
    for phone in phones:
        await born_today(phone)
    plan_id = await started(admin, {"on": "birthday"}, template="care.birthday", gift={"points": 9})
    await running.run_due(clock.now())
    real = carrying._try

    async def pauses_after(plan, task_id):
        sent = await real(plan, task_id)
        await admin.post(f"{PLANS}/{plan_id}/pause")
        return sent

    monkeypatch.setattr(carrying, "_try", pauses_after)
    await carrying.carry_out_due()

    assert sorted(task["status"] for task in await tasks(admin, plan_id)) == ["due", "due", "sent"]
    assert sorted([await points_of(phone) for phone in phones]) == [0, 0, 9]


async def test_what_is_due_of_a_plan_that_has_ended_or_waited_too_long_is_given_up(admin, client, books):
    first, second = await register(client), await register(client)
    one, ended = await due(admin, first)
    await admin.post(f"{one}/end")
    await db.fetchval("UPDATE member SET birthday = NULL")
    two, paused = await due(admin, second)
    await admin.post(f"{two}/pause")
    await db.fetchval("UPDATE care_task SET made_at = $2 WHERE plan_id = $1", paused, clock.now() - timedelta(days=8))

    await carrying.carry_out_due()
    await admin.post(f"{two}/start", {})
    await carrying.carry_out_due()

    assert await told(admin, ended) == ("failed", "plan_ended")
    assert await told(admin, paused) == ("failed", "too_late")
    for phone in (first, second):
        assert await points_of(phone) == 0
        assert await letters(phone.member_id, "care.birthday") == []


async def test_a_run_that_has_no_time_left_goes_on_later(admin, phone, books):
    _, plan_id = await due(admin, phone)

    await carrying.run(0.0)
    before = await told(admin, plan_id)
    queued = await db.fetchval("SELECT count(*) FROM procrastinate_jobs WHERE task_name = $1", running.CARRY_OUT)
    await carrying.run(20.0)

    assert (before, await told(admin, plan_id)) == (("due", ""), ("sent", ""))
    assert queued >= 1


async def test_who_wants_no_letters_is_given_the_gift_all_the_same(admin, client, clock, books):
    """A gift is no message: nobody must agree to be written to in order to get what all members get."""
    willing, unwilling = await register(client), await register(client)
    for phone in (willing, unwilling):
        await born_today(phone)
    await agree(willing.member_id, Channel.INBOX, Purpose.CARE)
    await started(admin, {"on": "birthday"}, template="care.birthday", gift={"points": 9})

    await running.run_due(clock.now())
    await carrying.carry_out_due()
    await deliver.deliver_due()

    assert [await points_of(phone) for phone in (willing, unwilling)] == [9, 9]
    assert [len((await inbox(phone))["items"]) for phone in (willing, unwilling)] == [1, 0]
    assert (await deliveries(unwilling.member_id))["inbox"] == ("suppressed", "no_consent", 0)
    entries = (await unwilling.call("GET", "/v1/member/wallet/entries?account=points")).json()["items"]
    assert [(entry["kind"], entry["amount"]) for entry in entries] == [("gift", 9)]
