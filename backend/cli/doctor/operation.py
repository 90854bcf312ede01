"""What should go on beside the servers: WAL archiving, the worker, the outbox."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock

from .findings import Connected, Report

IDLE = timedelta(minutes=10)
"""Jobs of the clock run every minute, and events are relayed within seconds."""

# A job that succeeded is deleted, and its events with it; when the clock's jobs were last handed out is kept.
_LAST_JOB = """
SELECT greatest((SELECT max(at) FROM procrastinate_events),
                (SELECT to_timestamp(max(defer_timestamp)) FROM procrastinate_periodic_defers))"""

_ARCHIVER = """
SELECT current_setting('archive_mode') <> 'off' AS archives, last_archived_time, last_failed_time, last_failed_wal,
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS failing
  FROM pg_stat_archiver"""


async def archiving(subject: Connected) -> Report:
    """Can a moment be restored, or only last night?"""
    row = await subject.connection.fetchrow(_ARCHIVER)
    report = Report("WAL is archived" if row["archives"] else "a demo needs no archive")
    if row["archives"] and row["failing"]:
        report.error(
            "archiving_fails",
            f"WAL is not archived: {row['last_failed_wal']} failed at {row['last_failed_time']:%Y-%m-%d %H:%M} UTC",
            causes="pg_wal grows until the disk is full, and nothing since then can be restored",
            do="read the reason in PostgreSQL's log, and mend archive_command or the place it writes to",
        )
    if not row["archives"] and subject.production:
        report.warn(
            "no_archiving",
            "archive_mode is off",
            causes="when the disk is lost, so is every sale since the last dump",
            do="archive WAL, see Backup in docs/operations.md; ignore this where a standby or pg_receivewal keeps it",
        )
    return report


async def worker(subject: Connected) -> Report:
    """Did jobs run lately?"""
    report = Report("no job has run yet")
    if not await subject.connection.fetchval("SELECT to_regclass('procrastinate_events')"):
        return report
    last = await subject.connection.fetchval(_LAST_JOB)
    if last is None:
        return report
    report.well = f"the last job began or ended {last:%Y-%m-%d %H:%M:%S} UTC"
    if clock.now() - last > IDLE:
        report.error(
            "no_worker",
            f"no job has run since {last:%Y-%m-%d %H:%M} UTC",
            causes="unpaid recharges are not asked about, levels stand still, points do not expire",
            do="start `huiyuan worker` (systemctl start huiyuan-worker), and read its log",
        )
    return report


async def outbox(subject: Connected) -> Report:
    """Are events relayed, and were any given up?"""
    report = Report("no event waits")
    if not await subject.connection.fetchval("SELECT to_regclass('outbox')"):
        return report
    row = await subject.connection.fetchrow(
        """SELECT count(*) FILTER (WHERE not_before = 'infinity') AS parked,
                  min(at) FILTER (WHERE not_before IS NULL OR not_before <= $1) AS oldest
             FROM (SELECT at, not_before FROM outbox LIMIT 10000) AS sample""",
        clock.now(),
    )
    if row["parked"]:
        report.error(
            "outbox_parked",
            f"{row['parked']} events were given up on",
            causes="what follows from them (levels, messages, statistics) did not happen",
            do="`huiyuan outbox` lists them with the reason; after it is mended, `huiyuan outbox --retry`",
        )
    if row["oldest"] is not None and clock.now() - row["oldest"] > IDLE:
        report.error(
            "outbox_stuck",
            f"the oldest event waits since {row['oldest']:%Y-%m-%d %H:%M} UTC",
            causes="levels, messages and statistics stand still",
            do="start `huiyuan worker`, and read its log",
        )
    return report
