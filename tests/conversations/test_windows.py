"""How many messages may be sent, and until when: never more than WeChat's own counting lets through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.conversations.rules import windows
from backend.conversations.types import Windows

NOW = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_message_lets_five_be_sent_within_48_hours():
    opened = windows.wrote(Windows(), NOW, NOW)
    rooms = []
    for _ in range(6):
        rooms.append(windows.left(opened, NOW))
        opened = windows.spend(opened, NOW)

    assert rooms == [5, 4, 3, 2, 1, 0]
    assert windows.until(windows.wrote(Windows(), NOW, NOW), NOW) == NOW + timedelta(hours=48) - windows.MARGIN


@pytest.mark.parametrize(("seconds", "left"), [(0, 2), (49, 2), (50, 0), (60, 0)])
def test_an_entry_lets_two_be_sent_within_a_minute_less_the_margin(seconds, left):
    assert windows.left(windows.entered(Windows(), NOW, NOW), after(seconds)) == left


def test_what_is_closed_and_what_is_spent_are_told_apart():
    spent = windows.shut(windows.wrote(Windows(), NOW, NOW))

    assert (windows.is_open(spent, NOW), windows.left(spent, NOW), windows.until(spent, NOW)) == (True, 0, None)
    assert not windows.is_open(spent, NOW + timedelta(hours=48))
    assert not windows.is_open(Windows(), NOW)


def test_an_older_message_that_comes_late_turns_nothing_back():
    used = windows.spend(windows.wrote(Windows(), after(10), after(10)), after(10))

    assert windows.wrote(used, NOW, after(11)) == used


def test_a_message_from_the_future_counts_from_now():
    opened = windows.wrote(Windows(), after(3600), NOW)

    assert opened.wrote_at == NOW


STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "enter", "send", "send", "send"]), st.sampled_from([0, 0, 1, 20, 61, 90])),
    max_size=60,
)


@given(steps=STEPS)
def test_never_more_is_sent_than_wechat_counts(steps):
    """WeChat's own way: an action puts number and time to the larger of what is left and what it allows."""
    ours, room, until, at = Windows(), 0, NOW, NOW
    for what, seconds in steps:
        at += timedelta(seconds=seconds * (600 if seconds > 80 else 1))
        if what == "send":
            if windows.left(ours, at):
                assert room > 0
                assert at < until
                ours, room = windows.spend(ours, at), room - 1
            continue
        most, lasts = (5, timedelta(hours=48)) if what == "write" else (2, timedelta(minutes=1))
        room, until = max(room if at < until else 0, most), max(until, at + lasts)
        ours = (windows.wrote if what == "write" else windows.entered)(ours, at, at)
