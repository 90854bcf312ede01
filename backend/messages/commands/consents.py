"""Members say which letters they want, and by which way; staff write it down for them where they ask."""

from __future__ import annotations

from backend.kernel import db

from ..schemas import ConsentIn
from ..service import set_consent


async def say(member_id: int, items: tuple[ConsentIn, ...], *, by: str) -> None:
    """Write words down, in the order of their keys; what was so already leaves no trace."""
    words = {(item.channel, item.purpose): item.granted for item in items}
    async with db.transaction() as tx:
        for (channel, purpose), granted in sorted(words.items()):
            await set_consent(tx, member_id, channel, purpose, granted=granted, by=by)
