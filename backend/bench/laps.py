"""Where ``ledger_post`` spends its time: its halves with a clock between their parts, on a database of the benchmark's.

The parts are the functions' own: a comment ``-- lap: …`` in their file begins one, ``-- laps end`` ends the last.
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
_HALVES = re.compile(r"(FUNCTION ledger_(?:apply|write)\(.+\n.+AS \$\$\n)(?:DECLARE\n)?")
_DECLARED = r"\1DECLARE v_laps float8[] := '{}'; v_lap timestamptz := clock_timestamp();\n"
_CLOCK = (
    "v_laps := v_laps || (extract(epoch FROM clock_timestamp() - v_lap) * 1e6)::float8;\nv_lap := clock_timestamp();"
)
_END = "    -- laps end\n"
_TOLD = f"{_CLOCK}\nRAISE NOTICE '%', array_to_json(v_laps);\n"

_laps = msgspec.json.Decoder(list[float])


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the function: microseconds of a plan that comes alone, and of one in a batch; medians."""

    name: str
    alone_us: float
    batched_us: float


def with_clock(sql: str) -> tuple[str, list[str], list[str]]:
    """The functions' file with a clock between the parts of both halves, which tell their laps; the parts' names."""
    apply, write = sql.split("FUNCTION ledger_write(")
    timed, halves = _HALVES.subn(_DECLARED, sql)
    if halves != 2 or sql.count(_END) != 2:
        raise RuntimeError("the halves of ledger_post begin or end otherwise than expected")
    names = ["reads the plan", *_LAP.findall(apply)], ["transfer", *_LAP.findall(write)]
    return _LAP.sub(_CLOCK, timed).replace(_END, _TOLD), *names


async def measure(settings: Settings, say: Say) -> list[Part]:
    """Post sales with one connection, alone and in batches; the database is of no use for anything else afterwards."""
    population = Population("laps")
    await load.load_chain(settings, population)
    await load.load_members(settings, population, 0, MEMBERS, say)
    await load.settle_down(settings)
    plans = list(PlanMaker(population).plans("laps", MEMBERS, 3 * PLANS))
    sql, applied, written = with_clock(resources.files("backend.ledger").joinpath("sql/10_post.sql").read_text())
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    told: list[list[float]] = []
    owner.add_log_listener(lambda _, notice: told.append(_laps.decode(notice.message)))
    try:
        await owner.execute(sql)
        say("plans alone")
        for plan in plans[:PLANS]:  # warms up
            await owner.fetchval(SINGLE, *plan)
        told.clear()
        for plan in plans[PLANS : 2 * PLANS]:
            await owner.fetchval(SINGLE, *plan)
        alone = _medians(told, len(applied), 1)
        say(f"plans in batches of {SIZE}")
        told.clear()
        for start in range(2 * PLANS, 3 * PLANS, SIZE):
            members, texts = zip(*sorted(plans[start : start + SIZE]), strict=True)
            await owner.fetchval(BATCH, members, texts)
        batched = _medians(told, len(applied), SIZE)
    finally:
        await owner.close()
    return [
        Part(name=name, alone_us=one, batched_us=many)
        for name, one, many in zip(applied + written, alone, batched, strict=True)
    ]


def _medians(told: list[list[float]], parts: int, size: int) -> list[float]:
    """Each part's median for one plan: the first half tells its ``parts`` plan by plan, the second once a batch."""
    applied, written = [laps for laps in told if len(laps) == parts], [laps for laps in told if len(laps) != parts]
    return [*map(statistics.median, zip(*applied, strict=True))] + [
        statistics.median(laps) / size for laps in zip(*written, strict=True)
    ]
