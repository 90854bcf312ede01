"""What the catalogue does by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import indexing, media


@jobs.every("* * * * *")
async def index_unread() -> None:
    """Work out what articles and products are found by, where nobody did: a name is found a minute later at most."""
    await indexing.index_unread()


@jobs.every("40 19 * * *")
async def drop_unused_pictures() -> None:
    """Forget pictures that nothing has shown for two days."""
    await media.drop_unused()
