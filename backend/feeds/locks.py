"""Row locks. A subscriber is locked alone."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .errors import SubscriberConflict, SubscriberEnded
from .queries import SUBSCRIBER, subscriber_of
from .types import Subscriber, SubscriberState


async def lock_subscriber(tx: Tx, subscriber_id: str, version: int | None = None) -> Subscriber:
    """A living subscriber, to be changed; ``SubscriberConflict`` where it is another version than was seen."""
    rows = await db.fetch_in(tx, f"{SUBSCRIBER} WHERE id = $1 FOR UPDATE", subscriber_id)
    if not rows:
        raise NotFound("there is no such subscriber")
    found = subscriber_of(rows[0])
    if found.state is SubscriberState.ENDED:
        raise SubscriberEnded
    if version is not None and found.version != version:
        raise SubscriberConflict
    return found
