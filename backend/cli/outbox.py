"""``huiyuan outbox``: the events that were given up on, and another try for them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.markup import escape

from backend.kernel import config, db, outbox
from backend.kernel.config import Settings

from .console import out
from .maintenance import settings_for


def run(data: Path | None, *, retry: bool) -> int:
    """List parked events, or let the worker try all of them again; 1 where some stay parked."""
    with settings_for(data) as settings:
        config.use(settings)
        parked, retried = asyncio.run(_look(settings, retry=retry))
    if retry:
        out.print(f"{retried} events will be tried again")
        return 0
    for event in parked:
        what = f"{event.name} of member {event.member_id}, event {event.id}, {event.at:%Y-%m-%d %H:%M:%S} UTC"
        out.print(f"{escape(what)}: {escape(event.last_error)} (after {event.attempts} tries)")
    out.print(f"{len(parked)} events are parked" if parked else "no event is parked")
    return 1 if parked else 0


async def _look(settings: Settings, *, retry: bool) -> tuple[list[outbox.Parked], int]:
    await db.open_pools(settings)
    try:
        return ([], await outbox.retry_parked()) if retry else (await outbox.list_parked(), 0)
    finally:
        await db.close_pools()
