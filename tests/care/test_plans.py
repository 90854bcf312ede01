"""Plans from draft to effect: whom they find, once, and what they give, once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from backend.care import handlers, service
from backend.care.commands import carrying, judging, running
from backend.kernel import clock, config, db, outbox
from backend.members.events import LevelReached
from backend.messages import service as messages
from tests.support.books import fingerprint
from tests.support.care import PLANS, SHANGHAI, born_today, letters, plan, points_of, run, started, tasks, today
from tests.support.coupons import make_template
from tests.support.members import register
from tests.support.races import codes_of
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("quiet")


async def test_a_birthday_is_greeted_with_its_gift_once_a_year(admin, phone, books):
    template = await make_template(admin, title="生日券", claim_by="nobody", per_member=None)
    await born_today(phone)
    gift = {"points": 88, "template_id": template["id"]}
    first = await started(admin, {"on": "birthday"}, template="care.birthday", gift=gift)
    second = await plan(admin, {"on": "birthday"}, template="care.greeting", gift={"points": 5})

    refused = await admin.post(f"{PLANS}/{second['id']}/start", {})
    await run()
    meant = await admin.post(f"{PLANS}/{second['id']}/start", {"beside_other_gifts": True})
    for _ in range(3):
        await run()

    assert (refused.status_code, refused.json()["code"]) == (409, "birthday_gift_exists")
    assert refused.json()["others"] == ["关怀计划「关怀」"]
    assert meant.json()["state"] == "active"
    assert await points_of(phone) == 88
    coupons = (await phone.call("GET", "/v1/member/coupons")).json()["items"]
    assert [coupon["title"] for coupon in coupons] == ["生日券"]
    (task,) = await tasks(admin, first)
    assert (task["status"], task["given"]) == ("sent", {"points": 88, "coupon_ids": [coupons[0]["id"]]})
    (other,) = await tasks(admin, second["id"])
    assert other["given"] == {"refused": "given_this_year"}
    assert await letters(phone.member_id, "care.birthday") == [
        "王小明，祝您生日快乐！送您 88 积分和「生日券」，已放入您的账户。"
    ]
    assert await letters(phone.member_id) == [f"王小明，{config.settings().chain_name}向您问好！"]


async def test_a_run_that_is_killed_anywhere_goes_on_and_gives_nothing_twice(admin, client, monkeypatch, books):
    phones = [await register(client) for _ in range(5)]
    for phone in phones:
        await born_today(phone)
    plan_id = await started(admin, {"on": "birthday"}, template="care.birthday", gift={"points": 7})
    monkeypatch.setattr(running, "AT_ONCE", 2)
    real, calls = service.make_tasks, 0

    async def killed_at_the_second(*args, **kwargs):
        nonlocal calls
        calls += 1
        states = await real(*args, **kwargs)
        if calls == 2:
            raise RuntimeError("killed")
        return states

    with monkeypatch.context() as patch:
        patch.setattr(service, "make_tasks", killed_at_the_second)
        with pytest.raises(RuntimeError):
            await running.run_due(clock.now())
    (half,) = (await admin.get(f"{PLANS}/{plan_id}/runs")).json()["items"]
    real_send = messages.send
    with monkeypatch.context() as patch:

        async def killed_before_the_letter(*args):
            raise RuntimeError("killed")

        patch.setattr(messages, "send", killed_before_the_letter)
        with pytest.raises(RuntimeError):
            await carrying.carry_out_due()
    assert messages.send is real_send
    await asyncio.gather(run(), run())
    await run()

    assert (half["made"], half["done_at"]) == (2, None)
    (whole,) = (await admin.get(f"{PLANS}/{plan_id}/runs")).json()["items"]
    assert (whole["made"], whole["done_at"] is not None) == (5, True)
    assert [await points_of(phone) for phone in phones] == [7] * 5
    assert [len(await letters(phone.member_id, "care.birthday")) for phone in phones] == [1] * 5


async def test_a_coupon_that_is_not_to_be_had_is_not_promised(admin, phone):
    template = await make_template(admin, title="售罄券", claim_by="nobody", total=1)
    other = await make_template(admin)
    assert other["id"] != template["id"]
    await db.fetchval("UPDATE coupon_template SET issued = 1 WHERE id = $1", template["id"])
    plan_id = await started(
        admin,
        {"on": "registered"},
        gift={"points": 3, "template_id": template["id"]},
        audience={"member_nos": [phone.member["member_no"]]},
    )

    await run()

    (task,) = await tasks(admin, plan_id)
    assert (task["status"], task["given"]) == ("sent", {"points": 3, "refused": "coupon_sold_out"})
    (letter,) = await letters(phone.member_id)
    assert letter.endswith("送您 3 积分，已放入您的账户。")
    await db.fetchval("UPDATE coupon_template SET issued = 0 WHERE id = $1", template["id"])


async def test_who_is_frozen_before_it_goes_gets_nothing(admin, phone):
    plan_id = await started(
        admin, {"on": "registered"}, gift={"points": 3}, audience={"member_nos": [phone.member["member_no"]]}
    )
    await running.run_due(clock.now())
    frozen = await admin.post(f"/v1/admin/members/{phone.member_id}/freeze")
    assert frozen.status_code in (200, 204), frozen.text

    await carrying.carry_out_due()
    await carrying.carry_out_due()

    (task,) = await tasks(admin, plan_id)
    assert (task["status"], task["note"], task["given"]) == ("failed", "member_inactive", None)
    assert await letters(phone.member_id) == []


async def sell(chain, client, phone, sku: str = "6901") -> None:
    line = {"sku": sku, "qty": 1, "unit_price_fen": 500}
    tenders = [{"type": "cash", "amount_fen": 500}]
    (code,) = await codes_of(phone, 1)
    body = {"code": code, "order_no": uuid4().hex, "lines": [line], "tenders": tenders}
    sale = await chain.till.post(client, "/v1/pos/sales", body, key=uuid4().hex)
    assert sale.status_code == 201, sale.text
    await outbox.drain()


async def found_on(admin, trigger: dict, day: datetime, phone, **fields) -> list[str]:
    """The statuses of what a plan makes of this member, run at that time."""
    plan_id = await started(admin, trigger, audience={"member_nos": [phone.member["member_no"]]}, **fields)
    await db.fetchval(
        "UPDATE care_plan SET done_on = $2 WHERE id = $1", plan_id, day.astimezone(SHANGHAI).date() - timedelta(days=1)
    )
    await running.run_due(day)
    rows = await db.fetch("SELECT occasion FROM care_task WHERE plan_id = $1", plan_id)
    await db.fetchval("UPDATE care_plan SET state = 'ended' WHERE id = $1", plan_id)
    return [row[0] for row in rows]


async def test_each_trigger_finds_its_members_on_its_day(admin, chain, client, phone):
    now, on = clock.now(), today()
    later = {days: now + timedelta(days=days) for days in (1, 2, 3)}
    await give(phone.member_id, points=30, points_until=on + timedelta(days=5))
    await sell(chain, client, phone)
    await db.fetchval(
        "INSERT INTO audience_bought (member_id, sku, pieces, times, last_on) VALUES ($1, '6901', 1, 1, $2)"
        " ON CONFLICT (member_id, sku) DO UPDATE SET last_on = $2 RETURNING 1",
        phone.member_id,
        on,
    )
    await db.fetchval("INSERT INTO care_fact VALUES ('level', $1, 'gold', $2) RETURNING 1", phone.member_id, on)
    await db.fetchval("INSERT INTO care_fact VALUES ('coupon', $1, '2026-12-01', $2) RETURNING 1", phone.member_id, on)

    assert await found_on(admin, {"on": "registered", "days": 2}, later[2], phone) == ["registered"]
    assert await found_on(admin, {"on": "registered", "days": 2}, later[3], phone) == []
    assert await found_on(admin, {"on": "bought", "days": 2, "skus": ["6901"]}, later[2], phone) == [f"since {on}"]
    assert await found_on(admin, {"on": "bought", "days": 2, "skus": ["6902"]}, later[2], phone) == []
    assert await found_on(admin, {"on": "not_bought", "days": 3}, later[3], phone) == [f"since {on}"]
    assert await found_on(admin, {"on": "not_bought", "days": 3}, later[2], phone) == []
    expires = on + timedelta(days=5)
    assert await found_on(admin, {"on": "points_expiring", "days": 3}, later[2], phone) == [f"points {expires}"]
    assert await found_on(admin, {"on": "points_expiring", "days": 3}, later[1], phone) == []
    assert await found_on(admin, {"on": "level", "days": 1}, later[1], phone) == ["level gold"]
    assert await found_on(admin, {"on": "coupon_expiring"}, now, phone) == ["coupon 2026-12-01"]
    first = (on + timedelta(days=1)).isoformat()
    assert await found_on(admin, {"on": "day"}, later[1], phone, starts_on=first) == ["day"]
    assert await found_on(admin, {"on": "day"}, later[2], phone, starts_on=first) == []


async def test_a_reached_level_is_noted_once(admin, phone):
    for _ in range(2):
        async with db.transaction() as tx:
            await handlers.note_level(LevelReached(member_id=phone.member_id, level="gold"), tx)

    rows = await db.fetch("SELECT kind, ref, on_date FROM care_fact WHERE member_id = $1", phone.member_id)

    assert [(row["kind"], row["ref"], row["on_date"]) for row in rows] == [("level", "gold", today())]


async def test_who_is_held_out_gets_nothing_and_is_compared(admin, client, chain, books):
    phones = [await register(client) for _ in range(12)]
    meant = {"member_nos": [phone.member["member_no"] for phone in phones]}
    shares = {"holdout_bp": 5_000, "window_days": 1}
    plan_id = await started(admin, {"on": "registered"}, gift={"points": 9}, audience=meant, **shares)
    await db.fetchval("UPDATE care_plan SET seed = '\\x00' WHERE id = $1", plan_id)
    await run()
    rows = await db.fetch("SELECT member_id, state FROM care_task WHERE plan_id = $1", plan_id)
    states = {row["member_id"]: row["state"] for row in rows}
    held = [phone for phone in phones if states[phone.member_id] == "held_out"]
    cared = [phone for phone in phones if states[phone.member_id] == "sent"]
    assert 0 < len(held) < 12
    assert len(held) + len(cared) == 12
    assert [await points_of(phone) for phone in held] == [0] * len(held)
    assert [len(await letters(phone.member_id)) for phone in held] == [0] * len(held)
    assert [await points_of(phone) for phone in cared] == [9] * len(cared)
    await sell(chain, client, cared[0])
    await sell(chain, client, cared[0])
    await sell(chain, client, held[0])

    assert await judging.judge_due(clock.now()) == 0
    await judging.judge_due(clock.now() + timedelta(days=2))
    found = (await admin.get(f"{PLANS}/{plan_id}/effect")).json()

    assert found["cared"] == {"members": len(cared), "bought": 1, "spent_fen": 1_000}
    assert found["held_out"] == {"members": len(held), "bought": 1, "spent_fen": 500}
    assert (found["waiting"], found["effect"]["too_few"], found["says"]) == (0, True, "样本太少，还不能下结论。")


async def test_a_plan_is_a_draft_before_it_runs_and_stops_when_it_is_told(admin, phone):
    body = {"title": "一", "trigger": {"on": "registered"}, "how": "call", "hour": 0}
    first = await admin.post(PLANS, body, key="same")
    again = await admin.post(PLANS, body, key="same")
    other = await admin.post(PLANS, body | {"title": "二"}, key="same")
    assert (first.json()["id"], again.headers["idempotency-replayed"]) == (again.json()["id"], "true")
    assert other.json()["code"] == "idempotency_conflict"
    one = f"{PLANS}/{first.json()['id']}"

    changed = await admin.call("PUT", one, body | {"title": "改", "version": 1})
    stale = await admin.call("PUT", one, body | {"title": "改", "version": 1})
    paused = await admin.post(f"{one}/pause")
    await admin.post(f"{one}/start", {})
    late = await admin.call("PUT", one, body | {"version": 2})
    for _ in range(2):
        stopped = await admin.post(f"{one}/pause")
        assert stopped.json()["state"] == "paused"
    await running.run_due(clock.now())

    assert (changed.json()["title"], changed.json()["version"]) == ("改", 2)
    assert [(a.status_code, a.json()["code"]) for a in (stale, paused, late)] == [
        (409, "care_plan_changed"), (409, "care_plan_conflict"), (409, "care_plan_conflict"),
    ]  # fmt: skip
    assert await tasks(admin, first.json()["id"]) == []
    assert (await admin.post(f"{one}/end")).json()["state"] == "ended"
    assert (await admin.post(f"{one}/start", {})).json()["code"] == "care_plan_conflict"
    said = [item["action"] for item in (await admin.get(f"{one}/changes")).json()["items"]]
    assert said == ["ended", "paused", "active", "change", "create"]


async def test_what_is_refused_changes_nothing(admin, manager, settings):
    body = {"title": "x", "trigger": {"on": "birthday"}, "how": "call"}
    letter = body | {"how": "letter", "template": "care.birthday"}
    before = await fingerprint(settings)

    cases = [
        (letter | {"template": None}, "/template"),
        (letter | {"template": "none.there"}, "/template"),
        (body | {"template": "care.birthday"}, "/template"),
        (letter | {"owner_id": "1"}, "/owner_id"),
        (body | {"owner_id": "1"}, "/owner_id"),
        (body | {"gift": {}}, "/gift"),
        (body | {"gift": {"template_id": "T0"}}, "/gift/template_id"),
        (body | {"gift": {"points": 0}}, "/gift/points"),
        (body | {"trigger": {"on": "birthday", "days": 61}}, "/trigger/days"),
        (body | {"trigger": {"on": "not_bought"}}, "/trigger/days"),
        (body | {"trigger": {"on": "birthday", "skus": ["1"]}}, "/trigger/skus"),
        (body | {"trigger": {"on": "birthday", "level": "x"}}, "/trigger/level"),
        (body | {"trigger": {"on": "level", "level": "nobody"}}, "/trigger/level"),
        (body | {"trigger": {"on": "day"}}, "/starts_on"),
        (body | {"starts_on": "2026-12-02", "ends_on": "2026-12-01"}, "/ends_on"),
        (body | {"audience": {"levels": ["nobody"]}}, "/audience/levels/0"),
        (body | {"holdout_bp": 5_001}, "/holdout_bp"),
        (body | {"surprise": 1}, "/surprise"),
    ]
    answers = [await admin.post(PLANS, case, key=uuid4().hex) for case, _ in cases]

    assert [(a.status_code, a.json()["errors"][0]["pointer"]) for a in answers] == [(422, p) for _, p in cases]
    assert (await manager.post(PLANS, body, key="m")).status_code == 403
    assert (await manager.get(PLANS)).status_code == 403
    assert (await admin.get(f"{PLANS}/P0")).status_code == 404
    assert await fingerprint(settings) == before
