"""What the audit log is asked, and what it says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from backend.auth.schemas import ShortId
from backend.kernel.http import Body


class AuditFilterQuery(Body, frozen=True):
    """Which rows of the log: by person, store, action (``POST /v1/…``), thing (an id), request, code, outcome, time."""

    staff_id: Annotated[str, Meta(max_length=20)] | None = None
    store_id: ShortId | None = None
    action: Annotated[str, Meta(max_length=160)] | None = None
    thing: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    request_id: Annotated[str, Meta(max_length=64)] | None = None
    code: Annotated[str, Meta(max_length=60)] | None = None
    done: bool | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None


class AuditQuery(AuditFilterQuery, frozen=True):
    """The same, page by page."""

    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class AuditItem(msgspec.Struct, kw_only=True):
    """Something that somebody of the staff did or tried.

    ``named`` is what the address names, ``things`` what else was meant; ``code`` is the refusal's, empty where it was
    done, ``begun`` where nobody knows how it ended. ``detail``: ``actions`` and ``fields`` that were changed (names,
    never values), ``said`` what is worth reading and nobody's secret.
    """

    id: str
    at: datetime
    staff_id: str
    staff_name: str
    role: str
    store_id: str | None
    action: str
    title: str
    named: dict[str, str]
    things: list[str]
    status: int
    code: str
    address: str
    request_id: str
    detail: dict[str, Any]
    about: list[str]


class AuditOut(msgspec.Struct):
    """A page, newest first; ``next_cursor`` is None at the end."""

    items: list[AuditItem]
    next_cursor: str | None


class AuditActionOut(msgspec.Struct):
    """An action and its name."""

    action: str
    title: str


class AuditActionsOut(msgspec.Struct):
    """Every action that the log knows."""

    items: list[AuditActionOut]
