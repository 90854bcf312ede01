"""A server that retires answers once more on each of its connections, and says that this was the last answer."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from websockets.exceptions import ConnectionClosed

from .conftest import Site, make_settings, serving
from .test_connections import read_answer
from .test_sockets import open_live

ASK = b"GET /v1/image HTTP/1.1\r\nHost: test\r\n\r\n"
ASK_SLOW = b"GET /v1/slow HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.fixture
def retiring() -> Iterator[Site]:
    """A server that will be told to retire; its idle connections have 5 s then."""
    with serving(make_settings(shutdown_grace_s=5, drain_s=5)) as site:
        yield site


def connect(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), timeout=60)


def until_refused(site: Site) -> None:
    """It accepts nothing new any more."""
    deadline = time.monotonic() + 60
    while True:
        try:
            connect(site).close()
        except ConnectionError:  # refused, or reset while the socket closes
            return
        assert time.monotonic() < deadline


def test_idle_and_new_connections_are_answered_once_more(retiring: Site) -> None:
    with closing(connect(retiring)) as used, closing(connect(retiring)) as fresh:
        used.sendall(ASK)
        assert "connection" not in read_answer(used)[1]

        retiring.retire()
        until_refused(retiring)

        for line in (used, fresh):
            line.sendall(ASK)
            status, headers, _ = read_answer(line)
            assert (status, headers["connection"]) == (200, "close")
            assert line.recv(10) == b""


def test_a_request_under_way_is_told_that_its_answer_is_the_last(retiring: Site) -> None:
    with closing(connect(retiring)) as line:
        line.sendall(ASK_SLOW)
        time.sleep(0.1)

        retiring.retire()

        status, headers, _ = read_answer(line)
        assert (status, headers["connection"]) == (200, "close")


def test_a_websocket_is_told_to_come_back(retiring: Site) -> None:
    with open_live(retiring, "good") as live:
        assert json.loads(live.recv()) == {"hello": "good"}

        retiring.retire()

        with pytest.raises(ConnectionClosed) as closed:
            live.recv(timeout=60)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_a_silent_connection_is_closed_after_its_time() -> None:
    with serving(make_settings(drain_s=0)) as site, closing(connect(site)) as line:
        line.sendall(ASK)
        read_answer(line)

        site.retire()

        assert line.recv(10) == b""
