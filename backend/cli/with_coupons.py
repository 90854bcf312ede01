"""``huiyuan bench settle --coupons``."""

from __future__ import annotations

import asyncio
import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING

from .console import out, step

if TYPE_CHECKING:
    from backend.bench.with_coupons import Bench, Options, Outcome

# A till of the benchmark is a whole shop in a hurry.
_IN_A_HURRY = {"HUIYUAN_RATE_TERMINAL_PER_MINUTE": "1000000"}


def run(options: Options, workers: int, data: Path | None, json: Path | None) -> int:
    """Measure on a system of its own, of which nothing is left; returns the exit code."""
    from backend.bench import with_coupons_report
    from backend.bench.with_coupons import Bench

    from .running import running

    try:
        with running(data, workers, _IN_A_HURRY) as system:
            outcome = _measure(Bench(system, options), options, workers)
    except KeyboardInterrupt:
        return 130
    with_coupons_report.show(outcome, out)
    if json is not None:
        json.write_text(jsonlib.dumps(with_coupons_report.as_json(outcome), indent=2) + "\n")
    return 1 if outcome.findings or outcome.failures else 0


def _measure(bench: Bench, options: Options, workers: int) -> Outcome:
    from backend.bench.with_coupons import SIDES, Outcome

    with step("Load the chain, its members and their coupons") as say:
        asyncio.run(bench.load(say))
    with step("Warm up") as say:
        bench.warm(say)
    outcome = Outcome(options=options, workers=workers, members=bench.members, served={side: [] for side in SIDES})
    for number in range(1, options.rounds + 1):
        for side in SIDES:
            with step(f"Run {number} of {options.rounds}: {side} a coupon") as say:
                outcome.served[side].append(bench.serve(side, say))
    with step("Check the books") as say:
        outcome.findings, outcome.audited = asyncio.run(bench.system.audit(say))
    return outcome
