"""What is held of a member here."""

from __future__ import annotations

from backend.members.holding import Holding, Table, holds, kept

WHY = "that something of a member was changed, and when; what it was is read from the member's own log"

FEEDS = holds(
    Holding(
        name="feeds",
        title="数据订阅",
        tables=(Table("feed_entry", kept(WHY), unshown=WHY),),
        stays=("feed_entry",),
    )
)
