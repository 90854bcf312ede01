"""How many messages may be sent, and until when.

Source: developers.weixin.qq.com, 发送客服消息, 下发条件: after a message of the user 5 within 48 hours, after entering
the chat 2 within a minute; what the user does renews it and adds nothing to it. So a message counts in every window
that is open: that is never more than WeChat counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ..types import Windows

WROTE_FOR, WROTE_MOST = timedelta(hours=48), 5
ENTERED_FOR, ENTERED_MOST = timedelta(minutes=1), 2
MARGIN = timedelta(seconds=10)
"""So long before its end a window is taken for closed: a message is under way for a moment, and clocks differ."""


def wrote(windows: Windows, sent_at: datetime, now: datetime, *, sent: int = 0) -> Windows:
    """After a message of the customer, sent then; one that comes late does not turn anything back.

    ``sent`` of ours are in the new window already: WeChat begins it when the customer writes, and tells us later.
    """
    at = min(sent_at, now)
    if windows.wrote_at is not None and at < windows.wrote_at:
        return windows
    return msgspec.structs.replace(windows, wrote_at=at, wrote_sent=min(sent, WROTE_MOST))


def entered(windows: Windows, sent_at: datetime, now: datetime, *, sent: int = 0) -> Windows:
    """After the customer opened the chat; ``sent`` as above."""
    at = min(sent_at, now)
    if windows.entered_at is not None and at < windows.entered_at:
        return windows
    return msgspec.structs.replace(windows, entered_at=at, entered_sent=min(sent, ENTERED_MOST))


def until(windows: Windows, now: datetime) -> datetime | None:
    """When the last window that still has room ends; None where none is open with room."""
    ends = [end for end, room in _open(windows, now) if room]
    return max(ends) if ends else None


def left(windows: Windows, now: datetime) -> int:
    """How many messages may be sent now."""
    return max((room for _, room in _open(windows, now)), default=0)


def is_open(windows: Windows, now: datetime) -> bool:
    """Whether any window is open, with room or without."""
    return bool(_open(windows, now))


def spend(windows: Windows, now: datetime) -> Windows:
    """After one message was handed to WeChat: delivered or not, it counts in each window that is open."""
    return Windows(
        windows.wrote_at,
        min(windows.wrote_sent + (_ends(windows.wrote_at, WROTE_FOR, now) is not None), WROTE_MOST),
        windows.entered_at,
        min(windows.entered_sent + (_ends(windows.entered_at, ENTERED_FOR, now) is not None), ENTERED_MOST),
    )


def shut(windows: Windows) -> Windows:
    """After WeChat said that it takes no more: nothing is sent before the customer does something."""
    return msgspec.structs.replace(windows, wrote_sent=WROTE_MOST, entered_sent=ENTERED_MOST)


def _open(windows: Windows, now: datetime) -> list[tuple[datetime, int]]:
    """The end of each open window, and its room."""
    found = (
        (_ends(windows.wrote_at, WROTE_FOR, now), WROTE_MOST - windows.wrote_sent),
        (_ends(windows.entered_at, ENTERED_FOR, now), ENTERED_MOST - windows.entered_sent),
    )
    return [(end, room) for end, room in found if end is not None]


def _ends(since: datetime | None, lasts: timedelta, now: datetime) -> datetime | None:
    if since is None:
        return None
    end = since + lasts - MARGIN
    return end if now < end else None
