"""``huiyuan doctor``: every setting, and whether what they name is there and fit for use.

Each module holds the checks of one subject: functions that return a ``Report`` or await one. ``CHECKS`` names those
that need no database, ``DATABASE_CHECKS`` the others.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec
from rich.markup import escape
from rich.table import Table

from backend.cli.console import out
from backend.cli.maintenance import settings_for
from backend.kernel import config, db, pooling
from backend.kernel.config import PREFIX, Settings, SettingsError

from . import cache, database, keys, letters, machine, network, operation, pooler, roles, wechat
from .findings import Check, Connected, DatabaseCheck, Finding, Level, Report, Result, Subject

CONNECT_TIMEOUT_S = 5.0

_S = TypeVar("_S", bound=Subject)

CHECKS: tuple[tuple[str, Check], ...] = (
    ("Machine", machine.limits),
    ("Address", network.address),
    ("Proxies", network.proxies),
    ("Master keys", keys.master_keys),
    ("Key files", keys.files),
    ("WeChat", wechat.wechat),
    ("Redis", cache.redis),
    ("Mail", letters.mail),
    ("SMS", letters.sms),
    ("Labels", letters.labels),
)
DATABASE_CHECKS: tuple[tuple[str, DatabaseCheck], ...] = (
    ("PostgreSQL", database.server),
    ("Durability", database.durability),
    ("Connections", database.connections),
    ("Pooler", pooler.pooler),
    ("Application role", roles.application_role),
    ("Migrations", database.applied_migrations),
    ("Partitions", database.partitions),
    ("Clock", database.clock_skew),
    ("Backups", operation.archiving),
    ("Worker", operation.worker),
    ("Outbox", operation.outbox),
)


def run(data: Path | None, *, workers: int, strict: bool) -> int:
    """Print settings and findings; 0 when fit, 1 when not (``strict`` counts warnings), 2 when settings are wrong."""
    try:
        with settings_for(data) as settings:
            _print_settings(settings)
            config.use(settings)
            reports = asyncio.run(examine(settings, os.environ, workers=workers))
    except SettingsError as error:
        out.print("[red]✗[/red] The environment does not make a configuration:")
        for line in str(error).splitlines():
            out.print(f"    {escape(line)}")
        return 2
    out.print()
    for name, report in reports:
        _print_report(name, report)
    found = [finding.level for _, report in reports for finding in report.findings]
    errors, warnings = found.count(Level.ERROR), found.count(Level.WARNING)
    out.print(f"\n{errors} errors, {warnings} warnings" if found else "\nNothing is wrong.")
    return 1 if errors or (strict and warnings) else 0


async def examine(settings: Settings, environ: Mapping[str, str], *, workers: int = 2) -> list[tuple[str, Report]]:
    """Run every check, by name; one that cannot be run is a finding, not a crash."""
    import asyncpg

    subject = Subject(settings, environ, workers)
    reports = [(name, await _run(check, subject)) for name, check in CHECKS]
    try:
        # Behind a pooler a prepared statement would stay on a connection that is somebody else's next.
        connection = await asyncpg.connect(
            **db.connect_args(settings.database_url), timeout=CONNECT_TIMEOUT_S, statement_cache_size=0
        )
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return [*reports, ("PostgreSQL", database.unreachable(error))]
    try:
        between = await pooling.look(settings.database_url)
        connected = Connected(settings, environ, workers, connection, between)
        return reports + [(name, await _run(check, connected)) for name, check in DATABASE_CHECKS]
    finally:
        await connection.close()


async def _run(check: Callable[[_S], Result], subject: _S) -> Report:
    try:
        report = check(subject)
        return await report if isawaitable(report) else report
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        return Report(findings=[Finding("check_failed", said, "unknown", "see what the message names")])


def _print_report(name: str, report: Report) -> None:
    if not report.findings:
        out.print(f"[green]✓[/green] {name}: {escape(report.well)}")
    for finding in report.findings:
        mark = "[red]✗[/red]" if finding.level is Level.ERROR else "[yellow]![/yellow]"
        out.print(f"{mark} {name}: {escape(finding.what)} [dim]({finding.code})[/dim]")
        out.print(f"    causes: {escape(finding.causes)}")
        out.print(f"    do:     {escape(finding.do)}")


def _print_settings(settings: Settings) -> None:
    docs = config.field_docs()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("setting", "value", "", "meaning"):
        table.add_column(title, overflow="fold", no_wrap=title == "setting")
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        secret = docs[field.name].startswith("secret:")
        source = "default" if not field.required and value == field.default else "set"
        table.add_row(
            f"{PREFIX}{field.name.upper()}",
            escape(shown(value, secret=secret)),
            f"[dim]{source}[/dim]" if source == "default" else source,
            f"[dim]{escape(docs[field.name].removeprefix('secret:').strip())}[/dim]",
        )
    out.print(table)


def shown(value: Any, *, secret: bool) -> str:
    """A setting's value as it may be printed: secrets are masked, also a password inside an address."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if not text:
        return "—"
    if secret:
        return "••••••••"
    if "://" in text:
        parts = urlsplit(text)
        if parts.password:
            host = parts.netloc.rpartition("@")[2]
            return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:••••••••@{host}"))
    return text
