"""``bench finding``: how long head office waits for the first page of a filter over a million members.

One desk asks, one request after the other, each filter so often. The members are made in the database: every one is of
a store, a level, a stage; attributes are as common as a city, as rare as one in five thousand.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import msgspec

from backend.app import resources
from backend.kernel import db
from backend.kernel.config import Settings
from backend.kernel.vault import vault
from backend.members import queries

from . import load
from .desk import Desk, hire
from .population import Population
from .system import Say, System

GOAL_MS = 50.0
SEARCH = "/v1/admin/members/search"
AT_ONCE = 50_000

ATTRIBUTES: tuple[dict[str, Any], ...] = (
    {"code": "city", "type": "choice", "options": [{"code": "sh", "name": "上海"}, {"code": "bj", "name": "北京"}]},
    {"code": "age", "type": "number"},
    {"code": "rare", "type": "text"},
)
FILTERS: dict[str, dict[str, Any]] = {
    "status: nearly everybody": {"status": "active"},
    "status: one in a thousand": {"status": "frozen"},
    "store": {"store_id": "bench-1"},
    "level: everybody's": {"level": "basic"},
    "stage": {"stage": "loyal"},
    "joined on one day": {"registered_from": "2025-06-01", "registered_until": "2025-06-01"},
    "name begins": {"name": "欧阳"},
    "validity ends": {"valid_until_from": "2027-01-01", "valid_until_to": "2027-01-31"},
    "city: a third": {"attributes": [{"code": "city", "any_of": ["bj"]}]},
    "age: 40 and more": {"attributes": [{"code": "age", "at_least": 40}]},
    "age: 30": {"attributes": [{"code": "age", "any_of": [30]}]},
    "rare: has it": {"attributes": [{"code": "rare", "any_of": ["yes"]}]},
    "rare: has it not": {"attributes": [{"code": "rare", "empty": True}]},
    "store, stage and city": {
        "store_id": "bench-1", "stage": "loyal", "attributes": [{"code": "city", "any_of": ["sh"]}],
    },
    "two attributes": {"attributes": [{"code": "city", "any_of": ["bj"]}, {"code": "age", "at_most": 21}]},
    "everybody: has a city": {"attributes": [{"code": "city", "empty": False}]},
    "everybody: ages of 20 to 69": {"attributes": [{"code": "age", "at_least": 20, "at_most": 69}]},
    "nobody: has no city": {"attributes": [{"code": "city", "empty": True}]},
    "nobody: lives in two cities": {
        "attributes": [{"code": "city", "any_of": ["sh"]}, {"code": "city", "any_of": ["bj"]}],
    },
    "nobody: is older than 69": {"attributes": [{"code": "age", "at_least": 70}]},
    "nobody: has that card": {"card_type": "gold"},
    "nobody: the last of ten": {
        "attributes": [
            {"code": "city", "any_of": ["bj"]}, *({"code": "age", "at_least": age} for age in range(12, 20)),
            {"code": "city", "any_of": ["sh"]},
        ],
    },
    "nobody: all at once": {
        "store_id": "bench-1", "level": "basic", "stage": "loyal", "name": "王", "valid_until_to": "2027-12-31",
        "attributes": [
            {"code": "age", "at_least": 20}, {"code": "age", "at_most": 68}, {"code": "city", "empty": False},
            {"code": "rare", "empty": True}, {"code": "city", "any_of": ["sh"]}, {"code": "age", "any_of": [69]},
        ],
    },
}  # fmt: skip

# Numbers step so that neighbours are of other stores and joined on other days.
_MEMBERS = """
INSERT INTO member (id, member_no, name, phone_sealed, phone_index, gender, store_id, level_id, status, growth_fen,
                    attributes, created_at, updated_at, stage, valid_until)
SELECT 2305843009213693952 + (i::bigint * 387420489) % 1000000007 * 1000, (100000000000 + i)::text,
       CASE WHEN i % 3000 = 0 THEN '欧阳' ELSE '王' END || i, $3, 'bench' || i, 'unknown',
       stores.ids[1 + i % cardinality(stores.ids)], 'basic',
       CASE WHEN i % 1000 = 0 THEN 'frozen' ELSE 'active' END, 0, '{}',
       timestamptz '2024-01-01' + i * interval '1 minute', now(),
       (ARRAY['new', 'returning', 'loyal', 'dormant', 'lost'])[1 + i / 7 % 5],
       CASE i % 100 WHEN 0 THEN date '2027-01-01' + i % 365 END
  FROM generate_series($1::int, $2::int) AS i, (SELECT array_agg(id ORDER BY id) AS ids FROM auth_store) AS stores"""
_VALUES = """
INSERT INTO member_value (member_id, attribute, text, number, joined_at)
SELECT id, w.attribute, w.text, w.number, created_at
  FROM (SELECT id, created_at, substr(phone_index, 6)::int AS i FROM member WHERE phone_index LIKE 'bench%'
           AND substr(phone_index, 6)::int BETWEEN $1::int AND $2::int) AS m
 CROSS JOIN LATERAL (VALUES
        ('city', (ARRAY['sh', 'sh', 'bj'])[1 + i % 3], NULL::float8),
        ('age', '', (20 + i % 50)::float8),
        ('rare', CASE WHEN i % 5000 = 0 THEN 'yes' END, NULL)) AS w (attribute, text, number)
 WHERE w.text IS NOT NULL"""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: so many members, each filter so often."""

    members: int = 1_000_000
    requests: int = 60


class Row(msgspec.Struct, frozen=True):
    """Milliseconds of one filter's first page, and how many members were on it; ``most_ms`` with the very first call,
    whose rows nobody has read before."""

    name: str
    found: int
    p50_ms: float
    p95_ms: float
    most_ms: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured."""

    options: Options
    rows: list[Row]

    @property
    def reached(self) -> bool:
        """Whether nineteen of twenty first pages come within the goal, whatever is asked."""
        return all(row.p95_ms <= GOAL_MS for row in self.rows)


async def measure(system: System, options: Options, say: Say) -> Outcome:
    """Fill a chain, define attributes, and ask for each filter's first page."""
    settings = system.settings
    await load.load_chain(settings, Population(secrets.token_hex(8)))
    async with resources(settings):
        await hire()
    desk = await asyncio.to_thread(Desk, system.host, system.port)
    try:
        for attribute in ATTRIBUTES:
            body = {"name": attribute["code"], **attribute}
            await asyncio.to_thread(desk.call, "POST", "/v1/admin/member-attributes", body)
        store_id = await _fill(settings, options.members, say)
        say("asking over HTTP")
        return Outcome(options=options, rows=await asyncio.to_thread(_ask, desk, options.requests, store_id))
    finally:
        desk.close()


async def _fill(settings: Settings, members: int, say: Say) -> str:
    """Make the members and their values; returns one of the stores."""
    sealed = vault().seal(b"13900000000", context=queries.PHONE_CONTEXT)
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        for first in range(1, members + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, members)
            await owner.execute(_MEMBERS, first, last, sealed)
            say(f"{last:,} of {members:,} members")
        say("their attributes")
        await owner.execute(_VALUES, 1, members)
        say("statistics")
        await owner.execute("VACUUM ANALYZE member")
        await owner.execute("VACUUM ANALYZE member_value")
        return str(await owner.fetchval("SELECT min(id) FROM auth_store"))
    finally:
        await owner.close()


def _ask(desk: Desk, requests: int, store_id: str) -> list[Row]:
    return list(_rows(desk, requests, store_id))


def _rows(desk: Desk, requests: int, store_id: str) -> Iterator[Row]:
    for name, wanted in FILTERS.items():
        body = wanted | ({"store_id": store_id} if "store_id" in wanted else {})
        began = time.perf_counter()
        found = len(desk.call("POST", SEARCH, body)["items"])
        first = time.perf_counter() - began
        seconds = desk.ask(requests, "POST", SEARCH, msgspec.json.encode(body), lambda answer: "items" in answer)
        ms = sorted(1_000 * second for second in seconds)
        yield Row(name, found, statistics.median(ms), ms[int(len(ms) * 0.95)], max(ms[-1], 1_000 * first))
