"""Where ``ledger_post`` spends its time: the function with a clock between its parts, on a database of the benchmark's.

The parts are the function's own: a comment ``-- lap: …`` in its file begins one.
"""

from __future__ import annotations

import re
import statistics
from importlib import resources

import asyncpg
import msgspec

from backend.kernel import db
from backend.kernel.config import Settings
from backend.ledger.writer import BATCH, SINGLE

from . import load
from .plans import PlanMaker
from .population import Population
from .system import Say

MEMBERS = 2000
PLANS = 1024
SIZE = 16
"""Plans in a batch; about what a busy server posts at once."""

_LAP = re.compile(r"^ *-- lap: (.+)$", re.MULTILINE)
_CLOCK = (
    "v_laps := v_laps || (extract(epoch FROM clock_timestamp() - v_lap) * 1e6)::float8;\nv_lap := clock_timestamp();"
)
_HEAD = re.compile(r"(FUNCTION ledger_post\(.+\n.+\nDECLARE\n)")
_DECLARED = r"\1    v_laps float8[] := '{}'; v_lap timestamptz := clock_timestamp();\n"
_LAST = "    RETURN v_result;\nEND $$;"
_TOLD = f"{_CLOCK}\nRETURN v_result || jsonb_build_object('laps', to_jsonb(v_laps));\nEND $$;"


class _Answer(msgspec.Struct):
    laps: list[float]


_answer = msgspec.json.Decoder(_Answer)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the function: microseconds of a plan that comes alone, and of one in a batch; medians."""

    name: str
    alone_us: float
    batched_us: float


def with_clock(sql: str) -> tuple[str, list[str]]:
    """The function's file with a clock between its parts, and the parts' names."""
    names = ["reads the plan", *_LAP.findall(sql)]
    if len(_HEAD.findall(sql)) != 1 or sql.count(_LAST) != 1:
        raise RuntimeError("ledger_post begins or ends otherwise than expected")
    return _HEAD.sub(_DECLARED, _LAP.sub(_CLOCK, sql)).replace(_LAST, _TOLD), names


async def measure(settings: Settings, say: Say) -> list[Part]:
    """Post sales with one connection, alone and in batches; the database is of no use for anything else afterwards."""
    population = Population("laps")
    await load.load_chain(settings, population)
    await load.load_members(settings, population, 0, MEMBERS, say)
    await load.settle_down(settings)
    plans = list(PlanMaker(population).plans("laps", MEMBERS, 3 * PLANS))
    sql, names = with_clock(resources.files("backend.ledger").joinpath("sql/10_post.sql").read_text())
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        await owner.execute(sql)
        say("plans alone")
        for plan in plans[:PLANS]:  # warms up
            await owner.fetchval(SINGLE, *plan)
        alone = [_answer.decode(await owner.fetchval(SINGLE, *plan)).laps for plan in plans[PLANS : 2 * PLANS]]
        say(f"plans in batches of {SIZE}")
        batched: list[list[float]] = []
        for start in range(2 * PLANS, 3 * PLANS, SIZE):
            members, texts = zip(*plans[start : start + SIZE], strict=True)
            batched += [_answer.decode(answer).laps for answer in await owner.fetchval(BATCH, members, texts)]
    finally:
        await owner.close()
    return [
        Part(name=name, alone_us=statistics.median(one), batched_us=statistics.median(many))
        for name, one, many in zip(names, zip(*alone, strict=True), zip(*batched, strict=True), strict=True)
    ]
