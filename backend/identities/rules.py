"""How long, how often, and what a number looks like. No I/O."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from math import ceil

CONFIRM_WITHIN = timedelta(seconds=120)
PIN_TRIES = 5
TERMINAL_ASKS = 30
TERMINAL_WINDOW_S = 600
MEMBER_ASKS = 6
MEMBER_WINDOW_S = 600
CODE_FOR = timedelta(minutes=5)
"""How long a code by SMS is good, and its request with it."""
CODE_TRIES = 5
CODES = 3
"""By SMS, for one request; with half a minute between them."""
CODE_AGAIN = timedelta(seconds=30)
MEMBER_CODES = 6
MEMBER_CODES_WINDOW = timedelta(hours=1)

_DOCUMENT = re.compile(r"[0-9A-Z]{6,24}\Z")


def seconds_until(at: datetime, now: datetime) -> int:
    """How long to wait until then, in whole seconds; one at least."""
    return max(1, ceil((at - now).total_seconds()))


def next_code_at(codes: int, last_at: datetime, over_at: datetime) -> datetime:
    """When a request is sent its next code; after the last one not before it is over, and then somebody asks anew."""
    return over_at if codes >= CODES else last_at + CODE_AGAIN


def code_text(code: str, store_name: str, *, spends: bool) -> str:
    """What the member reads: the code, where it is asked for, and what whoever gets it may do."""
    what = "确认会员身份并使用余额" if spends else "确认会员身份"
    return f"验证码{code}，用于在{store_name}收银台{what}，5分钟内有效。若您不在店内，请勿告诉任何人。"


def normal_document(number: str) -> str | None:
    """A document's number as it is kept: upper case, without spaces and dashes; None for what is none."""
    found = re.sub(r"[\s-]", "", number).upper()
    return found if _DOCUMENT.match(found) else None
