"""``huiyuan feed-restart``: after a restore no subscriber of the members' feed goes on as if nothing was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from backend.feeds import queries
from backend.feeds.commands import numbering
from backend.feeds.types import Subscriber
from backend.kernel import config, db
from backend.kernel.config import Settings

from .console import out
from .maintenance import settings_for


def restart(data: Path | None) -> None:
    """Have who asks begin again, and list who is called, whom somebody must tell."""
    with settings_for(data) as settings:
        config.use(settings)
        seq, subscribers = asyncio.run(_restart(settings))
    out.print(f"numbers go on behind {seq}; whoever asks is told to begin again (409 feed_expired)")
    for one in subscribers:
        if one.url is not None:
            out.print(f"{escape(one.name)} is called: have it begin with a snapshot")


async def _restart(settings: Settings) -> tuple[int, Sequence[Subscriber]]:
    await db.open_pools(settings)
    try:
        return await numbering.begin_again(), await queries.list_subscribers()
    finally:
        await db.close_pools()
