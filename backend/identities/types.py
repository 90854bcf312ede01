"""Requests, and what they are good for."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

TOKEN_FOR = timedelta(seconds=300)
"""How long a confirmed request stands for a scan."""


class Way(StrEnum):
    """By which number somebody is looked for."""

    PHONE = "phone"
    DOCUMENT = "document"
    CARD = "card"


class RequestState(StrEnum):
    """How a request stands; one whose time is over is expired."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Rights(StrEnum):
    """What a confirmed request is good for: to earn, or to spend too, within the limits without a confirmation."""

    EARN = "earn"
    SPEND = "spend"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A till asked who somebody is; ``member_id`` None: the number is nobody's, which the till is not told."""

    id: int
    terminal_id: str
    store_id: str
    way: Way
    member_id: int | None
    state: RequestState
    rights: Rights | None
    pin_tries: int
    at: datetime
    expires_at: datetime
    decided_at: datetime | None
