"""Clients against a server that lies: what must not be answered so is told, what must be is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import NamedTuple

import pytest

from backend.torture.journal import Entry, Request
from backend.torture.wire import Client
from backend.torture.world import Clerk, Op, Till, World

OP = Op(1, "sale", Random(1))
REQUEST = Request(Till("S1-T1", "secret", "S1"), "POST", "/v1/pos/sales", b"{}", "k1", "terminal/S1-T1")
REPLAYED = "idempotency-replayed: true\r\n"


class Liar(NamedTuple):
    """A server that gives these answers, one a request, and who asks it; an empty one is a lost connection."""

    world: World
    answers: list[bytes]

    def will_say(self, status: int, body: str, headers: str = "") -> None:
        head = f"HTTP/1.1 {status} x\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
        self.answers.append((head + body).encode())

    def will_be_silent(self) -> None:
        self.answers.append(b"")


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    answers: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (said := answers.pop(0) if await reader.read(100_000) else b"") != b"":
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    client = Client("127.0.0.1", server.sockets[0].getsockname()[1], 1)
    tills, staff = [Till("S1-T1", "secret", "S1")], [Clerk("admin", "", "admin", None)]
    yield Liar(World(1, client, lambda: 0.0, tills=tills, staff=staff, wechat={}, members=1, phones=1), answers)
    client.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(("status", "code"), [(500, "internal"), (409, "order_exists"), (422, "validation_failed")])
async def test_a_refusal_that_nobody_expects_is_told(liar, status, code):
    liar.will_say(status, f'{{"code":"{code}"}}')

    await liar.world.ask(OP, REQUEST, refusals=frozenset({"insufficient_balance"}))

    assert liar.world.wrong == [f"sale: POST /v1/pos/sales was answered {status} {code}"]


async def test_what_must_be_refused_and_is_not_is_told(liar):
    liar.will_say(201, "{}")
    liar.will_say(409, '{"code":"code_used"}')

    await liar.world.ask_in_vain(OP, REQUEST, refusals=frozenset({"code_used"}))
    assert len(liar.world.wrong) == 1
    assert "must be refused, but was answered 201" in liar.world.wrong[0]

    await liar.world.ask_in_vain(OP, REQUEST, refusals=frozenset({"code_used"}))
    assert len(liar.world.wrong) == 1


async def test_a_key_that_has_two_answers_is_told(liar):
    liar.will_say(201, '{"id":"A"}')
    liar.will_say(201, '{"id":"B"}')

    await liar.world.ask(OP, REQUEST)
    assert liar.world.wrong == []
    await liar.world.ask(OP, REQUEST)

    assert liar.world.wrong == ["sale: key k1 has two answers: .id 'A', then 'B'"]


@pytest.mark.parametrize(
    ("status", "body", "headers", "told"),
    [
        (201, '{"lines":[{"id":"A"}]}', REPLAYED, None),
        (201, '{"lines":[{"id":"B"}]}', REPLAYED, ".lines[0].id 'A', then 'B'"),
        (201, '{"lines":[{"id":"A"}]}', "", "not as replayed"),
        (409, '{"code":"code_used"}', "", "409 code_used"),
    ],
    ids=["the first answer", "another one", "done again", "refused"],
)
async def test_a_key_sent_again_gives_its_first_answer(liar, status, body, headers, told):
    liar.will_say(201, '{"lines":[{"id":"A"}]}')
    liar.will_say(status, body, headers)
    await liar.world.ask(OP, REQUEST)
    (first,) = liar.world.journal.recent

    await liar.world.ask_again(OP, first)

    assert [wrong.partition("otherwise again: ")[2] for wrong in liar.world.wrong] == ([told] if told else [])


async def test_what_was_lost_is_asked_until_it_is_decided(liar):
    liar.will_be_silent()
    liar.will_say(503, '{"code":"outcome_unknown"}')
    liar.will_say(201, '{"id":"A"}')

    await liar.world.ask(OP, REQUEST)

    count = liar.world.journal.counts["sale"]
    assert (count.accepted, count.lost_accepted, count.refused) == (1, 1, 0)
    assert (liar.answers, liar.world.wrong) == ([], [])


@pytest.mark.parametrize(("status", "body", "right"), [(201, '{"id":"A"}', True), (409, '{"code":"code_used"}', False)])
async def test_what_is_stored_after_a_refusal_must_be_acknowledged_when_asked_again(liar, status, body, right):
    entry = Entry("sale", REQUEST, lost=1)
    liar.will_say(status, body)

    await liar.world.settle_doubt(entry)

    assert (liar.world.wrong == []) is right
