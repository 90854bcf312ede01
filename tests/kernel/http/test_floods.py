"""Clients that want to fill the server: what each may hold of its memory, and that others are served meanwhile."""

from __future__ import annotations

import json
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress

import httpx
import pytest

from backend.kernel.http import protocol, websocket_protocol

from .conftest import Dial, Site, make_settings, serving
from .test_connections import read_answer

GET = b"GET /v1/image HTTP/1.1\r\nHost: t\r\n"
HANDSHAKE = (
    b"GET /v1/live HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sample.v1, bearer.good\r\n\r\n"
)
MASK = b"\0\0\0\0"


@pytest.fixture
def many_files() -> Iterator[None]:
    """Thousands of sockets, of both sides, in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def code_of(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    status, _, body = answer
    return status, json.loads(body)["code"]


def is_cut(connection: socket.socket) -> bool:
    """Read until the end; False where the server keeps the connection."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def soon(so: Callable[[], bool]) -> bool:
    """Whether it becomes so within a minute."""
    for _ in range(6_000):
        if so():
            return True
        time.sleep(0.01)
    return False


def is_gone(address: tuple[str, int]) -> bool:
    """Whether the server soon has no connection of that client any more, however much the kernel still holds."""
    return soon(
        lambda: not any(open_.client == address for server in protocol._crowds for open_ in set(server.connections))
    )


# --------------------------------------------------------------------------------------------------- headers


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"X: " + b"a" * 33_000 + b"\r\n", id="one large"),
        pytest.param(b"X: " + b"a" * 120_000 + b"\r\n", id="one huge"),
        pytest.param(b"a:b\r\n" * 101, id="many"),
        pytest.param(b"a:b\r\n" * 40_000, id="very many"),
    ],
)
def test_headers_that_come_whole_have_the_same_bounds_as_slow_ones(dial: Dial, headers: bytes) -> None:
    connection = dial()

    connection.sendall(GET + headers + b"\r\n")

    assert code_of(read_answer(connection)) == (431, "headers_too_large")
    assert is_cut(connection)


def endless(connection: socket.socket, most: int = 20_000_000) -> int:
    """Send parts of one header until the server has had enough; how many bytes it took."""
    sent = 0
    with suppress(OSError):
        while sent < most:
            connection.sendall(b"a" * 16_384)
            sent += 16_384
    return sent


@pytest.fixture
def patient() -> Iterator[socket.socket]:
    """A connection to a server that gives headers much time."""
    with (
        serving(make_settings(header_timeout_s=600)) as site,
        closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)) as connection,
    ):
        yield connection


def test_headers_after_a_body_whose_request_was_answered_early_are_bounded(patient: socket.socket) -> None:
    patient.sendall(b"POST /v1/nothing HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n")
    assert read_answer(patient)[0] == 404

    patient.sendall(b"abcde")
    time.sleep(0.05)
    patient.sendall(GET + b"X: ")

    assert endless(patient) < 10_000_000
    assert is_cut(patient)


def test_trailers_of_a_body_whose_request_was_answered_early_are_bounded(patient: socket.socket) -> None:
    patient.sendall(b"POST /v1/nothing HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert read_answer(patient)[0] == 404

    patient.sendall(b"0\r\nX: ")

    assert endless(patient) < 10_000_000
    assert is_cut(patient)


def test_the_rest_of_a_body_does_not_count_as_the_headers_that_come_with_it(patient: socket.socket) -> None:
    patient.sendall(b"POST /v1/nothing HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n")
    assert read_answer(patient)[0] == 404

    patient.sendall(b"x" * 60_000 + GET)
    time.sleep(0.05)
    patient.sendall(b"\r\n")

    assert read_answer(patient)[0] == 200


def test_headers_sent_ahead_are_bounded_and_the_answer_before_them_is_given(patient: socket.socket) -> None:
    patient.sendall(GET.replace(b"image", b"slow") + b"\r\n")
    time.sleep(0.05)
    patient.sendall(GET + b"X: ")

    for _ in range(10):
        patient.sendall(b"a" * 8_192)
        time.sleep(0.005)

    status, headers, _ = read_answer(patient)
    assert (status, headers["connection"]) == (200, "close")
    assert patient.recv(10) == b""


def test_what_is_not_http_does_not_take_the_answer_before_it(patient: socket.socket) -> None:
    patient.sendall(GET.replace(b"image", b"slow") + b"\r\n")
    time.sleep(0.05)

    patient.sendall(GET + b"\r\n" + b"\0\0\0\r\n\r\n")

    assert read_answer(patient)[0] == 200
    assert patient.recv(10) == b""


def test_a_hundred_headers_are_taken(dial: Dial) -> None:
    connection = dial()

    connection.sendall(GET + b"a:b\r\n" * 99 + b"\r\n")

    assert read_answer(connection)[0] == 200


def test_a_target_may_be_as_long_as_headers_together(dial: Dial) -> None:
    connection = dial()

    connection.sendall(b"GET /" + b"a" * 33_000 + b" HTTP/1.1\r\nHost: t\r\n\r\n")

    assert code_of(read_answer(connection)) == (431, "headers_too_large")


def test_in_a_crowd_of_half_sent_requests_newcomers_hurry_and_those_who_do_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "CROWD", 3)
    monkeypatch.setattr(protocol, "HURRIED_S", 0.05)
    with serving(make_settings(header_timeout_s=600)) as site, ExitStack() as stack:

        def begin() -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
            connection.sendall(b"GET")
            return stack.enter_context(closing(connection))

        first = [begin() for _ in range(3)]
        assert httpx.get(f"{site.base_url}/v1/image", trust_env=False).status_code == 200  # the three are in
        late = begin()
        with selectors.DefaultSelector() as selector:
            for connection in (*first, late):
                selector.register(connection, selectors.EVENT_READ)
            ended = [key.fileobj for key, _ in selector.select(5)]

        assert ended == [late]
        assert read_answer(late)[0] == 408
        assert httpx.get(f"{site.base_url}/v1/image", trust_env=False).status_code == 200


@pytest.mark.usefixtures("many_files")
def test_two_thousand_sockets_with_half_a_request_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HURRIED_S", 0.5)
    with serving(make_settings(header_timeout_s=600)) as site, ExitStack() as stack:
        for number in range(2_000):
            connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
            stack.enter_context(closing(connection))
            connection.sendall(GET + b"X: a\r\n")
            if number % 200 == 0:
                assert httpx.get(f"{site.base_url}/v1/image", trust_env=False).status_code == 200

        assert httpx.get(f"{site.base_url}/v1/image", trust_env=False).status_code == 200
        assert soon(lambda: max(crowd.size for crowd in protocol._crowds.values()) == protocol.CROWD)
        assert httpx.get(f"{site.base_url}/v1/image", trust_env=False).status_code == 200


def test_where_most_connections_are_open_idle_ones_go_soon_and_more_are_closed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(protocol, "HURRIED_IDLE_S", 0.05)
    with serving(make_settings()) as site, ExitStack() as stack:
        one, other, too_many = (
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)))
            for _ in range(3)
        )

        assert too_many.recv(10) == b""
        other.sendall(GET + b"\r\n")
        assert read_answer(other)[0] == 200
        assert other.recv(10) == b""
        one.sendall(GET + b"\r\n")
        assert read_answer(one)[0] == 200


def test_nobody_is_counted_in_the_crowd_who_has_left(site: Site, dial: Dial, http: httpx.Client) -> None:
    for connection in [dial() for _ in range(20)]:
        connection.sendall(b"GET")
        connection.close()
    for connection in [dial() for _ in range(20)]:
        connection.sendall(GET + b"\r\n")
        assert read_answer(connection)[0] == 200
        connection.close()

    # Every connection is seen off, also that of the client that asks.
    assert http.get("/v1/image", headers={"Connection": "close"}).status_code == 200
    assert soon(lambda: all(crowd.size <= 1 for crowd in protocol._crowds.values()))
    assert all(crowd.size >= 0 for crowd in protocol._crowds.values())


# ------------------------------------------------------------------------------------------------ sent ahead


def test_requests_sent_ahead_are_answered_in_order(dial: Dial) -> None:
    connection = dial()

    connection.sendall((GET + b"\r\n" + GET.replace(b"image", b"none!") + b"\r\n") * 8)

    answered = b""
    while answered.count(b"HTTP/1.1 ") < 16 or not answered.endswith((b"PNG", b"}")):
        answered += connection.recv(65536)
    statuses = [piece[:3] for piece in answered.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404"] * 8


def test_who_sends_far_too_many_ahead_is_cut_off(dial: Dial, http: httpx.Client) -> None:
    connection = dial()

    with suppress(OSError):
        connection.sendall(GET.replace(b"image", b"slow") + b"\r\n" + (GET + b"\r\n") * 5_000)

    assert is_cut(connection)
    assert http.get("/v1/image").status_code == 200


# ------------------------------------------------------------------------------------------------ not reading


def test_who_never_takes_the_answers_is_cut_off(
    site: Site, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "DRAIN_S", 0.2)
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", site.port))
        connection.sendall((GET.replace(b"image", b"large") + b"\r\n") * 16)
        begun = connection.recv(1)

        assert begun == b"H"
        assert is_gone(connection.getsockname())
    assert http.get("/v1/image").status_code == 200


# --------------------------------------------------------------------------------- what proxies may see otherwise


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: gzip, chunked, gzip\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b" Content-Length: 4\r\n",
        b"X: a\r\n b\r\n",
        b"X: a\nContent-Length: 4\r\n",
        b"X: a\0b\r\n",
        b"X\r\n",
        b": a\r\n",
    ],
)
def test_what_another_server_might_read_otherwise_is_refused(dial: Dial, head: bytes) -> None:
    """Nothing is left in the connection for a second request to begin with."""
    connection = dial()

    connection.sendall(b"POST /v1/raw HTTP/1.1\r\nHost: t\r\n" + head + b"\r\n0\r\n\r\nGET /v1/image HTTP/1.1\r\n\r\n")

    answered = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            answered += piece
    assert answered == b"" or answered.count(b"HTTP/1.1 ") == answered.count(b"HTTP/1.1 400 ") == 1
    assert answered == b"" or b'"code":"bad_request"' in answered


def test_an_upgrade_to_http_2_is_answered_in_http_1(dial: Dial) -> None:
    connection = dial()

    connection.sendall(GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")

    assert read_answer(connection)[0] == 200


WISH = b"POST /v1/raw HTTP/1.1\r\nHost: t\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
HIDDEN = b"GET /v1/image HTTP/1.1\r\nHost: t\r\n\r\n"


@pytest.mark.parametrize("pause_s", [0, 0.05])
@pytest.mark.parametrize(
    ("length", "body"),
    [
        (b"Content-Length: %d\r\n\r\n" % len(HIDDEN), HIDDEN),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)),
    ],
    ids=["announced", "chunked"],
)
def test_the_body_of_a_request_that_wishes_for_http_2_is_no_request(
    dial: Dial, length: bytes, body: bytes, pause_s: float
) -> None:
    """A Java client's first request has such headers; a proxy that hands them on takes the rest for the body."""
    connection = dial()
    connection.sendall(WISH + length)
    time.sleep(pause_s)

    connection.sendall(body)

    status, _, answered = read_answer(connection)
    assert (status, json.loads(answered)["length"]) == (200, len(HIDDEN))
    connection.sendall(GET + b"\r\n")
    assert read_answer(connection)[2] == b"\x89PNG"


def test_what_is_sent_ahead_behind_a_wish_for_http_2_is_answered_and_bounded(dial: Dial) -> None:
    few, many = dial(), dial()
    wish = GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

    few.sendall(wish * 3)
    many.sendall(wish * 5_000)

    heard = b""
    while heard.count(b"\x89PNG") < 3:
        heard += few.recv(65536)
    assert heard.count(b"HTTP/1.1 200 ") == 3
    assert code_of(read_answer(many)) == (400, "bad_request")


def test_nobody_is_connected_through_to_anywhere(dial: Dial) -> None:
    connection = dial()

    connection.sendall(b"CONNECT /v1/raw HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n" + HIDDEN)

    assert code_of(read_answer(connection)) == (400, "bad_request")
    assert is_cut(connection)


def test_the_preface_of_http_2_is_not_http_1(dial: Dial) -> None:
    connection = dial()

    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

    assert read_answer(connection)[0] == 400


# ------------------------------------------------------------------------------------------------- WebSockets


@pytest.fixture
def live(dial: Dial) -> socket.socket:
    """A WebSocket as bytes, past its handshake and the server's first message."""
    connection = dial()
    connection.sendall(HANDSHAKE)
    seen = b""
    while b'{"hello"' not in seen:
        seen += connection.recv(65536)
    return connection


def close_code(connection: socket.socket) -> int:
    """The code of the close frame that comes last."""
    data = b""
    while b"\x88" not in data:
        piece = connection.recv(65536)
        assert piece, data
        data += piece
    at = data.rindex(b"\x88")
    return int.from_bytes(data[at + 2 : at + 4], "big")


def test_a_handshake_right_behind_a_request_is_refused(dial: Dial) -> None:
    """Handed over, the connection would never answer the request."""
    connection = dial()

    connection.sendall(GET + b"\r\n" + HANDSHAKE)

    assert code_of(read_answer(connection)) == (400, "bad_request")
    assert is_cut(connection)


@pytest.mark.parametrize(
    "handshake",
    [
        HANDSHAKE.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello"),
        HANDSHAKE.replace(b"\r\n\r\n", b"\r\nX: %b\r\n\r\n" % (b"a" * 9000)),
    ],
    ids=["with a body", "a long header"],
)
def test_a_handshake_that_is_none_is_refused_and_not_kept(dial: Dial, handshake: bytes) -> None:
    connection = dial()

    connection.sendall(handshake)

    heard = b""
    with suppress(TimeoutError):  # kept for ever is what must not be
        while piece := connection.recv(65536):
            heard += piece
    assert b'"code":"bad_request"' in heard
    assert is_cut(connection)


def test_a_handshake_while_a_request_is_worked_on_ends_the_connection_after_its_answer(dial: Dial) -> None:
    connection = dial()
    connection.sendall(GET.replace(b"image", b"slow") + b"\r\n")
    time.sleep(0.05)

    connection.sendall(HANDSHAKE)

    assert read_answer(connection)[0] == 200
    assert connection.recv(10) == b""


def test_more_messages_than_are_read_close_with_1008(live: socket.socket, http: httpx.Client) -> None:
    live.sendall((b"\x81\x81" + MASK + b"x") * 1_000)

    assert close_code(live) == 1008
    assert http.get("/v1/image").status_code == 200


def test_a_message_in_endless_empty_pieces_closes_with_1008(live: socket.socket) -> None:
    live.sendall(b"\x01\x80" + MASK + (b"\x00\x80" + MASK) * 1_000)

    assert close_code(live) == 1008


def test_a_frame_announced_too_large_closes_with_1009(live: socket.socket) -> None:
    live.sendall(b"\x81\xff" + (2**40).to_bytes(8, "big") + MASK)

    assert close_code(live) == 1009


def test_who_asks_without_hearing_the_answers_is_read_no_more_and_then_cut_off(
    site: Site, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_protocol, "DRAIN_S", 0.2)
    ping = (b"\x89\xfd" + MASK + b"p" * 125) * 500
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", site.port))
        connection.sendall(HANDSHAKE)
        sent = 0
        with suppress(ConnectionError):
            while sent < 2**27:
                connection.sendall(ping)  # whole frames: half a one would be an error of its own
                sent += len(ping)

    assert sent < 2**26
    assert http.get("/v1/image").status_code == 200
