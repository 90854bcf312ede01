"""What ``make mutants`` prints in the end."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .mutant import Mutant
from .trial import Trial, Verdict

WIDTH = 118
COLOURS = {Verdict.KILLED: "green", Verdict.SURVIVED: "bold red", Verdict.INVALID: "bold yellow"}

Chosen = Mapping[str, list[Mutant]]
"""Mutants by area."""


def show(chosen: Chosen, trials: Mapping[str, Trial], sound: Trial | None, seconds: float, out: Console) -> None:
    """Print the table, the harm of what survived, and how it was without a mutant (``sound``, where that was run)."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("mutant", "area", "caught by", "s", "verdict"):
        justify: Literal["left", "right"] = "right" if name == "s" else "left"
        table.add_column(name, justify=justify, no_wrap=name != "caught by", overflow="fold")
    survivors = []
    for area, mutants in chosen.items():
        for mutant in mutants:
            trial = trials[mutant.name]
            color = COLOURS[trial.verdict]
            by = escape(trial.by.removeprefix("tests/"))
            table.add_row(mutant.name, area, by, f"{trial.seconds:.0f}", f"[{color}]{trial.verdict}[/{color}]")
            if trial.verdict is Verdict.SURVIVED:
                survivors.append(f"[bold red]survived[/bold red] {area} {mutant.name}: {mutant.harm}")
    out.print()
    out.print(table)
    counts = Counter(trial.verdict for trial in trials.values())
    out.print(f"\n{len(trials)} mutants: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict))
    for line in survivors:
        out.print(line)
    out.print(_without(sound))
    out.print(f"{seconds:.0f} s, {date.today()}, {_machine()}")


def _without(sound: Trial | None) -> str:
    if sound is None:
        return "the named tests were not run without a mutant"
    if sound.verdict is not Verdict.SURVIVED:
        return f"[bold red]without a mutant these fail:[/bold red]\n{escape(sound.by)}"
    return f"without a mutant all named tests pass ({sound.seconds:.0f} s)"


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
