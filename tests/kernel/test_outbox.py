"""The relay: every event to its handlers at least once, failures held back without holding others back."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db, events, metrics, outbox
from backend.kernel.events import Event


class ParcelSent(Event, frozen=True, kw_only=True):
    number: int


class ParcelLost(Event, frozen=True, kw_only=True):
    number: int = 0


@pytest.fixture(autouse=True)
async def empty(database):
    await db.pool().execute("DELETE FROM outbox")


@pytest.fixture
def handled(monkeypatch) -> list[ParcelSent]:
    """What the handler of ParcelSent got, once it is committed or not; it is registered for this test only."""
    monkeypatch.setattr(events, "_handlers", {})
    seen: list[ParcelSent] = []

    @events.on(ParcelSent)
    async def note(event: ParcelSent, tx: db.Tx) -> None:
        seen.append(event)
        if event.number < 0:
            await db.fetch_in(tx, "SELECT 1 / 0")

    return seen


async def publish(*published: Event) -> None:
    async with db.transaction() as tx:
        await events.publish_many(tx, published)


async def count() -> int:
    return await db.fetchval("SELECT count(*) FROM outbox")


def sent(member_id: int, number: int) -> ParcelSent:
    return ParcelSent(member_id=member_id, number=number)


async def test_an_event_of_a_rolled_back_transaction_never_happened(handled):
    async def fail() -> None:
        async with db.transaction() as tx:
            await events.publish(tx, sent(1, 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    await outbox.drain()

    assert handled == []
    assert await count() == 0


async def test_hands_a_members_events_over_in_order_and_forgets_them(handled):
    for member_id in (2, 1):
        await publish(*(sent(member_id, number) for number in range(300)))

    assert await outbox.drain() == 600

    assert [event.number for event in handled if event.member_id == 1] == list(range(300))
    assert [event.number for event in handled if event.member_id == 2] == list(range(300))
    assert await count() == 0


async def test_a_failing_event_holds_nobody_up_and_is_tried_again_later(handled, clock):
    await publish(sent(1, -1), sent(1, 2), sent(2, 3))

    await outbox.drain()

    assert {event.number for event in handled} == {-1, 2, 3}
    row = await db.fetchrow("SELECT attempts, last_error, not_before FROM outbox")
    assert (row["attempts"], row["last_error"]) == (1, "DivisionByZeroError: division by zero")

    handled.clear()
    await outbox.drain()
    assert handled == []
    clock.shift(timedelta(seconds=2))
    await outbox.drain()
    assert handled == [sent(1, -1)]


async def test_what_a_failed_handler_wrote_is_undone_and_what_its_neighbours_wrote_is_not(handled):
    @events.on(ParcelLost)
    async def send_again_then_fail(event: ParcelLost, tx: db.Tx) -> None:
        await events.publish(tx, sent(9, event.number))
        if event.number == 2:
            raise RuntimeError("no")

    await publish(*(ParcelLost(member_id=1, number=number) for number in (1, 2, 3)))

    await outbox.drain()

    assert handled == [sent(9, 1), sent(9, 3)]
    assert await count() == 1


async def test_gives_up_after_the_last_try_keeps_the_event_and_shows_it(handled, clock):
    await publish(sent(5, -5))
    for _ in range(outbox.MAX_ATTEMPTS + 3):
        await outbox.drain()
        clock.shift(timedelta(seconds=outbox.LONGEST_WAIT_S))

    assert len(handled) == outbox.MAX_ATTEMPTS + 1  # the first time in a batch, then alone
    (parked,) = await outbox.list_parked()
    assert (parked.member_id, parked.name, parked.attempts) == (5, "ParcelSent", outbox.MAX_ATTEMPTS)
    await outbox.measure()
    assert metrics.REGISTRY.get_sample_value("huiyuan_outbox_parked") == 1
    assert metrics.REGISTRY.get_sample_value("huiyuan_outbox_pending") == 0
    assert metrics.REGISTRY.get_sample_value("huiyuan_outbox_lag_seconds") == 0

    assert await outbox.retry_parked(5, parked.id) == 1
    assert await outbox.list_parked() == []


async def test_an_unreadable_event_is_put_off_like_a_failed_one(handled):
    await db.pool().execute(
        "INSERT INTO outbox (member_id, name, body, at) VALUES (1, 'ParcelSent', '{\"number\": \"x\"}', now())"
    )

    await outbox.drain()

    assert "ValidationError" in await db.fetchval("SELECT last_error FROM outbox")


async def test_last_error_holds_no_personal_data(handled):
    @events.on(ParcelLost)
    async def fail(event: ParcelLost, tx: db.Tx) -> None:
        raise RuntimeError("no answer for 13800138000 and openid-zhang\0")

    await publish(ParcelLost(member_id=1))

    await outbox.drain()

    assert await db.fetchval("SELECT last_error FROM outbox") == "RuntimeError: no answer for [redacted] and [redacted]"


async def test_forgets_known_events_without_a_handler_and_keeps_unknown_ones_for_a_day(handled, clock):
    now = kernel_clock.now()
    await publish(ParcelLost(member_id=1))
    insert = "INSERT INTO outbox (member_id, name, body, at) VALUES ($1, 'OfALaterRelease', '{}', $2)"
    await db.pool().execute(insert, 1, now)
    await db.pool().execute(insert, 2, now - timedelta(days=2))

    await outbox.drain()

    rows = await db.fetch("SELECT member_id, name FROM outbox")
    assert [(row["member_id"], row["name"]) for row in rows] == [(1, "OfALaterRelease")]


async def test_leaves_what_another_relay_has_claimed_and_takes_the_rest(handled):
    await publish(sent(1, 1), sent(2, 2))
    async with db.pool().acquire() as other, other.transaction():
        await other.execute("SELECT 1 FROM outbox WHERE member_id = 1 FOR UPDATE")

        await outbox.drain()
        assert handled == [sent(2, 2)]

    await outbox.drain()
    assert handled == [sent(2, 2), sent(1, 1)]


async def test_two_relays_handle_each_event_once(handled):
    await publish(*(sent(number % 20 + 1, number) for number in range(1000)))

    async def drain():
        while await count():
            await outbox.relay_once()

    await asyncio.gather(drain(), drain())

    assert sorted(event.number for event in handled) == list(range(1000))


async def test_a_handler_that_hangs_is_a_failed_one(handled, monkeypatch):
    monkeypatch.setattr(outbox, "HANDLER_TIMEOUT_S", 0.05)

    @events.on(ParcelLost)
    async def hang(event: ParcelLost, tx: db.Tx) -> None:
        await asyncio.sleep(60)

    await publish(ParcelLost(member_id=1), sent(2, 1))

    await outbox.drain()

    assert handled == [sent(2, 1)]
    assert await count() == 1


async def test_the_loop_wakes_at_a_notification_and_stops_when_told(handled, database, monkeypatch):
    monkeypatch.setattr(outbox, "IDLE_PAUSE_S", 600.0)
    relay = outbox.Relay(database)
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.2)

    await publish(sent(1, 1))
    async with asyncio.timeout(60):
        while not handled:
            await asyncio.sleep(0.01)

    relay.stop()
    async with asyncio.timeout(60):
        await running
    assert await count() == 0


async def test_two_events_of_one_name_are_refused():
    with pytest.raises(TypeError, match="two events are called ParcelSent"):
        type(Event)("ParcelSent", (Event,), {"__module__": "elsewhere"})
