"""A pooler between the servers and PostgreSQL."""

from __future__ import annotations

from backend.kernel import pooling
from backend.kernel.config import PREFIX
from backend.kernel.pooling import Pooling

from .findings import Connected, Report


async def pooler(subject: Connected) -> Report:
    """A pooler in transaction mode carries the servers; the worker and the migrations need a way past it."""
    settings = subject.settings
    report = Report("none" if subject.pooling is Pooling.NONE else "one that keeps sessions")
    for name in ("direct_database_url", "migrate_database_url"):
        url = getattr(settings, name)
        if url and await pooling.look(url) is Pooling.TRANSACTION:
            report.error(
                "pooler_in_the_way",
                f"{PREFIX}{name.upper()} leads through a pooler in transaction mode",
                causes="the worker is not woken, and migrations cannot hold their lock",
                do="name PostgreSQL itself",
            )
    if subject.pooling is not Pooling.TRANSACTION:
        return report
    if settings.statement_cache_size and not await pooling.carries_prepared_statements(settings.database_url):
        report.error(
            "pooler_prepared_statements",
            "the pooler is in transaction mode and does not carry prepared statements",
            causes="calls fail now and then: prepared statement … does not exist",
            do=f"set {PREFIX}STATEMENT_CACHE_SIZE=0, or max_prepared_statements in a PgBouncer of 1.21 or later",
        )
    report.well = "transaction mode; the worker goes past it"
    if not settings.direct_database_url:
        report.well = f"transaction mode; without {PREFIX}DIRECT_DATABASE_URL the worker polls and is not woken"
    return report
