"""Refusals of the feed."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class SubscriberConflict(DomainError):
    """The subscriber was changed by somebody else meanwhile."""

    code = "subscriber_conflict"
    kind = Kind.CONFLICT


class SubscriberEnded(DomainError):
    """The subscriber has ended."""

    code = "subscriber_ended"
    kind = Kind.CONFLICT


class TooManySubscribers(DomainError):
    """There are as many subscribers as there may be."""

    code = "too_many_subscribers"
    kind = Kind.CONFLICT


class NoAddress(DomainError):
    """The subscriber has no address to call."""

    code = "subscriber_without_address"
    kind = Kind.CONFLICT


class FeedExpired(DomainError):
    """Entries after this place are not kept any more, or were lost: begin with a snapshot of all members."""

    code = "feed_expired"
    kind = Kind.CONFLICT
