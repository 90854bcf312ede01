"""Who follows a link: scanners that fetch every link of a letter are no members."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.messages.delivery.machines import Touch, TouchKind, judge, says_so

SENT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.50"
CLICK, OPEN, TRAP = TouchKind.CLICK, TouchKind.OPEN, TouchKind.TRAP


def touch(after_s: float, number: int = 1, kind: TouchKind = CLICK, client: str = "a", said_so: bool = False) -> Touch:
    return Touch(kind, number, SENT + timedelta(seconds=after_s), client, said_so)


@pytest.mark.parametrize(
    ("touches", "links", "machines"),
    [
        ([touch(600)], 3, [False]),
        ([touch(3)], 1, [False]),  # one link, at once: a person with the phone in hand
        ([touch(600), touch(640, 2)], 3, [False, False]),
        ([touch(600), touch(601, 1)], 3, [False, False]),  # the same link twice
        ([touch(600, kind=OPEN, number=0), touch(620)], 2, [False, False]),
        # several within seconds of the delivery
        ([touch(2), touch(4, 2)], 5, [True, True]),
        ([touch(2), touch(4, 2), touch(900, 1)], 5, [True, True, True]),  # the same client later
        ([touch(2), touch(4, 2), touch(900, 1, client="b")], 5, [True, True, False]),
        ([touch(9), touch(11, 2)], 5, [False, False]),
        # all links at once, however late
        ([touch(7200, n) for n in (1, 2, 3)], 3, [True, True, True]),
        ([touch(7200, n) for n in (1, 2)], 3, [False, False]),
        ([touch(7200 + 4 * n, n) for n in (1, 2, 3)], 3, [False, False, False]),
        ([touch(7200)], 1, [False]),
        # the link that nobody sees
        ([touch(7200), touch(7201, 0, TRAP, "b")], 3, [True, True]),
        ([touch(7200), touch(7290, 0, TRAP, "b")], 3, [False, True]),
        ([touch(7200), touch(7290, 0, TRAP, "a")], 3, [True, True]),
        # by its own word
        ([touch(600, said_so=True), touch(700, client="b")], 3, [True, False]),
        ([touch(600, said_so=True), touch(700, client="a")], 3, [True, True]),
    ],
)
def test_who_followed(touches: list[Touch], links: int, machines: list[bool]) -> None:
    assert judge(touches, SENT, links) == machines


def test_a_letter_that_was_not_marked_as_sent_yet_was_followed_at_some_time() -> None:
    assert judge([touch(1), touch(2, 2)], None, 5) == [False, False]


@pytest.mark.parametrize(
    ("method", "headers", "machine"),
    [
        ("GET", {"user-agent": PHONE}, False),
        ("GET", {"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0"}, False),
        ("GET", {"user-agent": "Mozilla/5.0 (Linux; Android 15) MMWEBID/1 MicroMessenger/8.0.50 WeChat/arm64"}, False),
        ("HEAD", {"user-agent": PHONE}, True),
        ("OPTIONS", {"user-agent": PHONE}, True),
        ("GET", {}, True),
        ("GET", {"user-agent": " "}, True),
        ("GET", {"user-agent": "Mozilla/5.0"}, True),
        ("GET", {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, True),
        ("GET", {"user-agent": "Barracuda Sentinel (EE)"}, True),
        ("GET", {"user-agent": "python-requests/2.32"}, True),
        ("GET", {"user-agent": "curl/8.5.0"}, True),
        ("GET", {"user-agent": "Mozilla/5.0 HeadlessChrome/140.0"}, True),
        ("GET", {"user-agent": "Mozilla/5.0 BingPreview/1.0b"}, True),
        ("GET", {"user-agent": PHONE, "sec-purpose": "prefetch;prerender"}, True),
        ("GET", {"user-agent": PHONE, "x-purpose": "preview"}, True),
    ],
)
def test_who_says_so(method: str, headers: dict[str, str], machine: bool) -> None:
    assert says_so(method, headers) is machine
