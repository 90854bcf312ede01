"""``huiyuan bench all``."""

from __future__ import annotations

import asyncio
import json as jsonlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .console import out, step

if TYPE_CHECKING:
    from backend.bench.overview import Bench, Options, Outcome

# A till of the benchmark is a whole shop in a hurry, and one address is everybody.
_IN_A_HURRY = {f"HUIYUAN_RATE_{who}_PER_MINUTE": "10000000" for who in ("TERMINAL", "MEMBER", "ANONYMOUS", "LOGIN")}


def run(options: Options, workers: int, data: Path | None, json: Path | None) -> int:
    """Measure on a system of its own, of which nothing is left; returns the exit code."""
    from backend.bench import overview_report
    from backend.bench.overview import Bench

    from .running import running

    try:
        with running(data, workers, _IN_A_HURRY, wechat=True) as system:
            outcome = _measure(Bench(system, options), options, workers)
    except KeyboardInterrupt:
        return 130
    overview_report.show(outcome, out)
    if json is not None:
        json.write_text(jsonlib.dumps(overview_report.as_json(outcome), indent=2) + "\n")
    return 1 if outcome.failed else 0


def _measure(bench: Bench, options: Options, workers: int) -> Outcome:
    from backend.bench.overview import Outcome

    outcome = Outcome(options=options, workers=workers, cpus=os.cpu_count() or 1, idle=bench.memory())
    with step("Load the chain and the members") as say:
        asyncio.run(bench.load(say))
    for path in bench.chosen():
        with step(f"{path.name}: the server") as say:
            measured = bench.measure(path, say)
        if path.floor is not None:
            with step(f"{path.name}: its floor") as say:
                measured.floor_per_second = asyncio.run(bench.floor_of(path, measured, say))
        outcome.measured.append(measured)
    outcome.loaded = bench.memory()
    if options.sockets[-1]:
        with step("Open live sockets") as say:
            outcome.listening = bench.listen(say)
    with step("Check the books") as say:
        outcome.findings, outcome.audited = asyncio.run(bench.system.audit(say))
    return outcome
