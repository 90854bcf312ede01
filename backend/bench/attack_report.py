"""What ``bench attack`` prints."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.table import Table

from .attack import GOAL_MB, GOAL_RATIO, PER_SECOND, Outcome, Row
from .attackers import ATTACKS
from .honest import Honest


def show(outcome: Outcome, out: Console) -> None:
    """A line an attack: the shop's latency against that of the shop alone, its errors, and the servers' memory."""
    table = Table(title="Under attack", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("attack", "p50 ms", "p99 ms", "p99 ×", "late ms", "errors", "MB, peak, after", "+ MB"):
        table.add_column(name, justify="left" if name == "attack" else "right", no_wrap=True)
    for run in outcome.idle:
        table.add_row("(none)", *_seen(outcome, run), "", "")
    for row in outcome.rows:
        table.add_row(row.name, *_figures(outcome, row))
    out.print()
    out.print(table)
    _deeds(outcome, out)
    worst = max(outcome.rows, key=outcome.ratio)
    most = max(outcome.rows, key=lambda row: row.memory.grown)
    _verdict(out, f"p99 at most {outcome.ratio(worst):.1f} × idle ({worst.name}); goal < {GOAL_RATIO:.0f} ×",
             met=outcome.ratio(worst) < GOAL_RATIO)  # fmt: skip
    _verdict(out, f"memory at most +{most.memory.grown:.1f} MB ({most.name}); goal < {GOAL_MB:.0f} MB",
             met=most.memory.grown < GOAL_MB)  # fmt: skip
    _verdict(out, f"{outcome.errors} errors of honest clients; goal 0", met=not outcome.errors)
    verdict = "the books balance" if not outcome.findings else f"{outcome.findings} FINDINGS"
    out.print(f"Audit of {outcome.audited:,} members: {verdict}")


def _figures(outcome: Outcome, row: Row) -> list[str]:
    memory = row.memory
    return [
        *_seen(outcome, row.honest),
        f"{memory.before:.0f}, {memory.peak:.0f}, {memory.after:.0f}",
        f"{memory.grown:.1f}",
    ]


def _seen(outcome: Outcome, run: Honest) -> list[str]:
    half, _, most, _ = run.latencies_ms
    ratio = most / outcome.idle_ms[1]
    return [f"{half:.1f}", f"{most:.1f}", f"{ratio:.1f}", f"{run.late_ms:.1f}", str(sum(run.errors.values()))]


def _deeds(outcome: Outcome, out: Console) -> None:
    """What was done and what the server said to it."""
    out.print(
        f"\nThe shop: {PER_SECOND} requests a second (sales on kept connections, wallets on new ones), "
        f"{outcome.seconds:.0f} s each, {outcome.workers} server process(es)"
    )
    line = f"a line of {outcome.line_mbit:,} Mbit/s" if outcome.line_mbit else "as fast as this machine sends"
    out.print("late: how late the machine woke the shop's own process, 99th percentile; it is in p99 too")
    out.print(f"The attackers: on the same machine, at the lowest priority, {line}")
    for row in outcome.rows:
        counts = ", ".join(f"{name} {count:,}" for name, count in sorted(row.attacked.counts.items()))
        out.print(f"[bold]{row.name}[/bold]: {ATTACKS[row.name][0]}; {counts}")
        if row.honest.errors:
            errors = ", ".join(f"{what} {count}" for what, count in row.honest.errors.items())
            out.print(f"[red]✗[/red] the shop met: {errors}")
    out.print()


def _verdict(out: Console, text: str, *, met: bool) -> None:
    color, word = ("green", "reached") if met else ("red", "NOT reached")
    out.print(f"[{color}]{text}: {word}[/{color}]")


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything measured, for a file."""
    built: dict[str, object] = msgspec.to_builtins(outcome, str_keys=True)
    return built | {"ratios": {row.name: outcome.ratio(row) for row in outcome.rows}}
