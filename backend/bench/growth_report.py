"""What ``bench grow`` prints."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from . import paths
from .growth import GOAL, Outcome

_MIB = 1 << 20


def show(outcome: Outcome, console: Console) -> None:
    """The table of rates, then sizes."""
    few, many, filled = outcome.few, outcome.many, outcome.filled
    console.print(
        f"{outcome.cpus} processors, {outcome.workers} server process{'es' if outcome.workers > 1 else ''},"
        f" {outcome.options.connections} connections, medians of {outcome.options.rounds} runs of"
        f" {outcome.options.seconds:g} s. Filled {filled.members:,} members with {filled.entries:,} entries in"
        f" {_clock(filled.seconds)} ({filled.rate:,.0f} entries/s)."
    )
    table = Table(
        title=f"Requests a second with {few.members:,} and with {many.members:,} members", title_justify="left"
    )
    table.add_column("path")
    for name in (f"at {few.members:,}", f"at {many.members:,}", "ratio", "goal"):
        table.add_column(name, justify="right")
    for name in paths.growing():
        if name in few.first and name in many.first:
            table.add_row(
                f"[dim]{paths.every()[name].call}, first visits[/dim]",
                f"[dim]{few.first[name]:,.0f}[/dim]",
                f"[dim]{many.first[name]:,.0f}[/dim]",
                f"[dim]{many.first[name] / max(1.0, few.first[name]):.2f}[/dim]",
            )
        ratio = outcome.ratio(name)
        colour = "green" if ratio >= GOAL else "red"
        table.add_row(
            paths.every()[name].call,
            f"{few.rate(name):,.0f}",
            f"{many.rate(name):,.0f}",
            f"[{colour}]{ratio:.2f}[/{colour}]",
            f"≥ {GOAL}",
        )
    console.print(table)
    _show_sizes(outcome, console)
    console.print(f"Audit: {outcome.findings} findings over {outcome.audited:,} members.")
    for stage in (few, many):
        if stage.failures:
            console.print(f"[red]{stage.failures} wrong answers with {stage.members:,} members[/red]; the first:")
            console.print(escape(stage.first_failure or ""))


def _show_sizes(outcome: Outcome, console: Console) -> None:
    entries = max(1, outcome.many.entries)
    table = Table(title=f"On disk, with {outcome.many.entries:,} entries", title_justify="left")
    table.add_column("table")
    for name in ("rows", "MiB", "indexes, MiB", "bytes an entry"):
        table.add_column(name, justify="right")
    for size in outcome.sizes:
        table.add_row(
            f"{size.name} ({size.parts} parts)" if size.parts > 1 else size.name,
            f"{size.rows:,}",
            f"{size.table_bytes / _MIB:,.0f}",
            f"{size.index_bytes / _MIB:,.0f}",
            f"{(size.table_bytes + size.index_bytes) / entries:,.0f}",
        )
    table.add_row(
        "the database", "", f"{outcome.database_bytes / _MIB:,.0f}", "", f"{outcome.database_bytes / entries:,.0f}"
    )
    console.print(table)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Everything measured, for a file."""
    built: dict[str, Any] = msgspec.to_builtins(outcome)
    return built | {"ratios": {name: outcome.ratio(name) for name in paths.growing()}}


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
