"""``huiyuan bench grow``."""

from __future__ import annotations

import asyncio
import json as jsonlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .console import out, step

if TYPE_CHECKING:
    from backend.bench.growth import Bench, Options, Outcome

# A till of the benchmark is a whole shop in a hurry, and two members read their long statements all the time.
_IN_A_HURRY = {"HUIYUAN_RATE_TERMINAL_PER_MINUTE": "1000000", "HUIYUAN_RATE_MEMBER_PER_MINUTE": "1000000"}


def _large() -> dict[str, str]:
    """PostgreSQL as one sets it up for a million members: a quarter of the memory, checkpoints far apart."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "shared_buffers": f"{memory // 4 // 1024**2}MB",
        "effective_cache_size": f"{memory // 2 // 1024**2}MB",
        "max_wal_size": "16GB",
        "checkpoint_timeout": "30min",
    }


def run(options: Options, workers: int, data: Path | None, json: Path | None) -> int:
    """Fill and measure on a system of its own, of which nothing is left; returns the exit code."""
    from backend.bench import growth_report
    from backend.bench.growth import Bench

    from .running import running

    try:
        with running(data, workers, _IN_A_HURRY, postgres=_large()) as system:
            outcome = _measure(Bench(system, options), options, workers)
    except KeyboardInterrupt:
        return 130
    growth_report.show(outcome, out)
    if json is not None:
        json.write_text(jsonlib.dumps(growth_report.as_json(outcome), indent=2) + "\n")
    return 1 if outcome.failed else 0


def _measure(bench: Bench, options: Options, workers: int) -> Outcome:
    from backend.bench.growth import Outcome, Stage
    from backend.bench.paths import growing

    few, many = Stage(members=options.few), Stage(members=options.members)
    with step(f"Load {options.few:,} members") as say, bench.filling():
        first = asyncio.run(bench.load_few(say))
    with step("Settle down") as say:
        asyncio.run(bench.settle_down(say))
    for name in growing():
        with step(f"{name} with {options.few:,} members") as say:
            bench.measure(few, name, say)
    with step(f"Fill up to {options.members:,} members") as say, bench.filling():
        filled = asyncio.run(bench.load_many(say))
    filled.members += first.members
    filled.entries += first.entries
    filled.seconds += first.seconds
    with step("Settle down") as say:
        asyncio.run(bench.settle_down(say))
    for name in growing():
        with step(f"{name} with {options.members:,} members") as say:
            bench.measure(many, name, say)
    outcome = Outcome(options=options, cpus=os.cpu_count() or 1, workers=workers, few=few, many=many, filled=filled)
    few.entries = first.entries
    asyncio.run(bench.sizes(outcome))
    with step("Check the books") as say:
        asyncio.run(bench.audit(outcome, say))
    return outcome
