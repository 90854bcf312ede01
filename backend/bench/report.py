"""What the benchmark prints."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from .laps import SIZE, Part
from .settle import GOAL, GOAL_TIMES, Half, Outcome

BUSY = 0.1
"""The share of the machine in other programs' hands from which on latencies are theirs rather than ours."""


def show(outcome: Outcome, out: Console) -> None:
    """The runs, who used the processors, and the ratio."""
    out.print()
    out.print(_runs(outcome))
    out.print(_costs(outcome))
    if outcome.half is not None:
        out.print(_half(outcome.half))
    _details(outcome, out)
    out.print(
        f"\n[bold]{outcome.server_median:,.0f}[/bold] sales/s over HTTP, "
        f"[bold]{outcome.floor_median:,.0f}[/bold]/s by pgbench alone:\n"
        f"ratio [bold]{outcome.ratio:.2f}[/bold], goal {GOAL:.2f}: {_verdict(outcome.ratio >= GOAL)}"
        f" [dim](by processor time {outcome.cost_ratio:.2f})[/dim]"
    )
    if outcome.half is not None:
        times = outcome.half.times
        out.print(
            f"p99 at half of that rate: [bold]{times:.1f}[/bold] times pgbench's, goal at most {GOAL_TIMES:.0f}: "
            + _verdict(times <= GOAL_TIMES)
        )
        if (most := outcome.half.others) > BUSY:
            out.print(
                f"[yellow]·[/yellow] other programs took up to {most:.0%} of the machine meanwhile: "
                "these latencies say little"
            )


def _verdict(met: bool) -> str:
    return "[bold green]reached[/bold green]" if met else "[bold red]NOT reached[/bold red]"


def _runs(outcome: Outcome) -> Table:
    table = Table(title="Settled a second, and ms", title_justify="left", box=None, padding=(0, 1, 0, 0))
    names = ("run", "server", "p50", "p95", "p99", "max", "≠ 201", "others", "│", "pgbench", "mean", "others")
    for name in names:
        table.add_column(name, justify="left" if name == "run" else "right")
    for number, (served, floor) in enumerate(zip(outcome.served, outcome.floors, strict=True), 1):
        driven = served.driven
        table.add_row(
            str(number),
            f"{served.per_second:,.0f}",
            *_ms(driven.latencies_ms),
            str(driven.answered - driven.accepted),
            f"{served.others:.0%}",
            "│",
            f"{floor.per_second:,.0f}",
            f"{floor.latency_ms:.1f}",
            f"{floor.others:.0%}",
        )
    return table


def _costs(outcome: Outcome) -> Table:
    """Microseconds of processor time for one sale, by who used it."""
    table = Table(title="\nProcessor time of one sale, µs", title_justify="left", box=None, padding=(0, 2, 0, 0))
    names = ("run", "servers", "SQL", "Valkey", "tills", "all", "│", "pgbench", "SQL", "all")
    for name in names:
        table.add_column(name, justify="left" if name == "run" else "right")
    for number, (served, floor) in enumerate(zip(outcome.served, outcome.floors, strict=True), 1):
        count = served.driven.accepted
        table.add_row(
            str(number),
            _micro(served.used.servers, count),
            _micro(served.used.postgres, count),
            _micro(served.used.valkey, count),
            _micro(served.driven.drive_cpu_s, count),
            f"{served.cost_us:,.0f}",
            "│",
            _micro(floor.cpu_s, floor.posted),
            _micro(floor.postgres_cpu_s, floor.posted),
            f"{floor.cost_us:,.0f}",
        )
    return table


def _half(half: Half) -> Table:
    """How long a sale takes where there is room, from the moment it was due."""
    title = f"\nAt half of that rate, {half.rate:,.0f} a second at random moments, ms"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("window", "side", "p50", "p95", "p99", "longest", "others"):
        table.add_column(name, justify="left" if name in ("window", "side") else "right")
    for number, (served, floor) in enumerate(zip(half.served, half.floors, strict=True), 1):
        table.add_row(str(number), "server", *_ms(served.driven.latencies_ms), f"{served.others:.0%}")
        table.add_row("", "pgbench", *_ms(floor.latencies_ms or ()), f"{floor.others:.0%}")
    for number, (side, latencies) in enumerate((("server", half.server_ms), ("pgbench", half.floor_ms))):
        middle = [statistics.median(column) for column in zip(*latencies, strict=True)]
        table.add_row("" if number else "median", side, *_ms(middle), "", style="bold")
    return table


def _ms(latencies: Sequence[float]) -> list[str]:
    return [f"{ms:.1f}" for ms in latencies]


def _micro(seconds: float, count: int) -> str:
    return f"{seconds / count * 1e6:,.0f}" if count else "-"


def _details(outcome: Outcome, out: Console) -> None:
    prepared = sum(served.driven.prepare_cpu_s for served in outcome.served)
    out.print()
    out.print(
        f"{outcome.connections} connections, {outcome.workers} server process(es), {outcome.cpus} processors, "
        f"{outcome.members:,} members; signing ahead took the tills {prepared:.1f} s of processor time in all"
    )
    size = statistics.median(served.used.batches.mean_size for served in outcome.served)
    took = statistics.median(served.used.batches.mean_ms for served in outcome.served)
    out.print(f"The servers posted {size:.1f} plans in a transaction, in {took:.1f} ms")
    if len(outcome.tried) > 1:
        out.print("the best of: " + ", ".join(f"{tills} tills {rate:,.0f}/s" for tills, rate in outcome.tried.items()))
    tried = ", ".join(f"{clients} clients {rate:,.0f}/s" for clients, rate in outcome.calibration.items())
    out.print(f"pgbench with {outcome.floors[0].clients} clients, the best of: {tried}")
    if outcome.lone is not None:
        half, most, _, _ = outcome.lone.driven.latencies_ms
        out.print(f"One till alone: a sale takes {half:.2f} ms (p95 {most:.2f} ms)")
    for served in outcome.served:
        driven = served.driven
        if driven.ran_out:
            out.print(f"[yellow]·[/yellow] a run ended after {driven.seconds:.1f} s: all {driven.prepared} were sent")
        if driven.first_failure:
            counts = ", ".join(f"{status}: {count}" for status, count in driven.statuses.items())
            out.print(f"[red]✗[/red] answers other than 201: {counts}; the first:", style=None)
            out.print(driven.first_failure[:2000], markup=False)
    if outcome.audited:
        verdict = "the books balance" if not outcome.findings else f"{outcome.findings} FINDINGS"
        out.print(f"Audit of {outcome.audited:,} members: {verdict}")


def laps(parts: Sequence[Part]) -> Table:
    """Where ``ledger_post`` spends its time."""
    title = f"ledger_post, µs of one sale, alone and in a batch of {SIZE}; medians"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), show_footer=True)
    table.add_column("part", footer="all")
    for name, total in (("alone", sum(p.alone_us for p in parts)), ("in a batch", sum(p.batched_us for p in parts))):
        table.add_column(name, justify="right", footer=f"{total:,.0f}")
    for part in parts:
        table.add_row(part.name, f"{part.alone_us:,.0f}", f"{part.batched_us:,.0f}")
    return table


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything measured, for a file."""
    built: dict[str, object] = msgspec.to_builtins(outcome, str_keys=True)
    return built | {
        "server_median": outcome.server_median,
        "floor_median": outcome.floor_median,
        "ratio": outcome.ratio,
        "cost_ratio": outcome.cost_ratio,
        "goal": GOAL,
        "half_times": outcome.half.times if outcome.half else None,
        "goal_times": GOAL_TIMES,
    }
