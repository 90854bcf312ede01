"""Files that are sent as they are made: whole, or cut off so that nobody takes a part for the whole."""

from __future__ import annotations

import time

import httpx
import pytest

from . import sample


def ended(count: int) -> None:
    """The file's making has come to its end, however that went."""
    deadline = time.monotonic() + 30
    while count not in sample.ended:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    sample.ended.remove(count)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_file_is_sent_piece_by_piece(http, count):
    answer = http.get(f"/v1/pieces?count={count}")
    after = http.get("/v1/pieces?count=2")

    assert (answer.status_code, answer.headers.get("content-length")) == (200, None)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.content == b"".join(bytes([number]) * 100_000 for number in range(count))
    assert len(after.content) == 200_000  # the connection goes on
    ended(2)


def test_a_file_that_cannot_be_made_to_its_end_is_cut_off(http):
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/v1/pieces?count=3&breaks=true")

    ended(3)
    assert http.get("/v1/pieces?count=1").status_code == 200


def test_who_leaves_ends_the_making(http):
    with http.stream("GET", "/v1/pieces?count=250") as answer:
        first = next(answer.iter_bytes(1000))

    assert first == b"\0" * 1000
    ended(250)
