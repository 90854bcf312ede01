"""What staff should look at."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from backend.kernel.http import Body

from ..types import AlertKind
from .words import Cursor, Limit, Note, PlaceId


class AlertsQuery(Body):
    """Which alerts: of a place, of a kind; ``open`` only, or all."""

    place_id: PlaceId | None = None
    kind: AlertKind | None = None
    state: Literal["open", "all"] = "open"
    cursor: Cursor | None = None
    limit: Limit = 50


class AlertOut(msgspec.Struct, kw_only=True):
    """Something to look at; ``qty``: what was left when it ran low, or how many pieces tills sold too many.

    ``on_hand``, ``short`` and ``low_qty`` are as the books say now. ``closed_by`` is null where it was over by itself.
    """

    id: str
    kind: AlertKind
    place_id: str
    sku: str
    name: str
    qty: int
    at: datetime
    on_hand: int
    short: int
    low_qty: int | None
    closed_at: datetime | None
    closed_by: str | None
    note: str


class AlertsOut(msgspec.Struct):
    """A page of alerts, newest first."""

    items: list[AlertOut]
    next_cursor: str | None


class AcknowledgeIn(Body):
    """What is being done about it."""

    note: Note = ""
