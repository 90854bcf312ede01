"""Subscribers are called: signed, in order, again where they do not take it, and nobody waits for another."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backend.feeds.commands import delivering, numbering
from backend.kernel import clock as kernel_clock
from backend.kernel import db
from tests.feeds.test_feed import ADMIN, entry
from tests.support.mis import make_subscriber

SCHEDULED = "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'feeds.tell' AND status = 'todo'"


async def tell() -> int:
    await numbering.number()
    return await delivering.deliver_due()


async def shown(admin, made) -> dict:
    answer = await admin.get(f"{ADMIN}/{made['subscriber']['id']}")
    return answer.json()


async def state_of(made) -> str:
    return await db.fetchval("SELECT state FROM feed_subscriber WHERE id = $1", made["subscriber"]["id"])


async def test_what_was_changed_is_sent_in_order_and_signed(admin, mis):
    made = await make_subscriber(admin, ["status"], mis.url)
    for member_id in range(1, 251):
        await entry(member_id)

    assert await tell() == 3

    assert [item["member"]["id"] for item in mis.told] == [str(one) for one in range(1, 251)]
    assert [batch["type"] for batch in mis.batches] == ["members.changed"] * 3
    assert all(mis.is_signed(call, made["secret"]) for call in range(3))
    assert not mis.is_signed(0, "whsec_" + "A" * 43 + "=")
    assert len({headers["webhook-id"] for headers, _ in mis.calls}) == 3
    assert (await shown(admin, made))["behind"] == 0
    assert await tell() == 0


async def test_after_numbers_were_passed_over_who_is_called_goes_on_and_has_all(admin, mis):
    """Nobody is called, or looked at, without end for numbers that there are not."""
    made, behind = await make_subscriber(admin, ["status"], mis.url), await make_subscriber(admin, ["status"], mis.url)
    await tell()
    await db.fetch("UPDATE feed_subscriber SET due_at = 'infinity' WHERE id = $1", behind["subscriber"]["id"])
    await entry(1)
    assert await tell() == 1

    await numbering.begin_again()
    await db.fetch("UPDATE feed_subscriber SET due_at = NULL WHERE id = $1", behind["subscriber"]["id"])

    assert await tell() == 1
    assert not await delivering.is_due()
    assert [(await shown(admin, one))["behind"] for one in (made, behind)] == [0, 0]
    await entry(2)
    assert await tell() == 2
    assert [item["member"]["id"] for item in mis.told] == ["1", "1", "2", "2"]


@pytest.mark.parametrize("answer", [500, 404, 302, None])
async def test_what_is_not_taken_is_sent_again_later_and_whole(admin, mis, clock, answer):
    made = await make_subscriber(admin, ["status"], mis.url)
    await entry(1)
    mis.answers = [answer, answer]

    assert await tell() == 0
    after = await shown(admin, made)
    assert (after["state"], after["tries"], after["behind"]) == ("active", 1, 1)
    assert after["last_error"]
    due = await db.fetchval(f"{SCHEDULED} AND queueing_lock LIKE '%' || $1", made["subscriber"]["id"])
    assert due.isoformat() == after["due_at"].replace("Z", "+00:00"), "before the clock's next look"
    await entry(2)
    assert (await tell(), len(mis.calls)) == (0, 1), "not before its time"
    clock.shift(timedelta(seconds=6))
    assert (await tell(), len(mis.calls)) == (0, 2)
    clock.shift(timedelta(seconds=34))
    assert await tell() == 1

    assert [item["member"]["id"] for item in mis.batches[-1]["data"]] == ["1", "2"]
    after = await shown(admin, made)
    assert (after["tries"], after["last_error"], after["failing_since"]) == (0, None, None)
    calls = (await admin.get(f"{ADMIN}/{made['subscriber']['id']}/deliveries")).json()["items"]
    assert [call["status"] for call in calls] == [204, answer, answer]


async def test_who_fails_for_days_is_called_no_more_until_staff_say_so(admin, mis, clock):
    made = await make_subscriber(admin, ["status"], mis.url)
    await entry(1)
    mis.answers = [500] * 100
    started = kernel_clock.now()
    for _ in range(60):
        await tell()
        clock.shift(timedelta(hours=4, minutes=30))
        if await state_of(made) == "suspended":
            break
    clock.shift(-(kernel_clock.now() - started))  # the session of head office lasts a quarter of an hour
    failed = len(mis.calls)
    assert 16 <= failed <= 20
    await tell()
    assert len(mis.calls) == failed

    mis.answers = []
    before = await shown(admin, made)
    active = {"version": before["version"], "name": before["name"], "fields": ["status"], "url": mis.url}
    assert (await admin.call("PUT", f"{ADMIN}/{before['id']}", active)).json()["state"] == "active"
    assert await tell() == 1


async def test_an_address_that_says_it_is_gone_is_called_no_more(admin, mis):
    made = await make_subscriber(admin, ["status"], mis.url)
    await entry(1)
    mis.answers = [410]

    await tell()

    assert (await shown(admin, made))["state"] == "suspended"


async def test_one_that_does_not_answer_holds_up_nobody(admin, mis):
    dead = await make_subscriber(admin, ["status"], "http://127.0.0.1:9/")
    await make_subscriber(admin, ["status"], mis.url)
    await entry(1)

    assert await tell() == 1

    assert (await shown(admin, dead))["last_error"] == "ConnectError"


async def test_one_that_cannot_be_sent_to_holds_up_nobody_and_is_put_down_to_it(admin, mis):
    broken = await make_subscriber(admin, ["status"], mis.url)
    await db.fetch("UPDATE feed_subscriber SET secret_sealed = 'broken' WHERE id = $1", broken["subscriber"]["id"])
    await make_subscriber(admin, ["status"], mis.url)
    await entry(1)

    assert await tell() == 1

    after = await shown(admin, broken)
    assert (after["tries"], after["behind"]) == (1, 1)
    assert after["last_error"].startswith("not sent: ")


async def test_a_slow_one_ends_its_turn_and_goes_on_in_the_next(admin, mis, monkeypatch):
    monkeypatch.setattr(delivering, "RUN_S", 0.0)
    await make_subscriber(admin, ["status"], mis.url)
    for member_id in range(1, 151):
        await entry(member_id)

    assert (await tell(), await delivering.is_due()) == (1, True)
    assert (await tell(), await delivering.is_due()) == (1, False)

    assert [item["member"]["id"] for item in mis.told] == [str(one) for one in range(1, 151)]


async def test_two_workers_send_it_once(admin, mis):
    await make_subscriber(admin, ["status"], mis.url)
    for member_id in range(1, 6):
        await entry(member_id)
    await numbering.number()

    await asyncio.gather(*(delivering.deliver_due() for _ in range(3)))

    assert [item["member"]["id"] for item in mis.told] == ["1", "2", "3", "4", "5"]


async def test_a_call_that_ends_after_its_place_was_moved_back_does_not_move_it_on(admin, mis):
    made = await make_subscriber(admin, ["status"], mis.url)
    await entry(1)
    await tell()
    last = (await shown(admin, made))["delivered"]
    await entry(2)

    async def move() -> None:
        mis.meanwhile = None
        answer = await admin.post(f"{ADMIN}/{made['subscriber']['id']}/replay", {"after": last - 1})
        assert answer.status_code == 200

    mis.meanwhile = move
    await tell()
    await tell()

    assert [[item["member"]["id"] for item in batch["data"]] for batch in mis.batches] == [["1"], ["2"], ["1", "2"]]


async def test_staff_have_everything_sent_again(admin, mis):
    made = await make_subscriber(admin, ["status"], mis.url)
    of = f"{ADMIN}/{made['subscriber']['id']}"
    await entry(1)
    await tell()
    last = (await shown(admin, made))["delivered"]

    replayed = await admin.post(f"{of}/replay", {"after": last - 1})
    assert replayed.json()["behind"] == 1
    await tell()

    assert [item["member"]["id"] for item in mis.told] == ["1", "1"]
    for after in (last + 1, 1 << 61):
        assert (await admin.post(f"{of}/replay", {"after": after})).status_code == 422


async def test_after_a_new_secret_both_sign_for_a_day(admin, mis, clock):
    made = await make_subscriber(admin, ["status"], mis.url)
    renewed = (await admin.post(f"{ADMIN}/{made['subscriber']['id']}/secret", {})).json()["secret"]
    await entry(1)
    await tell()
    clock.shift(timedelta(hours=25))
    await entry(2)
    await tell()

    assert [mis.is_signed(call, made["secret"]) for call in (0, 1)] == [True, False]
    assert [mis.is_signed(call, renewed) for call in (0, 1)] == [True, True]


async def test_paused_ones_are_not_called_and_miss_nothing(admin, mis):
    made = await make_subscriber(admin, ["status"], mis.url)
    before = made["subscriber"]
    state = {"name": before["name"], "fields": ["status"], "url": mis.url}
    await admin.call("PUT", f"{ADMIN}/{before['id']}", state | {"version": 1, "active": False})
    await entry(1)
    assert await tell() == 0

    await admin.call("PUT", f"{ADMIN}/{before['id']}", state | {"version": 2, "active": True})
    assert await tell() == 1


async def test_a_ping_says_what_the_address_answers_and_moves_nothing(admin, mis):
    made = await make_subscriber(admin, ["status"], mis.url)
    of = f"{ADMIN}/{made['subscriber']['id']}"
    mis.answers = [200, 503]

    assert [(await admin.post(f"{of}/ping", {})).json()["status"] for _ in range(2)] == [200, 503]

    assert mis.batches[0]["type"] == "ping"
    assert mis.is_signed(0, made["secret"])
    assert (await shown(admin, made))["tries"] == 0
    without = await make_subscriber(admin, ["status"])
    refused = await admin.post(f"{ADMIN}/{without['subscriber']['id']}/ping", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "subscriber_without_address")


@pytest.mark.parametrize("url", ["http://10.1.2.3/", "https://169.254.169.254/latest", "http://[::1]:8080/"])
async def test_an_address_that_is_neither_public_nor_named_as_ours_is_not_called(admin, url):
    made = await make_subscriber(admin, ["status"], url)
    await entry(1)

    await tell()

    assert (await shown(admin, made))["last_error"] == "address refused"


async def test_nothing_that_one_may_not_see_is_sent_and_its_place_moves_on(admin, mis):
    made = await make_subscriber(admin, ["status"], mis.url)
    text = "INSERT INTO feed_entry (id, kind, member_id, body, at) VALUES (7, 'member.level_changed', 1, $1, $2)"
    await db.fetch(text, '{"level":"gold"}', kernel_clock.now())

    assert await tell() == 0

    assert mis.calls == []
    assert (await shown(admin, made))["behind"] == 0
