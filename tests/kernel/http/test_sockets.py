"""WebSockets: who gets in, which subprotocol is selected, and the close codes of refusals."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from backend.kernel import limits

from .conftest import Site


def open_live(site: Site, token: str) -> ClientConnection:
    address = site.base_url.replace("http", "ws") + "/v1/live"
    return connect(address, subprotocols=["sample.v1", f"bearer.{token}"], proxy=None)  # type: ignore[list-item]


def test_an_authenticated_socket_gets_the_subprotocol_and_never_its_token(site: Site) -> None:
    with open_live(site, "good") as socket:
        hello = json.loads(socket.recv())
        socket.send("bye")
        bye = socket.recv()

        assert hello == {"hello": "good"}
        assert bye == "bye"
        assert socket.subprotocol == "sample.v1"


@pytest.mark.parametrize("token", ["bad", "", "good2"])
def test_a_wrong_token_is_closed_with_4401(site: Site, token: str) -> None:
    with open_live(site, token) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_a_session_that_ends_is_closed_with_4401(site: Site) -> None:
    with open_live(site, "good") as socket:
        socket.recv()
        socket.send("end my session")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_sockets_count_against_the_limits_of_calls(site: Site) -> None:
    limits.forget()
    codes = []
    for _ in range(4):
        with open_live(site, "rare") as socket:
            try:
                socket.recv()
            except ConnectionClosed as closed:
                codes.append(closed.rcvd and closed.rcvd.code)
            else:
                codes.append(0)
    limits.forget()

    assert codes == [0, 0, 0, 4429]


def test_a_message_above_64_kib_ends_the_socket(site: Site) -> None:
    with open_live(site, "good") as socket:
        socket.recv()
        socket.send("x" * 70_000)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_there_is_no_socket_at_another_address(site: Site) -> None:
    address = site.base_url.replace("http", "ws")

    with pytest.raises(InvalidStatus):
        connect(f"{address}/v1/orders", proxy=None)
