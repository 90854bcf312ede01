"""``huiyuan bench statements``."""

from __future__ import annotations

import asyncio
import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .console import out, step

if TYPE_CHECKING:
    from backend.bench.coupon_uses import Options, Outcome


def run(options: Options, data: Path | None, json: Path | None) -> int:
    """Measure on a system of its own, of which nothing is left; returns the exit code."""
    from backend.bench.coupon_uses import measure

    from .running import running

    try:
        with running(data, 1) as system, step("Fill, count and read") as say:
            outcome = asyncio.run(measure(system.settings, options, say))
    except KeyboardInterrupt:
        return 130
    show(outcome)
    if json is not None:
        json.write_text(jsonlib.dumps(msgspec.to_builtins(outcome), indent=2) + "\n")
    return 0 if outcome.reached else 1


def show(outcome: Outcome) -> None:
    """The table, what came before it, and the plan for a day that is read from the books."""
    from rich.table import Table

    from backend.bench.coupon_uses import GOAL_S

    out.print(
        f"{outcome.options.uses:,} uses loaded in {outcome.loaded_s:.0f} s;"
        f" {outcome.counted_days} days counted in {outcome.counted_s:.1f} s"
    )
    table = Table("statement", "sales", "first s", "best s", box=None, pad_edge=False)
    for read in outcome.reads:
        table.add_row(read.name, f"{read.sales:,}", f"{read.seconds[0]:.2f}", f"{min(read.seconds):.2f}")
    out.print(table)
    out.print(f"a month within {GOAL_S:g} s: {'yes' if outcome.reached else 'no'}")
    out.print(outcome.plan, markup=False, highlight=False)
