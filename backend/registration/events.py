"""What happens to memberships: they end, and end soon."""

from __future__ import annotations

from datetime import date

from backend.kernel.events import Event


class MembershipEnding(Event, frozen=True, kw_only=True):
    """A membership ends with that day, and nobody has extended it yet; ``days``: so many before it, it is told."""

    valid_until: date
    days: int


class MembershipEnded(Event, frozen=True, kw_only=True):
    """A membership's last day is over."""

    valid_until: date


class MembershipResumed(Event, frozen=True, kw_only=True):
    """A membership that was outside of its days is good again."""

    valid_until: date | None = None


class RegistrationApproved(Event, frozen=True, kw_only=True):
    """Staff let somebody in who had waited."""


class RegistrationRejected(Event, frozen=True, kw_only=True):
    """Staff refused somebody who had waited."""
