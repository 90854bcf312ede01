"""Shapes of identification, for members and staff."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

Pin = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class IdentityOut(msgspec.Struct):
    """A till that asks whether it is you."""

    id: str
    store: dict[str, str]
    way: str
    at: datetime
    expires_at: datetime


class IdentitiesOut(msgspec.Struct):
    """Those that wait, newest first."""

    items: list[IdentityOut]


class IdentityDecisionIn(Body):
    """The answer; with the payment PIN one may spend within the limits, without it earn."""

    decision: Literal["approve", "reject"]
    pin: Pin | None = None


class IdentityDecisionOut(msgspec.Struct):
    """What became of it."""

    id: str
    state: str
    rights: str | None


class DocumentIn(Body):
    """The number of a document, or null to forget it."""

    number: Annotated[str, Meta(min_length=1, max_length=40)] | None


class DocumentOut(msgspec.Struct):
    """Whether a document is registered, by its last four characters."""

    last4: str | None
