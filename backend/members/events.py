"""What happens to memberships."""

from __future__ import annotations

from backend.kernel.events import Event


class MemberRegistered(Event, frozen=True, kw_only=True):
    """Somebody became an active member: registered, or was approved after it."""


class LevelReached(Event, frozen=True, kw_only=True):
    """A member's spending reached a higher level."""

    level: str


class HomeStoreChanged(Event, frozen=True, kw_only=True):
    """A member chose another home store, or none; which it is now, the member says."""


class ProfileCompleted(Event, frozen=True, kw_only=True):
    """A member registered or changed the profile, and it says everything now: birthday and gender too."""
