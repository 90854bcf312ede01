"""Drafts of batches are changed until they are started; whom a batch finds is judged once, when it comes to them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from backend.kernel import config, db
from backend.messages.channels import TryAgain
from backend.messages.commands import filling
from backend.messages.types import Channel
from tests.support.books import fingerprint
from tests.support.messages import BATCHES, make_batch, many_members, own_template, work
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")


NOBODY = "999999999999"


def changed(batch, **fields):
    """A draft as it was read, with other fields."""
    kept = {name: batch[name] for name in ("title", "template", "values", "audience", "link", "send_at", "version")}
    return kept | fields


async def put(staff, batch, **fields):
    return await staff.call("PUT", f"{BATCHES}/{batch['id']}", changed(batch, **fields))


async def start(staff, batch):
    moved = await staff.post(f"{BATCHES}/{batch['id']}/start")
    assert moved.status_code == 200, moved.text


async def reached(batch):
    rows = await db.fetch("SELECT member_id FROM message_letter WHERE batch_id = $1 ORDER BY 1", batch["id"])
    return [row["member_id"] for row in rows]


async def state_of(batch):
    return await db.fetchval("SELECT state FROM message_batch WHERE id = $1", batch["id"])


async def test_a_draft_is_changed_and_says_anew_how_many_it_means(admin, phone):
    await own_template(admin, "own.batch")
    await own_template(admin, "own.service", purpose="service")
    batch = await make_batch(admin, "own.batch", audience={"member_nos": [NOBODY]})
    numbers = {"member_nos": [phone.member["member_no"]]}

    answer = await put(admin, batch, title="改过", template="own.service", audience=numbers, values={"what": "桃子"})
    await start(admin, batch)
    await work()

    now = answer.json()
    assert (answer.status_code, now["title"], now["purpose"]) == (200, "改过", "service")
    assert (batch["expected"], batch["version"], now["expected"], now["version"]) == (0, 1, 1, 2)
    assert await reached(batch) == [phone.member_id]
    actions = [item["action"] for item in (await admin.get(f"{BATCHES}/{batch['id']}/changes")).json()["items"]]
    assert actions == ["start", "change", "create"]


async def test_what_is_no_draft_or_another_one_by_now_or_no_good_is_not_changed(admin, client, chain, settings):
    await own_template(admin, "own.batch")
    await own_template(admin, "own.service", purpose="service")
    own, other = await log_in(client, chain, "manager-S1"), await log_in(client, chain, "manager-S2")
    draft, started = await make_batch(own, "own.batch"), await make_batch(admin, "own.batch")
    await admin.post(f"{BATCHES}/{started['id']}/cancel")
    before = await fingerprint(settings)

    answers = [
        await put(other, draft),
        await put(own, started),
        await put(admin, started),
        await put(own, draft, version=9),
        await put(own, draft, template="own.service"),
        await put(own, draft, audience={"store_ids": ["S2"]}),
        await put(admin, draft, audience={"store_ids": ["S2"]}),
        await put(own, draft, values={}),
        await put(own, draft, link="https://example.com"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (404, "not_found"),
        (404, "not_found"),
        (409, "message_batch_conflict"),
        (409, "message_batch_changed"),
        (403, "forbidden"),
        *[(422, "validation_failed")] * 4,
    ]
    assert await fingerprint(settings) == before


async def test_of_two_who_change_one_draft_one_wins_and_started_it_stays_as_it_is(admin):
    await own_template(admin, "own.batch")
    batch = await make_batch(admin, "own.batch", audience={"member_nos": [NOBODY]})

    both = await asyncio.gather(put(admin, batch, title="一"), put(admin, batch, title="二"))
    (winner,) = [answer.json() for answer in both if answer.status_code == 200]
    race = await asyncio.gather(
        admin.post(f"{BATCHES}/{batch['id']}/start"), *[put(admin, winner, title=f"三{n}") for n in range(4)]
    )

    assert sorted(answer.status_code for answer in both) == [200, 409]
    assert race[0].status_code == 200
    assert sum(answer.status_code == 200 for answer in race[1:]) <= 1
    assert await state_of(batch) in ("running", "done")


async def test_what_waits_for_its_time_holds_up_none_behind_it(admin, phone, clock):
    """More planned batches than are written at once, all asked for before the one that is to go now."""
    await own_template(admin, "own.service", purpose="service")
    numbers = {"member_nos": [phone.member["member_no"]]}
    later = (clock.now() + timedelta(days=30)).isoformat()
    planned = [
        await make_batch(admin, "own.service", audience=numbers, send_at=later) for _ in range(filling.MOST_AT_ONCE)
    ]
    await asyncio.gather(*(start(admin, batch) for batch in planned))
    now = await make_batch(admin, "own.service", audience=numbers)
    await start(admin, now)
    await db.pool().execute("UPDATE message_batch SET id = 'Z' || id WHERE id = $1", now["id"])  # last in any order

    await work()

    assert await db.fetchval("SELECT state FROM message_batch WHERE id = $1", f"Z{now['id']}") == "done"
    assert {await state_of(batch) for batch in planned} == {"scheduled"}
    for batch in planned:
        await admin.post(f"{BATCHES}/{batch['id']}/cancel")


async def test_what_waits_for_the_morning_or_for_its_gateway_holds_up_none_behind_it(
    admin, phone, clock, settings, fake_channels, monkeypatch
):
    monkeypatch.setattr(filling, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(filling, "AHEAD", 1)
    config.use(msgspec.structs.replace(settings, message_quiet_from="00:00", message_quiet_until="23:59"))

    def busy(outgoing):
        raise TryAgain(after_s=3600)

    fake_channels[Channel.SMS].answer = busy
    await own_template(admin, "own.batch")
    await own_template(admin, "own.sms", purpose="service", channels=["sms"])
    await own_template(admin, "own.service", purpose="service")
    numbers = {"member_nos": [phone.member["member_no"]]}

    codes = ("own.batch", "own.sms", "own.batch", "own.sms")
    waiting = [await make_batch(admin, code, audience=numbers) for code in codes]
    for batch in waiting:
        await start(admin, batch)
    await work()
    now = await make_batch(admin, "own.service", audience=numbers)
    await start(admin, now)

    await work()

    assert await state_of(now) == "done"
    assert {await state_of(batch) for batch in waiting} == {"running"}
    for batch in waiting:
        await admin.post(f"{BATCHES}/{batch['id']}/cancel")


async def test_whom_a_batch_finds_is_judged_once_when_it_comes_to_them(admin, clock, monkeypatch):
    """It goes through those who are members when it starts: who changes ahead of it counts as they are then, who
    changes behind it does not, and who joins meanwhile does not.
    """
    monkeypatch.setattr(filling, "CHUNK", 2)
    await own_template(admin, "own.service", purpose="service")
    *people, newcomer = await many_members(7, "S2")
    await db.pool().execute("UPDATE member SET gender = 'male' WHERE id = ANY($1)", [people[0], people[5]])
    women = {"store_ids": ["S2"], "genders": ["unknown"]}
    batch = await make_batch(admin, "own.service", audience=women)
    await start(admin, batch)

    await filling.fill(clock.now())
    so_far = await reached(batch)
    await db.pool().execute("UPDATE member SET gender = 'unknown' WHERE id = ANY($1)", [people[0], people[5]])
    await db.pool().execute("UPDATE member SET status = 'frozen' WHERE id = $1", people[4])
    await db.pool().execute("UPDATE member SET created_at = now() + interval '1 s' WHERE id = $1", newcomer)
    await work()

    assert set(people) & set(so_far) == {people[1], people[2]}
    assert set(people) & set(await reached(batch)) == {people[1], people[2], people[3], people[5]}
    assert newcomer not in await reached(batch)
    assert await state_of(batch) == "done"
