"""Who becomes a member at once, who waits, who is refused: the layer above says it, by what staff have set.

``registration`` is who judges; without it the setting ``registration_approval`` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from backend.kernel.config import settings
from backend.kernel.db import Tx

from .types import Status


class Channel(StrEnum):
    """Where somebody registers: on the own phone, with the staff, at a till."""

    PHONE = "phone"
    STAFF = "staff"
    TILL = "till"


class Applicant(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of somebody who registers; the phone is never logged."""

    channel: Channel
    phone: str
    name: str
    birthday: date | None = None
    store_id: str | None = None
    referred: bool = False
    attributes: Mapping[str, Any] = {}
    identity_id: int | None = None


class Verdict(msgspec.Struct, frozen=True):
    """The status that somebody begins with, why, and by which rule of which version of the policy."""

    status: Status
    reason: str | None = None
    rule: str | None = None
    version: int | None = None


class Judging(Protocol):
    """Who judges, and writes down what became of it."""

    async def judge(self, applicant: Applicant) -> Verdict:
        """What somebody who is new, or was refused before, begins with."""
        ...

    async def applied(
        self, tx: Tx, member_id: int, applicant: Applicant, verdict: Verdict | None, kept_name: str | None
    ) -> None:
        """Somebody registered, on that transaction: was judged, or (None) became a member who was there already.

        ``kept_name`` is that member's name where another was given.
        """
        ...

    async def decided(self, tx: Tx, member_id: int, status: Status, staff_id: int, reason: str | None) -> None:
        """Somebody of the staff let a waiting member in, or refused them."""
        ...


class _BySetting:
    async def judge(self, applicant: Applicant) -> Verdict:
        return Verdict(Status.PENDING if settings().registration_approval else Status.ACTIVE)

    async def applied(
        self, tx: Tx, member_id: int, applicant: Applicant, verdict: Verdict | None, kept_name: str | None
    ) -> None:
        """Nobody asks later."""

    async def decided(self, tx: Tx, member_id: int, status: Status, staff_id: int, reason: str | None) -> None:
        """Nobody asks later."""


_judging: list[Judging] = [_BySetting()]


def judged_by(judging: Judging) -> None:
    """Let that one judge from now on; a domain does it when its ``handlers`` are imported."""
    _judging[:] = [judging]


def judging() -> Judging:
    """Who judges."""
    return _judging[0]
