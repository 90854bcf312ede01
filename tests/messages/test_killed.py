"""A worker that dies while it sends: what it had only marked goes later, what it had handed over goes never twice."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from backend.engines import datadir
from backend.kernel import db
from backend.kernel.config import Settings
from backend.kernel.vault import vault
from backend.messages.commands import deliver
from backend.messages.commands.deciding import decide
from backend.messages.queries import addresses
from backend.messages.types import Channel, Letter, State
from tests.support.messages import BATCHES, deliveries, make_batch, many_members, own_template, work, write
from tests.support.smtp import MailServer, mail_server

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")

PEOPLE = 250


async def test_what_was_only_marked_is_sent_whatever_the_channel_knows(phone, fake_channels, clock):
    sms = fake_channels[Channel.SMS]
    sms.repeats_safely = False
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "marked"))

    marked = await decide(clock.now())  # and here the worker dies
    clock.shift(timedelta(minutes=6))
    await work()

    assert [item.state for item in marked if item.due.channel is Channel.SMS] == [State.SENDING]
    assert (await deliveries(phone.member_id))["sms"] == ("sent", None, 2)
    assert len(sms.given) == 1


async def test_a_worker_that_was_taken_for_dead_sends_nothing_any_more(phone, fake_channels, clock):
    sms = fake_channels[Channel.SMS]
    sms.repeats_safely = False
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "slow"))

    (slow,) = [item.sent for item in await decide(clock.now()) if item.due.channel is Channel.SMS]
    clock.shift(timedelta(minutes=6))
    await work()
    await deliver._send_all([slow])

    assert len(sms.given) == 1
    assert (await deliveries(phone.member_id))["sms"] == ("sent", None, 2)


async def start_worker(settings: Settings) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "backend.cli.process",
        "worker",
        env=datadir.environment(settings),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def give_addresses(people: list[int]) -> None:
    """A confirmed e-mail address for each, written past the program."""
    texts = [f"m{member_id}@mail.example" for member_id in people]
    await db.pool().execute(
        "INSERT INTO message_email (member_id, sealed, address_index, confirmed_at, updated_at)"
        " SELECT id, sealed, index, now(), now() FROM unnest($1::bigint[], $2::text[], $3::text[])"
        " AS a (id, sealed, index)",
        people,
        [vault().seal(text.encode(), context=addresses.EMAIL_CONTEXT) for text in texts],
        [addresses.email_index(text) for text in texts],
    )


async def count(batch_id: str) -> Counter[tuple[str, str, str | None]]:
    rows = await db.fetch(
        "SELECT channel, state, reason, count(*) AS n FROM message_delivery WHERE batch_id = $1 GROUP BY 1, 2, 3",
        batch_id,
    )
    return Counter({(row["channel"], row["state"], row["reason"]): row["n"] for row in rows})


async def until(enough, seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not await enough():
            await asyncio.sleep(0.02)


def taken_by(server: MailServer) -> Counter[str]:
    return Counter(taken.recipients[0] for taken in server.taken)


async def test_a_worker_killed_while_it_sends_loses_next_to_nothing_and_doubles_nothing(admin, settings, client):
    await own_template(admin, "own.killed", purpose="service", channels=["sms", "email"])
    people = await many_members(PEOPLE, "S2")
    await give_addresses(people)
    batch = await make_batch(admin, "own.killed", audience={"store_ids": ["S2"]})
    assert (await admin.post(f"{BATCHES}/{batch['id']}/start")).status_code == 200
    await client.put("/mock/sms/faults", json={"receipt": "none"})

    async with mail_server() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        sending = msgspec.structs.replace(settings, smtp_url=url, mail_from="惠员便利 <service@chain.example>")
        for enough in (60, None):

            async def far(wanted: int | None = enough) -> bool:
                if wanted is not None:
                    return len(server.taken) >= wanted
                left = await count(batch["id"])
                ended = [n for (_, state, _), n in left.items() if state not in ("queued", "sending")]
                return sum(ended) == sum(left.values()) == 2 * PEOPLE

            process = await start_worker(sending)
            try:
                await until(far)
            finally:
                process.send_signal(signal.SIGKILL)
                await process.wait()
            # A minute later the worker counts as dead, five minutes later what it had is looked at again.
            await db.pool().execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
            await db.pool().execute("UPDATE message_delivery SET next_at = now() WHERE state = 'sending'")

        found, taken = await count(batch["id"]), taken_by(server)
        unknown = found["email", "failed", "outcome_unknown"]
        assert set(taken.values()) == {1}
        assert found == {
            ("sms", "sent", None): PEOPLE,
            ("email", "sent", None): PEOPLE - unknown,
            **({("email", "failed", "outcome_unknown"): unknown} if unknown else {}),
        }
        assert unknown <= deliver.SENDERS
        assert PEOPLE - unknown <= len(taken) <= PEOPLE
    rows = await db.fetch("SELECT count(*) AS n, count(DISTINCT provider_id) AS ids FROM message_delivery"
                          " WHERE batch_id = $1 AND channel = 'sms'", batch["id"])  # fmt: skip
    assert tuple(rows[0]) == (PEOPLE, PEOPLE)
    await client.put("/mock/sms/faults", json={})
