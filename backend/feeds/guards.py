"""Who may ask for the feed: other systems of the chain, by a key that staff gave them."""

from __future__ import annotations

import re

from backend.kernel.config import settings
from backend.kernel.errors import Unauthenticated
from backend.kernel.http import Request

from . import queries, rules
from .types import SubscriberCaller

_BEARER = re.compile(rf"Bearer ({rules.KEY_PREFIX}[A-Za-z0-9_-]{{43}})\Z")


class SubscriberGuard:
    """Lets in the subscriber whose key is shown; paused and ended ones are not let in."""

    name = "subscriber"
    scheme: str | None = "subscriberBearer"
    may_forbid = False

    async def authenticate(self, request: Request) -> SubscriberCaller:
        """The subscriber, with its fields as they are now."""
        match = _BEARER.match(request.headers.get("authorization", ""))
        found = await queries.find_by_key(match[1]) if match else None
        if found is None:
            raise Unauthenticated
        return SubscriberCaller(
            subscriber=found,
            rate_key=f"subscriber:{found.id}",
            rate_per_minute=settings().rate_member_per_minute,
        )


subscriber = SubscriberGuard()
"""Another system of the chain; the caller is a ``SubscriberCaller``."""
