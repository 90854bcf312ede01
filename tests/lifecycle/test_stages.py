"""Stages follow from purchases and from time, are counted by day, and can be meant by an audience."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backend.audience import queries as audience
from backend.audience.types import Audience
from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.lifecycle import queries, service
from backend.lifecycle.commands import clockwork, runs
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.types import NewMember, Stage, Status
from tests.support.books import fingerprint
from tests.support.levels import (
    SILVER,
    buy,
    give_back,
    level_of,
    levels,  # noqa: F401 - a fixture
    no_other_rules,  # noqa: F401 - a fixture
    put_rules,
)
from tests.support.members import random_phone, register

pytestmark = pytest.mark.usefixtures("levels", "no_other_rules")

RULES = "/v1/admin/stage-rules"


async def stage_of(member_id: int) -> Stage | None:
    return (await members.get_level_state(member_id)).stage


async def run_all() -> None:
    while await runs.go_on():
        pass


async def test_a_member_goes_through_the_stages(client, chain, phone, clock, books):
    await outbox.drain()
    seen = [await stage_of(phone.member_id)]
    sale = await buy(client, chain.till, phone, 500)
    seen.append(await stage_of(phone.member_id))
    second = await buy(client, chain.till, phone, 500)
    seen.append(await stage_of(phone.member_id))
    await give_back(client, chain.till, second, 500)
    seen.append(await stage_of(phone.member_id))
    for days in (180, 185):
        clock.shift(timedelta(days=days))
        await runs.start_due()
        await run_all()
        seen.append(await stage_of(phone.member_id))

    assert sale
    assert seen == [Stage.POTENTIAL, Stage.NEW, Stage.RETURNING, Stage.NEW, Stage.DORMANT, Stage.LOST]
    state = await members.get_level_state(phone.member_id)
    assert state.stage_since == kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")


async def test_the_day_s_run_looks_only_at_whom_time_changes_and_once_a_day(client, chain, phone, clock, books):
    await buy(client, chain.till, phone, 500)
    clock.shift(timedelta(days=179))
    before = await runs.start_due()
    clock.shift(timedelta(days=1))

    begun = [await runs.start_due() for _ in range(2)]
    await run_all()

    assert (before, begun) == (False, [True, False])
    (run,) = [one for one in await queries.list_runs(None, 9) if one.kind == "due"]
    assert (run.state, run.total, run.done) == ("done", run.done, run.total)


async def test_an_audience_means_a_stage(client, chain, phone, admin, books):
    await buy(client, chain.till, phone, 500)
    other = await register(client)
    await outbox.drain()
    both = [phone.member_id, other.member_id]

    new = await audience.among(Audience(stages=(Stage.NEW,)), both)
    early = await audience.among(Audience(stages=(Stage.POTENTIAL, Stage.LOST)), both)
    card = (await admin.get(f"/v1/admin/contacts/{phone.member_id}")).json()

    assert (new, early) == ({phone.member_id}, {other.member_id})
    assert card["profile"]["stage"] == "new"


async def test_counts_by_day_as_numbers_picture_and_table(client, chain, admin, phone, books):
    await buy(client, chain.till, phone, 500)
    await clockwork.count_stages()
    await clockwork.count_stages()
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai").isoformat()
    span = f"from={today}&to={today}"

    now = (await admin.get("/v1/admin/stages")).json()
    found = (await admin.get(f"/v1/admin/stages/statistics?{span}")).json()["items"]
    table = await admin.get(f"/v1/admin/stages/statistics/file?{span}")
    chart = await admin.get(f"/v1/admin/stages/statistics/chart?{span}")
    wrong = await admin.get(f"/v1/admin/stages/statistics?from={today}&to=2020-01-01")

    assert [one["on"] for one in found] == [today]
    assert found[0]["items"] == now["items"]
    counts = {one["stage"]: one["members"] for one in now["items"]}
    assert counts["new"] >= 1
    heading, line = table.text.removeprefix("\ufeff").splitlines()
    assert heading == "日期,潜在,新客,回头客,忠诚,沉睡,流失"
    assert line == ",".join([today, *(str(one["members"]) for one in now["items"])])
    assert (chart.headers["content-type"], chart.text[:4]) == ("image/svg+xml", "<svg")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/query/to")


async def test_other_rules_hold_for_everybody_once_they_were_looked_at(client, chain, admin, phone, books):
    await buy(client, chain.till, phone, 500)
    rules = [{"stage": "loyal", "purchases_from": 1, "within_days": 30}, {"stage": "potential"}]

    answer = await admin.call("PUT", RULES, {"version": 0, "rules": rules})
    await run_all()

    assert answer.status_code == 200, answer.text
    assert await stage_of(phone.member_id) is Stage.LOYAL
    assert (await admin.get(RULES)).json()["version"] == 1


async def test_stage_rules_that_cannot_be_are_refused_and_nothing_moves(admin, settings):
    last = {"stage": "new"}
    bad = [
        ([{"stage": "new", "idle_days_from": 3}], "/rules/0"),
        ([{"stage": "lost", "within_days": 3}, last], "/rules/0/within_days"),
        ([{"stage": "asleep"}, last], "/rules/0/stage"),
        ([{"stage": "lost", "idle_days_from": 0}, last], "/rules/0/idle_days_from"),
        ([], "/rules"),
    ]
    before = await fingerprint(settings)

    answers = await asyncio.gather(*(admin.call("PUT", RULES, {"version": 0, "rules": one}) for one, _ in bad))
    stale = await admin.call("PUT", RULES, {"version": 3, "rules": [last]})

    assert [answer.status_code for answer in answers] == [422] * len(bad)
    assert [answer.json()["errors"][0]["pointer"] for answer in answers] == [pointer for _, pointer in bad]
    assert (stale.status_code, stale.json()["code"]) == (409, "level_rules_changed")
    assert await fingerprint(settings) == before


async def test_members_whom_nobody_looked_at_are_found(client, books):
    await clockwork.look_back()
    async with db.transaction() as tx:
        new = NewMember(phone=random_phone(), name="王小明", status=Status.ACTIVE)
        member_id = await member_service.create_member(tx, new)
    assert member_id is not None

    begun = await runs.start_new(), await runs.start_new()
    await run_all()

    assert begun == (True, False)
    assert await stage_of(member_id) is Stage.POTENTIAL
    assert await runs.start_new() is False


async def test_a_merge_lets_one_member_have_what_both_bought(client, chain, admin, phone, books):
    await put_rules(admin, silver=SILVER)
    other = await register(client)
    for one in (phone, other):
        await buy(client, chain.till, one, 6_000)
    before = await level_of(phone)

    async with db.transaction() as tx:
        await service.merge(tx, other.member_id, phone.member_id)
    await outbox.drain()

    assert (before, await level_of(phone), await level_of(other)) == ("basic", "silver", "basic")
    assert await stage_of(phone.member_id) is Stage.RETURNING


async def test_what_was_bought_before_anybody_counted_is_read_from_the_books(client, chain, admin, phone, books):
    sale = await buy(client, chain.till, phone, 12_000)
    await give_back(client, chain.till, sale, 3_000)
    rows = "SELECT sale_id, kind, spent_fen, points FROM lifecycle_purchase WHERE member_id = $1"
    back = "SELECT sale_id, fen, points FROM lifecycle_return WHERE member_id = $1"
    before = [await db.fetch(sql, phone.member_id) for sql in (rows, back)]
    for table in ("purchase", "return"):
        await db.pool().execute(f"DELETE FROM lifecycle_{table}")
    await db.pool().execute("UPDATE lifecycle_backfill SET member_id = 0, document_id = '', done = false")

    await clockwork.look_back()

    assert [await db.fetch(sql, phone.member_id) for sql in (rows, back)] == before
    assert (before[0][0]["spent_fen"], before[1][0]["fen"]) == (12_000, 3_000)
