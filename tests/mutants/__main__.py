"""``make mutants``: every mutant, one at a time in a copy of its own, against the tests that must catch it."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .mutant import ROOT, Mutant, catalogue
from .report import WIDTH, Chosen, show
from .trial import Trial, Verdict, stop, try_mutant, try_unmutated

out = Console(highlight=False, width=WIDTH)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="areas or (parts of) names; all of them without")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=8, help="trials at once; each has engines of its own")] = 2,
    only_list: Annotated[bool, typer.Option("--list", help="say what goes wrong with each, and run nothing")] = False,
    unmutated: Annotated[bool, typer.Option(help="run the named tests without a mutant too")] = True,
) -> None:
    """Put each seeded defect into a copy of the project and see a named test fail.

    Exit code 1 when a mutant survives or is invalid, or when a named test fails without any.
    """
    chosen = _choose(names or [])
    if not chosen:
        out.print("no mutant is called so; --list shows them")
        raise typer.Exit(2)
    if only_list:
        for area, mutants in chosen.items():
            for mutant in mutants:
                out.print(f"[bold]{area} {mutant.name}[/bold]  {mutant.harm}")
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    trials, sound = _run(chosen, jobs, unmutated=unmutated)
    show(chosen, trials, sound, time.monotonic() - started, out)
    failed = any(trial.verdict is not Verdict.KILLED for trial in trials.values())
    raise typer.Exit(int(failed or (sound is not None and sound.verdict is not Verdict.SURVIVED)))


def _choose(names: list[str]) -> Chosen:
    def wanted(area: str, mutant: Mutant) -> bool:
        return not names or area in names or any(name in mutant.name for name in names if name not in areas)

    areas = catalogue()
    found = {area: [one for one in mutants if wanted(area, one)] for area, mutants in areas.items()}
    return {area: mutants for area, mutants in found.items() if mutants}


def _run(chosen: Chosen, jobs: int, *, unmutated: bool) -> tuple[dict[str, Trial], Trial | None]:
    """Every trial by the mutant's name, and the one without a mutant, which goes first because it is the longest."""
    mutants = [mutant for some in chosen.values() for mutant in some]
    with ThreadPoolExecutor(jobs) as pool, _progress() as progress:
        bar = progress.add_task("trials", total=len(mutants) + unmutated)
        tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.caught_by))
        sound = pool.submit(try_unmutated, tests, ROOT) if unmutated else None
        running = {pool.submit(try_mutant, mutant, ROOT): mutant.name for mutant in mutants}
        try:
            for future in as_completed([*running, *([sound] if sound else [])]):
                progress.advance(bar)
                if not out.is_terminal:
                    _say(running.get(future), future.result())
        except KeyboardInterrupt:
            stop()
            pool.shutdown(cancel_futures=True)
            raise
    return {name: future.result() for future, name in running.items()}, sound.result() if sound else None


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=out, transient=True, disable=not out.is_terminal)


def _say(name: str | None, trial: Trial) -> None:
    said = trial.verdict.value
    if name is None:
        name, said = "the named tests without a mutant", "passed" if trial.verdict is Verdict.SURVIVED else "FAILED"
    print(f"  {said:<8} {trial.seconds:5.1f} s  {name}", flush=True)


if __name__ == "__main__":
    typer.run(main)
