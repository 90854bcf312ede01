"""Who followed a link: the member, or a machine that reads mail before the member does. Pure.

Scanners of companies and mailers fetch every link of a letter to see whether it is safe, often seconds after it came,
and show previews. Counted as people they make every letter a success. A touch is a machine's where

- it asks for the head only, or says by name that it is a machine, or says nothing at all of itself;
- several links were followed within seconds of the delivery, or all links of the letter within seconds of each other;
- the link was one that no eye sees, and then also whatever the same client or the same minute did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

SOON = timedelta(seconds=10)
"""Several links followed within this of the delivery: nobody reads so fast."""
AT_ONCE = timedelta(seconds=5)
"""All links within this of each other."""
AROUND_TRAP = timedelta(seconds=60)
MOST_TOUCHES = 100
"""Of one delivery that are kept and judged; more are a machine's, or somebody's who has been counted."""

_NAMED = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|scan|preview|prefetch|monitor|fetch(?!api)|headless|phantomjs|puppeteer|playwright"
    r"|selenium|curl|wget|python|aiohttp|httpx|okhttp|go-http|java/|libwww|axios|node-fetch|ruby|perl|apache-http"
    r"|barracuda|mimecast|proofpoint|symantec|messagelabs|trendmicro|fortinet|sophos|forcepoint|ironport|cloudmark"
    r"|safelinks|safe-?browsing|virustotal|urlscan|checkpoint|zscaler|facebookexternalhit|whatsapp|telegram|slack|discord"
    r"|bingpreview|googledocs|qihoo|360spider|sogou web|yisou|bytespider|coremail|anti-?spam|anti-?virus",
    re.IGNORECASE,
)
_BARE = re.compile(r"mozilla/5\.0\s*\Z", re.IGNORECASE)
"""What a mailer says that fetches pictures before the letter is opened."""


class TouchKind(StrEnum):
    """What was fetched."""

    OPEN = "open"
    CLICK = "click"
    TRAP = "trap"


class Touch(msgspec.Struct, frozen=True):
    """One fetch of something of a letter; ``client`` tells clients apart and says nothing of who they are."""

    kind: TouchKind
    number: int
    at: datetime
    client: str
    said_so: bool
    """By its method or its name it is a machine."""


def says_so(method: str, headers: dict[str, str]) -> bool:
    """Whether a request is a machine's by its own word."""
    agent = headers.get("user-agent", "")
    purpose = headers.get("sec-purpose", "") + headers.get("purpose", "") + headers.get("x-purpose", "")
    return (
        method != "GET"
        or not agent.strip()
        or _NAMED.search(agent) is not None
        or _BARE.match(agent) is not None
        or "prefetch" in purpose.lower()
        or "preview" in purpose.lower()
    )


def judge(touches: Sequence[Touch], sent_at: datetime | None, links: int) -> list[bool]:
    """For each touch of a delivery, whether it is a machine's; ``links`` is how many links the letter has.

    Said anew at each touch, for the first link of a scan looks like a person's until the second is followed.
    """
    clicks = [touch for touch in touches if touch.kind is TouchKind.CLICK]
    traps = [touch for touch in touches if touch.kind is TouchKind.TRAP]
    soon = [touch for touch in clicks if sent_at is not None and touch.at - sent_at <= SOON]
    marked = {touch.client for touch in touches if touch.said_so or touch.kind is TouchKind.TRAP}
    if len({touch.number for touch in soon}) > 1:
        marked |= {touch.client for touch in soon}
    swept = [window for window in _windows(clicks) if links > 1 and len({t.number for t in window}) >= links]
    marked |= {touch.client for window in swept for touch in window}

    def machine(touch: Touch) -> bool:
        return (
            touch.said_so
            or touch.kind is TouchKind.TRAP
            or touch.client in marked
            or any(abs(touch.at - trap.at) <= AROUND_TRAP for trap in traps)
        )

    return [machine(touch) for touch in touches]


def _windows(clicks: Sequence[Touch]) -> list[list[Touch]]:
    """For each click, those from it on that came at once with it."""
    return [[other for other in clicks if timedelta() <= other.at - first.at <= AT_ONCE] for first in clicks]
