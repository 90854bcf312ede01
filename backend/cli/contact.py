"""``huiyuan bench contact``."""

from __future__ import annotations

import asyncio
import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .console import out, step

if TYPE_CHECKING:
    from backend.bench.contact import Options, Outcome

# One desk asks as often as it can.
IN_A_HURRY = {f"HUIYUAN_RATE_{who}_PER_MINUTE": "10000000" for who in ("MEMBER", "ANONYMOUS", "LOGIN")}


def run(options: Options, data: Path | None, json: Path | None) -> int:
    """Measure on a system of its own, of which nothing is left; returns the exit code."""
    from backend.bench.contact import measure

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

    from backend.bench.contact import GOAL_MS

    out.print(
        f"a member with {outcome.entries:,} entries, {outcome.purchases:,} purchases, {outcome.articles:,} articles;"
        f" {outcome.statements} statements for a look-up"
    )
    said = outcome.said
    out.print(
        f"{said.letters:,} letters, {said.cases:,} cases, {said.suggestions:,} suggestions, {said.surveys:,} surveys,"
        f" a conversation of {said.messages:,} messages, {said.tasks:,} to-dos of care"
    )
    table = Table("", "requests", "p50 ms", "p95 ms", "p99 ms", "most ms", box=None, pad_edge=False)
    for row in outcome.rows:
        figures = (f"{ms:.1f}" for ms in (row.p50_ms, row.p95_ms, row.p99_ms, row.most_ms))
        table.add_row(row.name, f"{row.requests}", *figures)
    out.print(table)
    out.print(f"95 of 100 cards within {GOAL_MS:g} ms: {'yes' if outcome.reached else 'no'}")
