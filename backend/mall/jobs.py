"""What the catalogue does by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import imports, indexing, media, selling, uploads


@jobs.every("* * * * *")
async def index_unread() -> None:
    """Work out what articles and products are found by, where nobody did: a name is found a minute later at most."""
    await indexing.index_unread()


@jobs.every("40 19 * * *")
async def drop_unused_pictures() -> None:
    """Forget pictures that nothing has shown for two days, and imports of long ago."""
    await media.drop_unused()
    await imports.forget_old()


@jobs.task(name=imports.JOB)
async def run_import(import_id: str) -> None:
    """Read and write a large table that head office sent."""
    await imports.run(import_id)


@jobs.every("50 19 * * *")
async def drop_unused_uploads() -> None:
    """Forget members' pictures that were not used for two days."""
    await uploads.drop_unused()


@jobs.every("* * * * *")
async def count_sold() -> None:
    """Count what tills and the mall sold and took back."""
    await selling.count_due()


@jobs.every("7 * * * *")
async def rank_sold() -> None:
    """Rank products by what was sold in the last 30 days."""
    await selling.rank()
