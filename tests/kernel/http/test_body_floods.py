"""Huge, endless, slow and compressed bodies: refused with an answer, kept nowhere, and others are served meanwhile."""

from __future__ import annotations

import gc
import json
import selectors
import socket
import time
import zlib
from contextlib import ExitStack, closing, suppress

import httpx
import pytest

from backend.kernel.http import bodies, protocol

from . import sample
from .conftest import Dial, Site, make_settings, serving
from .test_connections import HEAD, read_answer
from .test_floods import code_of, is_gone, soon


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A body within the limit that unpacks to 200 MB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(2**20)) for _ in range(200)), packer.flush()])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
@pytest.mark.parametrize("path", ["/v1/raw", "/v1/orders"])
def test_a_compressed_body_is_refused_before_it_is_read(
    http: httpx.Client, bomb: bytes, path: str, encoding: str
) -> None:
    headers = {"content-encoding": encoding, "content-type": "application/json", "idempotency-key": "k"}

    answer = http.post(path, content=bomb, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert http.post(path, content=b"{}", headers=headers | {"content-encoding": "identity"}).status_code != 415


@pytest.mark.parametrize(
    "length", ["1073741824", "9223372036854775808", "99999999999999999999", "-1", "+5", "0x10", ""]
)
def test_a_lie_about_the_length_is_refused_at_once(dial: Dial, length: str) -> None:
    connection = dial()

    connection.sendall(HEAD + f"Content-Length: {length}\r\n\r\n".encode())

    status, headers, _ = read_answer(connection)
    assert (status in (400, 413), headers["connection"]) == (True, "close")


PIECE = b"x" * 65_536
GIGABYTE = 2**30


@pytest.mark.parametrize(
    ("length", "piece"),
    [
        pytest.param(b"Content-Length: %d" % GIGABYTE, PIECE, id="announced"),
        pytest.param(b"Transfer-Encoding: chunked", b"10000\r\n%b\r\n" % PIECE, id="chunked"),
    ],
)
def test_a_gigabyte_is_refused_told_and_cut_off(dial: Dial, http: httpx.Client, length: bytes, piece: bytes) -> None:
    connection = dial()

    connection.sendall(HEAD + length + b"\r\n\r\n" + piece * 5)

    assert code_of(read_answer(connection)) == (413, "payload_too_large")
    sent = 0
    with suppress(OSError):
        while sent < GIGABYTE:
            connection.sendall(piece)
            sent += len(piece)
    assert sent < 64 * 1024 * 1024
    assert http.get("/v1/image").status_code == 200


def test_a_gigabyte_of_many_clients_together_stays_nowhere_and_stops_nobody(site: Site, http: httpx.Client) -> None:
    """As many as are heard out, and some more; each sends as fast as it is taken until it is cut off."""
    sent, tries, most = 0, 0, 0
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        for _ in range(bodies.MAX_LINGERING + 8):
            connection = stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)))
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % GIGABYTE)
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_WRITE)
        while selector.get_map() and sent < 2 * GIGABYTE:
            for key, _ in selector.select(5):
                try:
                    sent += key.fileobj.send(PIECE)
                except BlockingIOError:
                    continue
                except OSError:
                    selector.unregister(key.fileobj)
            tries += 1
            if tries % 100 == 0:
                assert http.get("/v1/image").status_code == 200
                most = max(most, sum(crowd.bodies.held for crowd in protocol._crowds.values()))

    assert most <= bodies.MAX_HELD_BYTES + 2**20  # read from another thread, in the midst of things
    assert 8 * bodies.LINGER_BYTES < sent < 2 * GIGABYTE
    assert http.get("/v1/image").status_code == 200
    assert held(0)


def held(size: int) -> bool:
    """Whether what is kept of bodies is soon of that size, apart from the headers that came with them."""
    return soon(lambda: 0 <= sum(crowd.bodies.held for crowd in protocol._crowds.values()) - size < 1_000)


def test_all_unfinished_bodies_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD_BYTES", 0)  # leaves twice what one body may have
    monkeypatch.setattr(bodies, "HURRIED_S", 600)
    with (
        serving(make_settings(body_timeout_s=600)) as site,
        httpx.Client(base_url=site.base_url, trust_env=False) as http,
    ):
        slow = [socket.create_connection(("127.0.0.1", site.port), timeout=60) for _ in range(2)]
        for number, connection in enumerate(slow, 1):
            connection.sendall(HEAD + b"Content-Length: 250000\r\n\r\n" + b"x" * 240_000)
            assert held(number * 240_000)

        with closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)) as one_more:
            one_more.sendall(HEAD + b"Content-Length: 250000\r\n\r\n" + b"x" * 100_000)
            status, headers, body = read_answer(one_more)

        assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "unavailable", "1")
        late = http.post("/v1/raw", content=b"x" * 250_000)  # its headers come first, so it has begun
        assert (late.status_code, late.headers["retry-after"]) == (503, "1")
        assert http.post("/v1/raw", content=b"x" * 1_000).json()["length"] == 1_000  # an ordinary one
        for connection in slow:
            connection.close()
        assert held(0)
        assert http.post("/v1/raw", content=b"x" * 250_000).json()["length"] == 250_000


def test_there_is_room_for_two_of_the_largest_body_of_any_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD_BYTES", 0)
    monkeypatch.setattr(bodies, "HURRIED_S", 600)
    raw = next(route for route in sample.router.routes if route.path == "/v1/raw")
    monkeypatch.setattr(raw, "body_limit", 1_000_000)
    with serving(make_settings(body_timeout_s=600)) as site, ExitStack() as stack:
        first, second = (
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)))
            for _ in range(2)
        )
        for number, connection in enumerate((first, second), 1):
            connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 990_000)
            assert held(number * 990_000)

        for connection in (first, second):
            connection.sendall(b"x" * 10_000)
            assert json.loads(read_answer(connection)[2])["length"] == 1_000_000


LARGE = b"POST /v1/pictures HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n"
KNOWN = LARGE + b"Authorization: Bearer good\r\n\r\n"


def test_who_may_send_more_than_others_is_asked_who_they_are_before_it_is_read(dial: Dial) -> None:
    connection = dial()

    connection.sendall(LARGE + b"\r\n")

    status, headers, _ = read_answer(connection)
    assert (status, headers["connection"]) == (401, "close")


def test_those_who_may_send_more_have_a_room_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD_BYTES", 0)  # leaves 512 KB for all, and twice a million for the known
    monkeypatch.setattr(bodies, "HURRIED_S", 60)
    with serving(make_settings(body_timeout_s=60)) as site, ExitStack() as stack:
        first, second, third, stranger = (
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=5)))
            for _ in range(4)
        )
        for number, connection in enumerate((first, second), 1):
            connection.sendall(KNOWN + b"x" * 990_000)
            assert held(number * 990_000)

        third.sendall(KNOWN + b"x" * 200_000)
        assert code_of(read_answer(third)) == (503, "unavailable")
        stranger.sendall(HEAD + b"Content-Length: 250000\r\n\r\n" + b"x" * 250_000)
        assert json.loads(read_answer(stranger)[2])["length"] == 250_000
        for connection in (first, second):
            connection.sendall(b"x" * 10_000)
            assert json.loads(read_answer(connection)[2])["length"] == 1_000_000
        assert held(0)


def test_the_room_of_those_who_may_send_more_is_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD_BYTES", 0)
    monkeypatch.setattr(bodies, "HURRIED_S", 60)
    with serving(make_settings(body_timeout_s=60)) as site, ExitStack() as stack:
        fill(site, stack)

        with closing(socket.create_connection(("127.0.0.1", site.port), timeout=5)) as one_more:
            one_more.sendall(HEAD + b"Content-Length: 250000\r\n\r\n" + b"x" * 250_000)
            assert read_answer(one_more)[0] == 503

        assert held(524_000)


def test_the_slowest_body_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD_BYTES", 0)
    monkeypatch.setattr(bodies, "HURRIED_S", 0.0)
    with (
        serving(make_settings(body_timeout_s=600)) as site,
        httpx.Client(base_url=site.base_url, trust_env=False) as http,
        ExitStack() as stack,
    ):
        slow = [
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)))
            for _ in range(2)
        ]
        for number, connection in enumerate(slow, 1):
            connection.sendall(HEAD + b"Content-Length: 260000\r\n\r\n" + b"x" * 255_000)
            assert held(number * 255_000)

        assert http.post("/v1/raw", content=b"x" * 250_000).json()["length"] == 250_000
        assert code_of(read_answer(slow[0])) == (503, "unavailable")
        slow[1].sendall(b"x" * 5_000)
        assert json.loads(read_answer(slow[1])[2])["length"] == 260_000


def test_a_request_being_worked_on_makes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its body came slowly, but is here: it may be a sale already."""
    monkeypatch.setattr(bodies, "MAX_HELD_BYTES", 0)
    monkeypatch.setattr(bodies, "HURRIED_S", 0.0)
    with serving(make_settings(body_timeout_s=600)) as site, ExitStack() as stack:
        first, second, third = (
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)))
            for _ in range(3)
        )
        first.sendall(HEAD.replace(b"POST /v1/raw", b"GET /v1/slow") + b"Content-Length: 250000\r\n\r\n{")
        first.sendall(b" " * 249_998)
        second.sendall(HEAD + b"Content-Length: 260000\r\n\r\n" + b"x" * 200_000)
        assert held(449_999)

        first.sendall(b"}")
        third.sendall(HEAD + b"Content-Length: 260000\r\n\r\n" + b"x" * 200_000)

        assert code_of(read_answer(second)) == (503, "unavailable")
        assert read_answer(first)[0] == 200


def fill(site: Site, stack: ExitStack) -> None:
    """Leave no room: three bodies that do not end."""
    for size in (250_000, 250_000, 24_000):
        connection = stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)))
        connection.sendall(HEAD + b"Content-Length: 260000\r\n\r\n" + b"x" * size)
    assert held(524_000)


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param(b"X: " + b"a" * 5_000, id="headers"),
        pytest.param(b"Content-Length: 9000\r\n\r\n" + b"x" * 5_000, id="body"),
        pytest.param(b"Content-Length: 5000\r\n\r\n" + b"x" * 5_000, id="whole"),
    ],
)
def test_a_request_being_worked_on_is_answered_whatever_comes_after_it(
    monkeypatch: pytest.MonkeyPatch, ahead: bytes
) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD_BYTES", 0)
    monkeypatch.setattr(bodies, "HURRIED_S", 600)
    with serving(make_settings(body_timeout_s=600)) as site, ExitStack() as stack:
        fill(site, stack)
        connection = stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)))
        connection.sendall(b"GET /v1/slow HTTP/1.1\r\nHost: t\r\n\r\n")
        time.sleep(0.05)

        connection.sendall(HEAD + ahead)

        assert read_answer(connection)[0] == 200


def test_a_body_behind_a_request_being_worked_on_makes_room_without_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD_BYTES", 0)
    monkeypatch.setattr(bodies, "HURRIED_S", 0.0)
    with serving(make_settings(body_timeout_s=600)) as site, ExitStack() as stack:
        first, second, third = (
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)))
            for _ in range(3)
        )
        first.sendall(b"GET /v1/slow HTTP/1.1\r\nHost: t\r\n\r\n")
        time.sleep(0.05)
        first.sendall(HEAD + b"Content-Length: 40000\r\n\r\n" + b"x" * 30_000)
        assert held(30_000)
        second.sendall(HEAD + b"Content-Length: 260000\r\n\r\n" + b"x" * 255_000)
        assert held(285_000)
        third.sendall(HEAD + b"Content-Length: 260000\r\n\r\n" + b"x" * 255_000)

        status, headers, _ = read_answer(first)
        assert (status, headers["connection"]) == (200, "close")
        assert first.recv(10) == b""
        for connection in (second, third):
            connection.sendall(b"x" * 5_000)
            assert json.loads(read_answer(connection)[2])["length"] == 260_000


def test_who_is_not_heard_out_is_cut_off_with_an_answer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_LINGERING", 0)
    with closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % GIGABYTE)

        assert code_of(read_answer(connection)) == (413, "payload_too_large")
        assert connection.recv(10) == b""
        assert is_gone(connection.getsockname())


def test_nothing_refers_to_a_connection_that_is_gone(site: Site, http: httpx.Client) -> None:
    """Without the garbage collector, which looks seldom: a flood of connections would fill the memory meanwhile."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            with closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)) as connection:
                connection.sendall(HEAD + b"Content-Length: 3\r\n\r\nabcGET")
                assert read_answer(connection)[0] == 200
        assert soon(lambda: sum(type(found) is protocol.LimitedProtocol for found in gc.get_objects()) < 5)
    finally:
        gc.enable()
