"""Time and size limits, over raw sockets; and a shutdown that finishes what was accepted."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from .conftest import Site, make_settings, serving

HEAD = b"POST /v1/raw HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"


@pytest.fixture
def line(site: Site) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", site.port), timeout=60)) as made:
        yield made


def read_answer(line: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = line.recv(65536)
        if not chunk:
            break
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in rest)}
    while len(body) < int(headers["content-length"]):
        body += line.recv(65536)
    return int(first.split()[1]), headers, body


def test_a_body_announced_too_large_is_refused_before_it_is_sent(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 262145\r\n\r\n")

    status, headers, body = read_answer(line)

    assert status == 413
    assert headers["connection"] == "close"
    assert json.loads(body)["code"] == "payload_too_large"


def test_a_client_that_asks_first_is_not_told_to_go_on_with_too_much(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 262145\r\nExpect: 100-continue\r\n\r\n")

    assert read_answer(line)[0] == 413
    assert line.recv(10) == b""


def test_a_client_that_asks_first_is_told_to_go_on(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.sendall(b"abc")

    assert json.loads(read_answer(line)[2])["length"] == 3


def test_an_answer_comes_in_one_piece(line: socket.socket) -> None:
    for _ in range(2):  # the next request on the same connection too
        line.sendall(HEAD + b"Content-Length: 3\r\n\r\nabc")

        head, _, body = line.recv(65536).partition(b"\r\n\r\n")

        assert head.startswith(b"HTTP/1.1 200")
        assert json.loads(body)["length"] == 3


def test_an_answer_without_a_body_comes_too(line: socket.socket) -> None:
    line.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: test\r\n\r\n")

    assert line.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_client_that_shuts_its_side_after_its_requests_hears_the_answers_and_then_the_end(
    line: socket.socket,
) -> None:
    line.sendall(b"GET /v1/slow HTTP/1.1\r\nHost: test\r\n\r\n" + HEAD + b"Content-Length: 3\r\n\r\nabc")
    line.shutdown(socket.SHUT_WR)

    heard = b"".join(iter(lambda: line.recv(65536), b""))

    assert heard.count(b"HTTP/1.1 200 ") == 2
    assert heard.count(b"connection: close") == 1
    assert json.loads(heard.rpartition(b"\r\n\r\n")[2])["length"] == 3


def test_a_client_that_shuts_its_side_in_the_middle_of_a_body_is_not_waited_for(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 30\r\n\r\nabc")
    line.shutdown(socket.SHUT_WR)

    assert line.recv(10) == b""


def test_a_body_of_exactly_the_limit_passes(http: httpx.Client) -> None:
    assert http.post("/v1/raw", content=b"x" * 262_144).json()["length"] == 262_144


def test_a_client_that_sends_a_megabyte_gets_the_answer_and_no_reset(http: httpx.Client) -> None:
    answer = http.post("/v1/raw", content=b"x" * 4_000_000)

    assert answer.status_code == 413
    assert answer.json()["code"] == "payload_too_large"


def test_a_chunked_body_is_refused_when_it_passes_the_limit(http: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    assert http.post("/v1/raw", content=chunks()).status_code == 413


def test_a_body_that_does_not_arrive_is_408(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 10\r\n\r\nabc")

    status, headers, body = read_answer(line)

    assert status == 408
    assert json.loads(body)["code"] == "request_timeout"
    assert headers["connection"] == "close"


def test_a_trickling_body_has_one_time_limit_as_a_whole(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    started = time.monotonic()
    line.settimeout(0.05)
    answered = b""
    while not answered and time.monotonic() - started < 20:
        line.sendall(b"x")
        try:
            answered = line.recv(1000)
        except TimeoutError:
            continue

    assert answered.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("beginning", [b"GET /v1/image HTTP/1.1\r\nHost: t\r\nX-A: ", b"G"])
def test_headers_that_do_not_arrive_are_408(line: socket.socket, beginning: bytes) -> None:
    started = time.monotonic()
    line.sendall(beginning)

    status, _, body = read_answer(line)

    assert status == 408
    assert json.loads(body)["code"] == "request_timeout"
    assert 0.25 < time.monotonic() - started < 20
    assert line.recv(10) == b""


def test_a_silent_connection_is_closed(line: socket.socket) -> None:
    assert line.recv(10) == b""


def test_empty_lines_do_not_keep_a_connection_open(line: socket.socket) -> None:
    line.sendall(b"GET /v1/image HTTP/1.1\r\nHost: t\r\n\r\n")
    assert read_answer(line)[0] == 200
    line.settimeout(0.05)
    started = time.monotonic()
    ended = False
    while not ended and time.monotonic() - started < 20:
        try:
            line.sendall(b"\r\n")
            ended = line.recv(1000) == b"" or ended
        except TimeoutError:
            continue
        except OSError:
            ended = True

    assert ended


def test_endless_headers_are_431(line: socket.socket) -> None:
    line.sendall(b"GET / HTTP/1.1\r\nHost: t\r\nX-A: " + b"a" * 70_000)

    status, _, body = read_answer(line)

    assert status == 431
    assert json.loads(body)["code"] == "headers_too_large"


def test_what_is_not_http_is_400_as_a_problem(line: socket.socket) -> None:
    line.sendall(b"\x16\x03\x01 hello\r\n\r\n")

    status, headers, body = read_answer(line)

    assert status == 400
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["code"] == "bad_request"


def test_a_connection_serves_many_requests_also_after_a_refusal(line: socket.socket) -> None:
    for path, status in ((b"/v1/image", 200), (b"/v1/nothing", 404), (b"/v1/image", 200)):
        line.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: t\r\n\r\n")
        assert read_answer(line)[0] == status


def test_the_target_and_the_sender_are_seen_as_sent(http: httpx.Client) -> None:
    answer = http.post("/v1/raw?a=%41&b=", content=b"12", headers={"X-Forwarded-For": "1.2.3.4"}).json()

    assert answer["target"] == "/v1/raw?a=%41&b="
    assert answer["client"] == "127.0.0.1"  # no trusted proxy: the header is not believed
    assert answer["length"] == 2


def test_shutdown_finishes_what_was_accepted() -> None:
    answers: list[httpx.Response] = []
    with serving(make_settings(shutdown_grace_s=5)) as site:
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(f"{site.base_url}/v1/slow", trust_env=False, timeout=60))
        )
        asking.start()
        time.sleep(0.15)
        site.stop()
        asking.join(60)

    assert [answer.status_code for answer in answers] == [200]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", site.port), timeout=1)
