"""The end of what is printed after a failure: it must be enough to know what it was about."""

from __future__ import annotations

from rich.console import Console

from backend.torture import report
from backend.torture.schedule import read
from backend.torture.shrink import Case

CASE = Case(400, read("90:kill-worker 200:jump=-1"))


def told(first: list[str], then: list[str] | None, *, tries: int = 3) -> list[str]:
    console = Console(width=1000, highlight=False)
    with console.capture() as printed:
        report.show_failure(first, CASE, then, "huiyuan torture --seed 6", tries=tries, out=console)
    return printed.get().splitlines()


def test_tells_again_what_was_found_first_and_by_the_shortest_run():
    lines = told(["acknowledged but not stored: a", "x" * 1000], ["b is [gone]"])

    assert lines == [
        "What the run found:",
        "✗ acknowledged but not stored: a",
        "✗ " + "x" * report.LONGEST_AGAIN,
        "Shortest that still fails: 400 operations, 2 faults. It found:",
        "✗ b is [gone]",
        "Again:",
        "  huiyuan torture --seed 6",
    ]


def test_of_many_findings_the_first_are_enough():
    lines = told([f"finding {number}" for number in range(30)], None)

    assert lines[-3:] == [
        "  and 25 more",
        "It did not fail again in 3 shorter runs. The run itself:",
        "  huiyuan torture --seed 6",
    ]


def test_says_so_where_no_shorter_run_was_tried():
    assert told(["lost"], None, tries=0)[-2] == "No shorter run was tried. The run itself:"
