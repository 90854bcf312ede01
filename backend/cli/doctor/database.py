"""PostgreSQL: its version and settings, connections, schema, partitions, clock."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, migrations
from backend.kernel.pooling import Pooling

from .findings import Connected, Report

LEAST_VERSION = 150000
MOST_CLOCK_SKEW_S = 2.0
WORKER_CONNECTIONS = 24
"""What ``huiyuan worker`` opens: the pools of a server, and those of the job queue."""


def unreachable(error: Exception) -> Report:
    """No other check makes sense then."""
    report = Report()
    report.error(
        "database_unreachable",
        f"HUIYUAN_DATABASE_URL: cannot connect ({type(error).__name__}: {error})",
        causes="nothing works",
        do="start PostgreSQL, or put right the address, the password, or pg_hba.conf",
    )
    return report


async def server(subject: Connected) -> Report:
    """Version, encoding, isolation."""
    number = int(await subject.connection.fetchval("SHOW server_version_num"))
    encoding = await subject.connection.fetchval("SHOW server_encoding")
    isolation = await subject.connection.fetchval("SHOW default_transaction_isolation")
    report = Report(f"{number // 10000}.{number % 10000}, {encoding}")
    if number < LEAST_VERSION:
        report.error(
            "postgres_too_old",
            f"this is PostgreSQL {number // 10000}",
            causes="migrations fail",
            do="upgrade to 15 or newer",
        )
    if encoding != "UTF8":
        report.error(
            "database_encoding",
            f"the database's encoding is {encoding}",
            causes="names in Chinese cannot be stored",
            do="create the database anew with ENCODING 'UTF8' TEMPLATE template0, and restore a dump into it",
        )
    if isolation != "read committed":
        report.error(
            "database_isolation",
            f"default_transaction_isolation is {isolation}",
            causes="sales of one member that meet fail instead of waiting for each other",
            do="take it out of postgresql.conf, ALTER DATABASE and ALTER ROLE",
        )
    return report


async def durability(subject: Connected) -> Report:
    """Is a sale that was acknowledged on the disk?"""
    names = ("fsync", "full_page_writes", "synchronous_commit")
    values = {name: await subject.connection.fetchval(f"SHOW {name}") for name in names}
    report = Report("an acknowledged sale survives a power cut")
    off = [name for name, value in values.items() if value == "off"]
    if off:
        report.error(
            "database_not_durable",
            f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} off",
            causes="after a crash sales that tills and phones have printed are gone, or the files are broken",
            do=f"set {', '.join(f'{name} = on' for name in off)} (postgresql.conf, ALTER DATABASE, ALTER ROLE), reload",
        )
    return report


async def connections(subject: Connected) -> Report:
    """Do all processes fit, with one more that a reload starts? A pooler's own settings say how many it opens."""
    if subject.pooling is not Pooling.NONE:
        return Report("the pooler's")
    settings = subject.settings
    each = settings.db_pool_size + settings.orm_pool_size + settings.ledger_lanes
    needed = each * (subject.workers + 1) + WORKER_CONNECTIONS
    row = await subject.connection.fetchrow(
        """SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                  - coalesce(current_setting('reserved_connections', true)::int, 0) AS server,
                  (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role,
                  (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database"""
    )
    limits = {name: value for name, value in row.items() if value >= 0}
    name, limit = min(limits.items(), key=lambda item: item[1])
    report = Report(f"{needed} for {subject.workers} server processes, a reload and a worker; {limit} are allowed")
    if needed > limit:
        report.error(
            "too_few_connections",
            f"{subject.workers} server processes, a reload and a worker need {needed}; the {name} allows {limit}",
            causes="under load, or during a reload, calls answer 503",
            do="raise max_connections (or the role's or database's limit), lower HUIYUAN_DB_POOL_SIZE and"
            " HUIYUAN_ORM_POOL_SIZE, or tell `doctor --workers` how many there really are",
        )
    return report


async def applied_migrations(subject: Connected) -> Report:
    """Is the schema that of this release?"""
    lacking = await migrations.missing(subject.connection.fetch)
    report = Report(f"all {len(migrations.on_disk())} applied")
    if lacking:
        report.error(
            "migrations_missing",
            f"{len(lacking)} not applied ({', '.join(lacking[:3])}{'…' if len(lacking) > 3 else ''})",
            causes="/readyz answers 503, and a reload is given up",
            do="run `huiyuan migrate`",
        )
    return report


async def partitions(subject: Connected) -> Report:
    """Is there a place for next month's rows?"""
    today = clock.now().date()
    month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    names = [f"{table}_{month:%Y%m}" for table in ("ledger_entry", "outbox")]
    lacking = [name for name in names if not await subject.connection.fetchval("SELECT to_regclass($1)", name)]
    report = Report(f"those of {month:%Y-%m} are there")
    if lacking and await subject.connection.fetchval("SELECT to_regclass('ledger_entry')"):
        report.warn(
            "partitions_missing",
            f"{', '.join(lacking)} not made",
            causes="from then on rows pile up in the default partition, and that month can never have its own",
            do="run `huiyuan migrate`, and see why the worker's job ledger.make_partitions did not",
        )
    return report


async def clock_skew(subject: Connected) -> Report:
    """Do this machine and the database's agree on the time?"""
    before = clock.now()
    theirs = await subject.connection.fetchval("SELECT clock_timestamp()")
    after = clock.now()
    skew = (theirs - before - (after - before) / 2).total_seconds()
    what = f"{abs(skew):.3f} s {'behind' if skew > 0 else 'ahead of'} the database's"
    report = Report(what)
    clock.zone(subject.settings.timezone)
    if subject.settings.clock_file:
        report.error(
            "clock_moved",
            f"HUIYUAN_CLOCK_FILE moves the clock ({subject.settings.clock_file})",
            causes="codes, signatures and dates of expiry follow a time that is not the real one",
            do="unset it: it is for tests only",
        )
        return report
    if abs(skew) > MOST_CLOCK_SKEW_S:
        report.error(
            "clock_skew",
            f"this machine's clock is {what}",
            causes="codes live 30 s and signatures 300 s: tills are refused, or old codes accepted",
            do="run chrony or systemd-timesyncd on both machines (`timedatectl` shows which one is wrong)",
        )
    return report
