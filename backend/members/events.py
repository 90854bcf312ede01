"""What happens to memberships."""

from __future__ import annotations

from datetime import datetime

from backend.kernel.events import Event


class MemberRegistered(Event, frozen=True, kw_only=True):
    """Somebody became an active member: registered, or was approved after it."""


class MemberChanged(Event, frozen=True, kw_only=True):
    """Something about a member was changed: which fields, and the ids of the changes, which say how."""

    fields: tuple[str, ...]
    change_ids: tuple[int, ...] = ()


class PinHandled(Event, frozen=True, kw_only=True):
    """Staff ended or unlocked a member's payment PIN, or one was set at a till, with the member there."""

    act: str
    act_id: int
    at: datetime
    store_id: str | None = None


class LevelReached(Event, frozen=True, kw_only=True):
    """A member's spending reached a higher level."""

    level: str


class HomeStoreChanged(Event, frozen=True, kw_only=True):
    """A member chose another home store, or none; which it is now, the member says."""


class LevelLost(Event, frozen=True, kw_only=True):
    """A member's own level became a lower one: it was not kept, or what had brought it was given back."""

    level: str
    source: str


class LevelUnlocked(Event, frozen=True, kw_only=True):
    """A member's level may change again by itself: the agreement that had held it is over."""


class ProfileCompleted(Event, frozen=True, kw_only=True):
    """A member registered or changed the profile, and it says everything now: birthday and gender too."""
