"""One connection a role to the database under test, for whoever looks into it again and again.

A session of PostgreSQL's that is new reads up on every table and plans every statement, which takes several times as
long as what is asked: a third of what the tests cost was PostgreSQL's.
"""

from __future__ import annotations

import asyncio

import asyncpg

from backend.kernel.config import Settings
from backend.kernel.db import connect_args

NAME = "kept by the tests"
"""What such a session is called, for whoever counts sessions."""

_kept: dict[str, asyncpg.Connection] = {}
_of: tuple[asyncio.AbstractEventLoop, str] | None = None


async def connection(settings: Settings, role: str) -> asyncpg.Connection:
    """A connection past any pooler as ``huiyuan_owner`` or ``postgres``; the next database ends it."""
    global _of
    url = settings.migrate_database_url or settings.database_url
    here = asyncio.get_running_loop(), url
    if _of != here:
        while _kept:
            _kept.popitem()[1].terminate()
        _of = here
    if role not in _kept or _kept[role].is_closed():
        _kept[role] = await asyncpg.connect(
            **connect_args(url) | {"user": role},
            command_timeout=600,
            max_cacheable_statement_size=0,
            server_settings={"application_name": NAME},
        )
    return _kept[role]
