"""What ``bench settle --coupons`` prints."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.table import Table

from .with_coupons import GOAL, SIDES, Outcome


def show(outcome: Outcome, out: Console) -> None:
    """Each run, the medians and their ratio."""
    table = Table(title="Settled a second", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("run", "coupon", "sales/s", "p50 ms", "p99 ms", "not 201", "µs of processor a sale"):
        table.add_column(name, justify="left" if name == "coupon" else "right")
    for number in range(outcome.options.rounds):
        for side in SIDES:
            served = outcome.served[side][number]
            half, _, most, _ = served.driven.latencies_ms
            table.add_row(
                str(number + 1),
                side,
                f"{served.per_second:,.0f}",
                f"{half:.1f}",
                f"{most:.1f}",
                str(served.driven.answered - served.driven.accepted),
                f"{served.cost_us:,.0f}",
            )
    out.print()
    out.print(table)
    verdict = "[bold green]reached[/]" if outcome.ratio >= GOAL else "[bold red]NOT reached[/]"
    out.print(
        f"\n[bold]{outcome.median('with'):,.0f}[/] sales/s with a coupon each, "
        f"[bold]{outcome.median('without'):,.0f}[/] without: ratio [bold]{outcome.ratio:.2f}[/], goal {GOAL:.2f}: "
        f"{verdict} [dim](by processor time {outcome.cost_ratio:.2f})[/dim]"
    )
    books = "the books balance" if not outcome.findings else f"{outcome.findings} FINDINGS"
    out.print(f"{outcome.options.connections} tills at once. Audit of {outcome.audited:,} members: {books}")


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything, for a file."""
    found: dict[str, object] = msgspec.to_builtins(outcome)
    return found | {"ratio": outcome.ratio, "cost_ratio": outcome.cost_ratio}
