"""What ``bench all`` prints."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.table import Table

from .overview import Measured, Outcome

_MIB = 1 << 20


def show(outcome: Outcome, out: Console) -> None:
    """One table of paths, then memory, then what was not as it must be."""
    out.print()
    out.print(_paths(outcome))
    options = outcome.options
    out.print(
        f"\n{options.connections} connections, {options.seconds:g} s a path, {outcome.workers} server process(es), "
        f"{outcome.cpus} processors, {options.members:,} members"
    )
    _memory(outcome, out)
    for path in outcome.measured:
        if path.served.driven.ran_out:
            sent, lasted = path.served.driven.prepared, path.served.driven.seconds
            out.print(f"[yellow]·[/yellow] {path.name}: ended after {lasted:.1f} s, all {sent:,} requests were sent")
        if path.failures:
            out.print(f"[red]✗[/red] {path.name}: {path.failures} answers other than {path.accepted}; the first:")
            out.print((path.first_failure or "")[:2000], markup=False)
    if outcome.audited:
        verdict = "the books balance" if not outcome.findings else f"{outcome.findings} FINDINGS"
        out.print(f"Audit of {outcome.audited:,} members: {verdict}")


def _paths(outcome: Outcome) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("path", "req/s", "p50 ms", "p99 ms", "alone ms", "floor/s", "ratio", "server µs", "SQL"):
        table.add_column(name, justify="left" if name == "path" else "right")
    for path in outcome.measured:
        half, _, most, _ = path.served.driven.latencies_ms
        table.add_row(
            path.name,
            f"{path.served.per_second:,.0f}",
            f"{half:.1f}",
            f"{most:.1f}",
            f"{path.alone.driven.latencies_ms[0]:.2f}",
            "-" if path.floor_per_second is None else f"{path.floor_per_second:,.0f}",
            "-" if path.ratio is None else f"{path.ratio:.2f}",
            f"{path.server_us:,.0f}",
            f"{path.statements_per_request:.1f}",
        )
    return table


def _memory(outcome: Outcome, out: Console) -> None:
    def mib(size: int) -> str:
        return f"{size / _MIB:.1f} MiB"

    out.print(
        f"A server process: {mib(outcome.idle.pss)} idle, {mib(outcome.loaded.pss)} after the load "
        f"(resident {mib(outcome.idle.rss)}, {mib(outcome.loaded.rss)})"
    )
    if len(outcome.listening) > 1:
        last = outcome.listening[-1]
        out.print(
            f"1,000 live sockets: {mib(outcome.per_thousand_sockets)} "
            f"({last.alive:,} of {last.sockets:,} open at the end)"
        )


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything measured, for a file."""
    built: dict[str, object] = msgspec.to_builtins(outcome, str_keys=True)
    table = [_row(path) for path in outcome.measured]
    return built | {"table": table, "per_thousand_sockets": outcome.per_thousand_sockets}


def _row(path: Measured) -> dict[str, object]:
    return {
        "path": path.name,
        "per_second": path.served.per_second,
        "floor_per_second": path.floor_per_second,
        "ratio": path.ratio,
        "server_us": path.server_us,
        "statements": path.statements_per_request,
    }
