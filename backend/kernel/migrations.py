"""Which migrations this release carries, and which of them a database lacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any

from . import db


def on_disk() -> list[str]:
    """Every migration this release carries, as ``app.name``."""
    return [
        f"{label}.{path.name.removesuffix('.py')}"
        for label, package in db.APPS.items()
        for path in files(f"{package}.migrations").iterdir()
        if path.name.endswith(".py") and path.name[0] not in "_~"
    ]


async def missing(fetch: Callable[[str], Awaitable[Sequence[Any]]]) -> list[str]:
    """The migrations of this release that a database does not have; ``fetch`` runs one read on it."""
    try:
        rows = await fetch("SELECT app || '.' || name AS name FROM tortoise_migrations")
    except Exception as error:
        if getattr(error, "sqlstate", "") != "42P01":  # undefined_table: a database that was never migrated
            raise
        rows = []
    applied = {row["name"] for row in rows}
    return sorted(name for name in on_disk() if name not in applied)
