"""Batches: a template sent to many, each member at most once, whatever becomes of the worker."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta

import msgspec
import pytest

from backend.kernel import db
from backend.kernel.config import Settings
from backend.messages import service
from backend.messages.commands import filling
from backend.messages.types import Channel, Purpose
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.messages import (
    BATCHES,
    agree,
    inbox,
    make_batch,
    many_members,
    own_template,
    work,
)
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")


class Killed(BaseException):
    """The worker is gone: nothing of ours catches this."""


async def start(staff, batch):
    moved = await staff.post(f"{BATCHES}/{batch['id']}/start")
    assert moved.status_code == 200, moved.text
    return moved.json()


async def detail(staff, batch):
    return (await staff.get(f"{BATCHES}/{batch['id']}")).json()


async def letters_of(batch):
    rows = await db.fetch(
        "SELECT member_id, count(*) AS n FROM message_letter WHERE batch_id = $1 GROUP BY 1 ORDER BY 1", batch["id"]
    )
    return {row["member_id"]: row["n"] for row in rows}


async def test_a_batch_reaches_those_who_agreed_and_says_how_far_it_is(admin, client):
    await own_template(admin, "own.batch")
    willing, unwilling = await register(client, name="王"), await register(client)
    await agree(willing.member_id, Channel.INBOX, Purpose.MARKETING)
    numbers = [willing.member["member_no"], unwilling.member["member_no"]]

    batch = await make_batch(admin, "own.batch", audience={"member_nos": numbers}, link="#/mall")
    nothing = await work()
    started = await start(admin, batch)
    again = await start(admin, batch)
    await work()
    await work()
    done = await detail(admin, batch)

    assert (batch["state"], batch["expected"], nothing) == ("draft", 2, 0)
    assert (started["state"], again["state"]) == ("running", "running")
    assert (done["state"], done["written"], done["ended_at"] is not None) == ("done", 2, True)
    assert [(item["channel"], item["state"], item["reason"], item["count"]) for item in done["counts"]] == [
        ("inbox", "delivered", None, 1),
        ("inbox", "suppressed", "no_consent", 1),
    ]
    assert [(item["body"], item["link"]) for item in (await inbox(willing))["items"]] == [
        ("王，荔枝上新了。", "#/mall")
    ]
    assert (await inbox(unwilling))["items"] == []
    actions = [item["action"] for item in (await admin.get(f"{BATCHES}/{batch['id']}/changes")).json()["items"]]
    assert actions == ["start", "create"]


async def test_a_chunk_that_was_cut_short_is_written_once(admin, monkeypatch):
    await own_template(admin, "own.service", purpose="service")
    people = await many_members(25, "S1")
    monkeypatch.setattr(filling, "CHUNK", 10)
    batch = await make_batch(admin, "own.service", audience={"store_ids": ["S1"]})
    await start(admin, batch)
    calls = []

    async def dies(tx, letters, *, batch_id=None):
        written = await service.send(tx, letters, batch_id=batch_id)
        calls.append(written)
        if len(calls) == 2:
            raise Killed
        return written

    monkeypatch.setattr(filling, "send", dies)
    with pytest.raises(Killed):
        await work()
    left = await detail(admin, batch)
    await work()

    assert left["written"] == 10
    found = await letters_of(batch)
    assert set(people) <= found.keys()
    assert set(found.values()) == {1}
    assert (await detail(admin, batch))["written"] == len(found)


async def test_what_is_paused_waits_and_what_is_cancelled_never_goes(admin, client, fake_channels, monkeypatch, clock):
    await own_template(admin, "own.sms", purpose="service", channels=["sms"])
    people = await many_members(30, "S2")
    monkeypatch.setattr(filling, "CHUNK", 10)
    monkeypatch.setattr(filling, "AHEAD", 10)
    batch = await make_batch(admin, "own.sms", audience={"store_ids": ["S2"]})
    await start(admin, batch)
    sms = fake_channels[Channel.SMS]

    await filling.fill(clock.now())
    paused = await admin.post(f"{BATCHES}/{batch['id']}/pause")
    await work()
    while_paused = len(sms.given)
    await admin.post(f"{BATCHES}/{batch['id']}/resume")
    await filling.fill(clock.now())
    ahead = await detail(admin, batch)
    await work()
    resumed = {given.member_id for given in sms.given}
    other = await make_batch(admin, "own.sms", audience={"store_ids": ["S2"]})
    await start(admin, other)
    await filling.fill(clock.now())
    cancelled = await admin.post(f"{BATCHES}/{other['id']}/cancel")
    refused = await admin.post(f"{BATCHES}/{other['id']}/resume")
    before = len(sms.given)
    await work()

    assert paused.json()["state"] == "paused"
    assert (while_paused, ahead["written"]) == (0, 10)
    assert resumed == set(people)
    assert len(sms.given) == before == len(people)
    assert (cancelled.json()["state"], refused.status_code) == ("cancelled", 409)
    assert refused.json()["code"] == "message_batch_conflict"
    counts = (await detail(admin, other))["counts"]
    assert [(item["state"], item["reason"], item["count"]) for item in counts] == [("suppressed", "cancelled", 10)]


async def test_a_batch_of_later_waits_for_its_time(admin, phone, clock):
    await own_template(admin, "own.service", purpose="service")
    at = clock.now() + timedelta(minutes=5)
    numbers = {"member_nos": [phone.member["member_no"]]}
    batch = await make_batch(admin, "own.service", audience=numbers, send_at=at.isoformat())

    started = await start(admin, batch)
    await work()
    early = await letters_of(batch)
    clock.freeze(at)
    await work()

    assert (started["state"], early) == ("scheduled", {})
    assert await letters_of(batch) == {phone.member_id: 1}
    assert (await detail(admin, batch))["state"] == "done"


async def test_a_retry_is_the_same_batch_and_another_body_is_refused(admin, phone, settings):
    await own_template(admin, "own.batch")
    audience = {"member_nos": [phone.member["member_no"]]}

    made = await asyncio.gather(*(make_batch(admin, "own.batch", key="same", audience=audience) for _ in range(3)))
    body = {"title": "上新", "template": "own.batch", "values": {"what": "荔枝"}, "audience": audience}
    replayed = await admin.post(BATCHES, body, key="same")
    before = await fingerprint(settings)
    other = await admin.post(
        BATCHES, {"title": "x", "template": "own.batch", "values": {"what": "x"}, "audience": audience}, key="same"
    )
    without = await admin.post(BATCHES, {"title": "x", "template": "own.batch", "audience": audience})

    assert len({batch["id"] for batch in made}) == 1
    assert (replayed.json()["id"], replayed.headers["idempotency-replayed"]) == (made[0]["id"], "true")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (without.status_code, without.json()["code"]) == (400, "idempotency_key_required")
    assert await fingerprint(settings) == before


async def test_a_manager_writes_to_the_own_stores_members_alone(admin, client, chain, settings):
    await own_template(admin, "own.batch")
    await own_template(admin, "own.service", purpose="service")
    own, other = await log_in(client, chain, "manager-S1"), await log_in(client, chain, "manager-S2")
    batch = await make_batch(own, "own.batch")
    before = await fingerprint(settings)
    body: dict[str, object] = {"title": "x", "template": "own.service", "values": {"what": "x"}, "audience": {}}

    answers = [
        await other.get(f"{BATCHES}/{batch['id']}"),
        await other.get(f"{BATCHES}/{batch['id']}/changes"),
        *[await other.post(f"{BATCHES}/{batch['id']}/{move}") for move in ("start", "pause", "resume", "cancel")],
    ]
    unasked = await own.post(BATCHES, body, key="k")
    abroad = await own.post(BATCHES, body | {"template": "own.batch", "audience": {"store_ids": ["S2"]}}, key="k")

    assert batch["audience"] == {"store_ids": ["S1"]}
    assert [answer.status_code for answer in answers] == [404] * 6
    assert (unasked.status_code, abroad.status_code) == (403, 422)
    assert [item["id"] for item in (await other.get(BATCHES)).json()["items"]] == []
    assert batch["id"] in [item["id"] for item in (await admin.get(BATCHES)).json()["items"]]
    assert await fingerprint(settings) == before


async def test_what_could_not_be_written_is_refused(admin, settings):
    await own_template(admin, "own.batch")
    before = await fingerprint(settings)
    wrong: list[tuple[dict[str, object], str]] = [
        ({"template": "test.note"}, "/template"),
        ({"template": "none.there"}, "/template"),
        ({"values": {}}, "/values"),
        ({"link": "https://example.com"}, "/link"),
        ({"audience": {"levels": ["none"]}}, "/audience/levels/0"),
        ({"send_at": "0001-01-01T00:00:00+14:00"}, "/send_at"),  # in UTC there was no such day
        ({"send_at": "9999-12-31T23:59:59-14:00"}, "/send_at"),
    ]

    answers = [
        await admin.post(
            BATCHES, {"title": "x", "template": "own.batch", "values": {"what": "x"}, "audience": {}} | fields, key="w"
        )
        for fields, _ in wrong
    ]

    assert [(answer.status_code, answer.json()["errors"][0]["pointer"]) for answer in answers] == [
        (422, pointer) for _, pointer in wrong
    ]
    assert await fingerprint(settings) == before


async def test_a_batch_whose_template_asks_for_more_now_pauses_and_the_others_go_on(admin, phone):
    await own_template(admin, "own.grown", purpose="service")
    audience = {"member_nos": [phone.member["member_no"]]}
    batch = await make_batch(admin, "own.grown", audience=audience)
    version = {"title": "a", "body": "{more}", "channels": ["inbox"], "variables": [{"name": "more"}]}
    await admin.post("/v1/admin/message-templates/own.grown/versions", version)
    await start(admin, batch)

    await work()

    found = await detail(admin, batch)
    assert (found["state"], found["problem"], found["written"]) == ("paused", "template", 0)


WORKER = """
import asyncio, sys
from pathlib import Path
from backend import worker
from backend.kernel import config
from backend.messages import channels
from backend.messages.channels import Sent
from backend.messages.types import Channel

class Gateway:
    channel, repeats_safely = Channel.SMS, True
    def __init__(self):
        self.book = Path(sys.argv[1]).open("a", buffering=1)
    async def send(self, outgoing):
        self.book.write(f"{outgoing.delivery_id} {outgoing.member_id}\\n")
        await asyncio.sleep(0)
        return Sent(provider_id=outgoing.delivery_id)

gateway = Gateway()
channels.find = lambda channel: gateway if channel is Channel.SMS else None
asyncio.run(worker.run(config.load()))
"""


async def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(admin, settings, tmp_path):
    await own_template(admin, "own.kill", purpose="service", channels=["inbox", "sms"])
    people = await many_members(1_500, "S1")
    batch = await make_batch(admin, "own.kill", audience={"store_ids": ["S1"]})
    await start(admin, batch)
    book = tmp_path / "gateway"
    book.touch()

    for enough in (200, 700, None):
        process = await start_worker(settings, book)
        try:
            async with asyncio.timeout(120):
                while not (await reached(admin, batch, book, enough)):
                    await asyncio.sleep(0.05)
        finally:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        # A minute later the worker counts as dead, five minutes later what was under way is due.
        await db.pool().execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
        await db.pool().execute("UPDATE message_delivery SET next_at = now() WHERE state = 'sending'")

    found = await letters_of(batch)
    assert set(people) <= found.keys()
    assert set(found.values()) == {1}
    counts = {(item["channel"], item["state"]): item["count"] for item in (await detail(admin, batch))["counts"]}
    assert counts == {("inbox", "delivered"): len(found), ("sms", "sent"): len(found)}
    taken = {}
    for line in book.read_text().splitlines():
        delivery_id, member_id = line.split()
        taken.setdefault(int(member_id), set()).add(delivery_id)
    assert taken.keys() == found.keys()
    assert {len(names) for names in taken.values()} == {1}  # a repeat has the same name: the gateway knows it


async def reached(admin, batch, book, enough):
    if enough is not None:
        return len(book.read_text().splitlines()) >= enough
    rows = await db.fetch("SELECT state FROM message_batch WHERE id = $1", batch["id"])
    return rows[0]["state"] == "done"


async def start_worker(settings: Settings, book):
    env = dict(os.environ) | {
        f"HUIYUAN_{name.upper()}": str(value)
        for name, value in msgspec.structs.asdict(settings).items()
        if value not in ("", False)
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, str(book), env=env,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
