"""``huiyuan bench finding``."""

from __future__ import annotations

import asyncio
import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .console import out, step
from .contact import IN_A_HURRY

if TYPE_CHECKING:
    from backend.bench.finding import Options, Outcome


def run(options: Options, data: Path | None, json: Path | None) -> int:
    """Measure on a system of its own, of which nothing is left; returns the exit code."""
    from backend.bench.finding import measure

    from .running import running

    try:
        with running(data, 1, IN_A_HURRY) as system, step("Fill and ask") as say:
            outcome = asyncio.run(measure(system, options, say))
    except KeyboardInterrupt:
        return 130
    show(outcome)
    if json is not None:
        json.write_text(jsonlib.dumps(msgspec.to_builtins(outcome), indent=2) + "\n")
    return 0 if outcome.reached else 1


def show(outcome: Outcome) -> None:
    """The table, and whether the goal was reached."""
    from rich.table import Table

    from backend.bench.finding import GOAL_MS

    out.print(f"first pages of {outcome.options.members:,} members, each asked for {outcome.options.requests} times")
    table = Table("filter", "on the page", "p50 ms", "p95 ms", "most ms", box=None, pad_edge=False)
    for row in outcome.rows:
        table.add_row(row.name, str(row.found), *(f"{ms:.1f}" for ms in (row.p50_ms, row.p95_ms, row.most_ms)))
    out.print(table)
    out.print(f"95 of 100 first pages within {GOAL_MS:g} ms: {'yes' if outcome.reached else 'no'}")
