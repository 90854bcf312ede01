"""Deliveries: what may go goes once on each channel, what may not says why, and what failed is tried again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backend.kernel import db
from backend.messages import service
from backend.messages.channels import Refused, Sent, TryAgain
from backend.messages.commands import deliver
from backend.messages.types import Channel, Letter, Purpose, State
from tests.support.messages import agree, deliveries, inbox, work, write


class Killed(BaseException):
    """The worker is gone: nothing of ours catches this."""


pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")


async def test_a_letter_goes_once_on_each_of_its_channels(phone, fake_channels):
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "once"))

    await work()
    await work()

    assert await deliveries(phone.member_id) == {"inbox": ("delivered", None, 0), "sms": ("sent", None, 1)}
    (given,) = fake_channels[Channel.SMS].given
    assert (given.title, given.body, len(given.address)) == ("已发货", "D1 已发货。", 11)
    assert phone.member_id == given.member_id


async def test_nothing_is_sent_without_consent(phone, fake_channels):
    await write(Letter(phone.member_id, "test.news", {"what": "荔枝"}, "unasked"))

    await work()

    refused = ("suppressed", "no_consent", 0)
    assert await deliveries(phone.member_id) == {"inbox": refused, "sms": refused}
    assert fake_channels[Channel.SMS].given == []
    assert (await inbox(phone))["items"] == []


async def test_consent_counts_when_it_is_sent(phone, fake_channels):
    await agree(phone.member_id, Channel.INBOX, Purpose.MARKETING)
    await agree(phone.member_id, Channel.SMS, Purpose.MARKETING)
    await write(Letter(phone.member_id, "test.news", {"what": "荔枝"}, "asked"))
    await agree(phone.member_id, Channel.SMS, Purpose.MARKETING, granted=False)

    await work()

    found = await deliveries(phone.member_id)
    assert found == {"inbox": ("delivered", None, 0), "sms": ("suppressed", "no_consent", 0)}
    assert [item["body"] for item in (await inbox(phone))["items"]] == ["荔枝上市了。"]


async def test_what_is_to_go_later_waits(phone, fake_channels, clock):
    at = clock.now() + timedelta(minutes=10)
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "later", send_at=at))

    await work()
    waiting = (await inbox(phone))["items"], list(fake_channels[Channel.SMS].given)
    clock.freeze(at)
    await work()

    assert waiting == ([], [])
    assert len((await inbox(phone))["items"]) == len(fake_channels[Channel.SMS].given) == 1


async def test_a_channel_that_is_busy_is_asked_again_so_often_and_no_more(phone, fake_channels, settings, clock):
    sms, now = fake_channels[Channel.SMS], clock.now()
    sms.answer = raising(TryAgain(5.0))
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "busy"))

    states = []
    for _ in range(settings.message_attempts + 2):
        await work()
        states.append((await deliveries(phone.member_id))["sms"])
        now += timedelta(hours=1)
        clock.freeze(now)

    last = settings.message_attempts
    assert states[0] == ("queued", "busy", 1)
    assert states[-1] == ("failed", "busy", last)
    assert len(sms.given) == last
    assert len({given.delivery_id for given in sms.given}) == 1


@pytest.mark.parametrize(("refused", "state"), [(Refused("x"), "failed"), (Refused("x", bounced=True), "bounced")])
async def test_what_a_channel_refuses_is_not_tried_again(phone, fake_channels, refused, state, clock):
    fake_channels[Channel.SMS].answer = raising(refused)
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "no"))

    await work()
    clock.shift(timedelta(days=1))
    await work()

    assert (await deliveries(phone.member_id))["sms"] == (state, "x", 1)
    assert len(fake_channels[Channel.SMS].given) == 1


@pytest.mark.parametrize(("repeats", "state", "calls"), [(True, ("sent", None, 2), 2), (False, None, 1)])
async def test_what_was_under_way_when_a_worker_died(phone, fake_channels, repeats, state, calls, clock):
    sms = fake_channels[Channel.SMS]
    sms.repeats_safely = repeats
    sms.answer = raising(Killed())
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "died"))
    with pytest.raises(BaseExceptionGroup):
        await work()
    left = (await deliveries(phone.member_id))["sms"]
    sms.answer = lambda outgoing: Sent()

    await work()
    before_time = len(sms.given)
    clock.shift(timedelta(minutes=6))
    await work()

    assert left == ("sending", None, 1)
    assert before_time == 1
    assert (await deliveries(phone.member_id))["sms"] == (state or ("failed", "outcome_unknown", 1))
    assert len(sms.given) == calls


async def test_states_go_forward_only(phone, fake_channels, clock):
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "forward"))
    await work()
    name, now = fake_channels[Channel.SMS].given[0].delivery_id, clock.now()

    moved = []
    for state in (State.DELIVERED, State.CLICKED, State.OPENED, State.BOUNCED, State.DELIVERED):
        async with db.transaction() as tx:
            moved.append(await service.record(tx, name, state, at=now))

    assert moved == [True, True, False, False, False]
    assert (await deliveries(phone.member_id))["sms"] == ("clicked", None, 1)


def raising(error: BaseException):
    def answer(outgoing):
        raise error

    return answer


async def test_a_run_that_has_had_its_time_queues_the_rest(phone, fake_channels):
    queued = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'messages.deliver' AND status = 'todo'"
    await db.pool().execute("DELETE FROM procrastinate_jobs WHERE task_name = 'messages.deliver'")
    async with db.transaction() as tx:
        await service.send(tx, [Letter(phone.member_id, "test.shipped", {"no": "D1"}, "long")])
    await db.pool().execute("DELETE FROM procrastinate_jobs WHERE task_name = 'messages.deliver'")

    await deliver.run(0.0)
    left = await db.fetchval(queued), len(fake_channels[Channel.SMS].given)
    await db.pool().execute("DELETE FROM procrastinate_jobs WHERE task_name = 'messages.deliver'")
    await deliver.run(3600.0)

    assert left == (1, 0)
    assert (await db.fetchval(queued), len(fake_channels[Channel.SMS].given)) == (0, 1)


async def test_who_asks_while_a_run_is_under_way_is_heard_by_it(phone, fake_channels):
    sms = fake_channels[Channel.SMS]
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def send(outgoing):
        sms.given.append(outgoing)
        under_way.set()
        await go_on.wait()
        return Sent()

    sms.send = send
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "first"))
    first = asyncio.create_task(deliver.run(3600.0))
    await under_way.wait()
    await write(Letter(phone.member_id, "test.shipped", {"no": "D2"}, "second"))
    await deliver.run(3600.0)
    while_under_way = len(sms.given)
    go_on.set()
    await first

    assert while_under_way == 1
    assert len(sms.given) == 2
