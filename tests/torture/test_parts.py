"""What clients compute, and the wires that break: against the program's own reading, and over real sockets."""

from __future__ import annotations

import asyncio
import time
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.auth import codes
from backend.auth import rules as auth_rules
from backend.torture import signing
from backend.torture.proxy import Proxy
from backend.torture.wire import Client, NoAnswer


@given(secret=st.binary(min_size=32, max_size=32), handle=st.integers(0, 10**9 - 1), step=st.integers(0, 2**40))
def test_both_readings_of_the_design_make_the_same_code(secret, handle, step):
    text = urlsafe_b64encode(secret).decode().rstrip("=")

    made = signing.make_code(f"{handle:09d}", signing.read_secret(text), step)

    assert made == codes.make(secret, f"{handle:09d}", step)


def test_a_till_signs_as_the_program_reads_it():
    header = signing.till_authorization(
        "T1", "secret", "POST", "/v1/pos/scan", b"{}", key="k", at=1_795_435_200.9, nonce="nonce-01"
    )

    match = auth_rules.TERMINAL_HEADER.match(header)
    assert match is not None
    text = auth_rules.signed_text("POST", "/v1/pos/scan", match[2], match[3], "k", b"{}")
    assert auth_rules.signature_matches(b"secret", text, match[4])


@pytest.fixture
async def echo(tmp_path):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100_000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / "echo.sock")
    proxy = Proxy(tmp_path / "front.sock", tmp_path / "echo.sock")
    await proxy.open()
    yield proxy, tmp_path / "front.sock"
    await proxy.close()
    server.close()
    await server.wait_closed()


async def test_a_proxy_passes_everything_in_both_directions(echo):
    _, path = echo
    reader, writer = await asyncio.open_unix_connection(path)
    data = bytes(range(256)) * 8000

    writer.write(data)

    assert await reader.readexactly(len(data)) == data
    writer.close()


async def test_a_cut_loses_the_connection_and_the_next_one_works(echo):
    proxy, path = echo
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"

    proxy.cut()

    assert await reader.read() == b""
    writer.close()
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"after")
    assert await reader.readexactly(5) == b"after"
    writer.close()


async def test_a_stall_lets_nothing_pass_and_then_everything(echo):
    proxy, path = echo
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"x")
    await reader.readexactly(1)
    began = time.monotonic()
    stalled = asyncio.create_task(proxy.stall(0.3))
    await asyncio.sleep(0)

    writer.write(b"late")
    assert await reader.readexactly(4) == b"late"

    assert time.monotonic() - began > 0.25  # a loop's clock may be behind the machine's
    await stalled
    writer.close()


async def test_a_proxy_without_a_target_loses_the_client(tmp_path):
    proxy = Proxy(tmp_path / "front.sock", tmp_path / "nobody.sock")
    await proxy.open()

    reader, writer = await asyncio.open_unix_connection(tmp_path / "front.sock")

    assert await reader.read() == b""
    writer.close()
    await proxy.close()


async def test_a_client_gets_answers_over_one_connection_and_loses_them_when_told_to(server):
    host, port = server.base_url.removeprefix("http://").split(":")
    client = Client(host, int(port), 1)

    answers = [await client.send("GET", "/healthz", {}) for _ in range(3)]
    problem = await client.send("GET", "/v1/pos/nothing", {})

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert (problem.status, problem.code, problem.good) == (404, "not_found", False)
    assert len(client._idle) == 1
    client.cut_percent = 100
    with pytest.raises(NoAnswer):
        await client.send("GET", "/healthz", {})
    client.cut_percent = 0
    assert (await client.send("GET", "/healthz", {})).status == 200
    client.close()
