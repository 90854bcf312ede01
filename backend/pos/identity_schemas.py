"""Shapes of identification at a till."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .schemas import ScanOut


class IdentifyIn(Body):
    """The number that the customer says: of their phone, a document, or a card; in the body, for addresses are kept."""

    phone: Annotated[str, Meta(pattern=r"^1[0-9]{10}$(?!\n)")] | None = None
    document: Annotated[str, Meta(min_length=6, max_length=40)] | None = None
    card_no: Annotated[str, Meta(min_length=6, max_length=32)] | None = None


class PinIn(Body):
    """What the member typed at the till's PIN pad."""

    pin: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class SendCodeIn(Body):
    """What the member is asked for: to earn, or to spend too, within the limits without a confirmation."""

    purpose: Literal["earn", "spend"] = "earn"


class SmsCodeIn(Body):
    """The code that the member was sent, and read out."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class IdentifyOut(msgspec.Struct, kw_only=True):
    """``waiting`` whether or not the number is anybody's; ``confirmed`` with ``scan``, as a scanned code gives it.

    ``rights``: ``earn`` (what would be spent waits for the phone), or ``spend`` (within the limits without it).
    """

    id: str
    state: str
    expires_at: datetime
    rights: str | None
    scan: ScanOut | None
