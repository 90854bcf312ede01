"""What a run prints: operations by kind, faults by kind, the verdict; and after a failure how to see it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .runner import Result
from .schedule import KINDS
from .shrink import Case

MOST_AGAIN, LONGEST_AGAIN = 5, 300
"""Findings that are told once more at the end, and how much of each."""


def show(result: Result, seed: int, out: Console) -> None:
    """The tables and the verdict."""
    out.print()
    out.print(_operations(result))
    if result.survived:
        out.print(_faults(result))
    rate = result.operations / result.seconds if result.seconds else 0.0
    out.print(
        f"{result.operations:,} requests of {result.done:,} operations by {result.members} members in "
        f"{result.seconds:.0f} s ({rate:.0f}/s); {result.checks} checks took {result.check_seconds:.0f} s and "
        f"compared {result.compared:,} rows."
    )
    if result.late:
        out.print(f"{result.late} requests arrived after their repetition was refused; each was wholly there.")
    if result.ended_early:
        out.print("[yellow]·[/yellow] The time was over before all operations had begun.")
    if not result.wrong:
        out.print(
            f"[green]✓[/green] Seed {seed}: {result.done:,} operations and {len(result.survived)} faults; "
            "nothing lost, nothing doubled, the books balance."
        )
        return
    for finding in result.wrong:
        out.print(f"[red]✗[/red] {escape(finding[:600])}")
    if result.logged:
        out.print("The last errors in the servers' log:")
    for error in result.logged:
        out.print(escape(error), style="dim", highlight=False)
    out.print(f"[red]✗[/red] Seed {seed}: FAILED, {len(result.wrong)} findings.")


def show_failure(
    first: Sequence[str], case: Case, then: Sequence[str] | None, command: str, *, tries: int, out: Console
) -> None:
    """Why the run failed, the shortest case that was seen to fail and why, and the command that runs it.

    Many tries print much: whoever has only the end of it must know what it was about.

    Args:
        first: the findings of the run.
        then: those of the shortest case, or None where no other run has failed.
    """
    out.print("What the run found:")
    _tell_again(first, out)
    if then is None:
        again = f"It did not fail again in {tries} shorter runs" if tries else "No shorter run was tried"
        out.print(f"{again}. The run itself:")
    else:
        out.print(f"Shortest that still fails: {case.ops} operations, {len(case.faults)} faults. It found:")
        _tell_again(then, out)
        out.print("Again:")
    out.print(f"  {escape(command)}")


def _tell_again(findings: Sequence[str], out: Console) -> None:
    for finding in findings[:MOST_AGAIN]:
        out.print(f"[red]✗[/red] {escape(finding[:LONGEST_AGAIN])}")
    if len(findings) > MOST_AGAIN:
        out.print(f"  and {len(findings) - MOST_AGAIN} more")


def _operations(result: Result) -> Table:
    table = _table("lost: nobody answered at first")
    for title in ("requests", "accepted", "refused", "lost, accepted", "lost, refused"):
        table.add_column(title, justify="left" if title == "requests" else "right")
    for kind, count in sorted(result.counts.items(), key=lambda item: -item[1].accepted - item[1].refused):
        numbers = (count.accepted, count.refused, count.lost_accepted, count.lost_refused)
        table.add_row(kind, *(f"{number:,}" if number else "–" for number in numbers))
    return table


def _faults(result: Result) -> Table:
    by_kind: dict[str, list[float]] = defaultdict(list)
    for survived in result.survived:
        by_kind[survived.fault.kind].append(survived.seconds)
    table = _table("until everything served again")
    for title in ("fault", "times", "median s", "longest s", ""):
        table.add_column(title, justify="left" if title in ("fault", "") else "right")
    for kind, seconds in sorted(by_kind.items()):
        figures = (str(len(seconds)), f"{median(seconds):.2f}", f"{max(seconds):.2f}")
        table.add_row(kind, *figures, f"[dim]{KINDS[kind][0]}[/dim]")
    return table


def _table(title: str) -> Table:
    return Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
