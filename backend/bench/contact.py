"""``bench contact``: how long a contact card takes whose member has 10,000 entries, beside what PostgreSQL needs.

One desk asks, one request after the other, as a telephone rings: what counts is how long somebody waits. The floor are
the statements of that card, sent one after the other on one connection, as the server sends them, without the server.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

import asyncpg
import msgspec

from backend.app import resources
from backend.audience.commands import purchases
from backend.auth import queries as staff
from backend.contact.commands import lookup
from backend.contact.schemas import ContactOut, Lookup
from backend.kernel import clock, db
from backend.kernel.config import Settings

from . import load, paths, voice
from .desk import Desk, hire
from .fill import Filler
from .history import ENTRIES_EACH, HEAVY, History
from .population import Population
from .system import Say, System

GOAL_MS = 30.0
LOOKUP = "/v1/admin/contacts/lookup"
MOST_LOOKUPS = 50
"""By number: a desk may look somebody up sixty times a minute."""


Asked = tuple[str, tuple[Any, ...]]
"""A statement and its arguments."""

Opened = Callable[[Settings], AbstractAsyncContextManager[None]]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: so many entries of that member, so many others, so many requests."""

    entries: int = 10_000
    members: int = 2_000
    requests: int = 400


class Row(msgspec.Struct, frozen=True):
    """Milliseconds of one way to ask."""

    name: str
    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    most_ms: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, and of what: the member's entries, purchases and articles, what was said, the statements."""

    options: Options
    entries: int
    purchases: int
    articles: int
    said: voice.Amount
    statements: int
    rows: list[Row]

    @property
    def reached(self) -> bool:
        """Whether nineteen of twenty cards come within the goal, whichever way they are asked for."""
        return all(row.p95_ms <= GOAL_MS for row in self.rows[:2])


@contextmanager
def _noting() -> Iterator[list[Asked]]:
    """What this process reads from the database in the body."""
    seen: list[Asked] = []
    usual = db._read

    async def read(method: str, sql: str, args: tuple[Any, ...]) -> Any:
        seen.append((sql, args))
        return await usual(method, sql, args)

    db._read = read
    try:
        yield seen
    finally:
        db._read = usual


async def measure(system: System, options: Options, say: Say, *, opened: Opened = resources) -> Outcome:
    """Fill a chain, ask for the card of its busiest member, and replay what PostgreSQL was asked for it.

    ``opened`` opens what a process of the program has open; a test has it open already.
    """
    population = Population(secrets.token_hex(8))
    member = population.member(0)
    await _fill(system.settings, population, options, say)
    async with opened(system.settings):
        staff_id = await hire()
        say("letters, cases, suggestions, surveys, conversations, care")
        members = max(HEAVY + 1, options.members)
        said = await voice.load(
            system.settings, population, members, entries=options.entries, staff_id=staff_id, now=clock.now()
        )
        seen = await _prepare(population.member_no(0), staff_id, say)
        await load.settle_down(system.settings)
    say("asking over HTTP")
    desk = await asyncio.to_thread(Desk, system.host, system.port)
    try:
        by_id = await asyncio.to_thread(
            desk.ask, options.requests, "GET", f"/v1/admin/contacts/{member.id}", None, _whole
        )
        body = msgspec.json.encode({"member_no": population.member_no(0)})
        lookups = min(MOST_LOOKUPS, options.requests)
        by_number = await asyncio.to_thread(desk.ask, lookups, "POST", LOOKUP, body, _whole)
    finally:
        desk.close()
    say("PostgreSQL alone")
    floor, counts = await _replay(system.settings, seen, member.id, options.requests)
    return Outcome(
        options=options,
        entries=counts[0],
        purchases=counts[1],
        articles=counts[2],
        said=said,
        statements=len(seen) + 1,
        rows=[_row("card over HTTP", by_id), _row("look-up by number over HTTP", by_number), _row("floor", floor)],
    )


async def _fill(settings: Settings, population: Population, options: Options, say: Say) -> None:
    """Members with phones and coupons; the first few have so many entries, the others a year as usual."""
    heavy = round(options.entries / ENTRIES_EACH * 1.05)
    history = History(population, clock.now(), entries=60, heavy_transfers=heavy)
    domains = [msgspec.structs.replace(domain, plans=None) for domain in paths.domains()]
    members = max(HEAVY + 1, options.members)
    await load.load_chain(settings, population)
    await Filler(settings, population, history, members, say).run(0, members)
    await load.load_members(settings, population, 0, members, say, domains=domains)


def _whole(answer: Any) -> bool:
    """Whether no section of a card is missing."""
    return not answer["partial"]


async def _prepare(member_no: str, staff_id: int, say: Say) -> list[Asked]:
    """Count purchases, and note what one look-up asks of the database."""
    say("counting purchases")
    while await purchases.look_back():
        pass
    caller = await staff.get_caller(staff_id)
    await lookup.look_up(caller, Lookup(member_no=member_no))  # what is kept in memory is read
    with _noting() as seen:
        shown = await lookup.look_up(caller, Lookup(member_no=member_no))
    if shown.conversation is None or not all(_listed(shown)):
        raise RuntimeError("the card of that member has an empty section")
    return seen


def _listed(card: ContactOut) -> Iterator[bool]:
    """Whether there is something in each section of what was said."""
    for part in (card.letters, card.cases, card.suggestions, card.surveys, card.care):
        yield part is not None and bool(part.items)


_COUNTS = (
    "SELECT count(*) FROM ledger_entry WHERE member_id = $1",
    "SELECT count(*) FROM audience_sale WHERE member_id = $1",
    "SELECT count(*) FROM audience_bought WHERE member_id = $1",
)
_NOTED = (
    "INSERT INTO contact_look (id, at, staff_id, by, outcome, member_id, view)"
    " VALUES ($1, $2, 1, 'id', 'found', $3, 'chain')"
)


async def _replay(settings: Settings, seen: list[Asked], member_id: int, count: int) -> tuple[list[float], list[int]]:
    """The card's reads one after the other, and the row of the look in a transaction; how long, so often."""
    connection = await asyncpg.connect(**db.connect_args(settings.database_url), connection_class=db.PlainConnection)
    try:
        counts = [int(await connection.fetchval(sql, member_id)) for sql in _COUNTS]
        times = []
        for number in range(count + count // 10):
            began = time.perf_counter()
            for sql, arguments in seen:
                await connection.fetch(sql, *arguments)
            await connection.execute(_NOTED, number + 1, clock.now(), member_id)
            times.append(time.perf_counter() - began)
        return times[count // 10 :], counts
    finally:
        await connection.close()


def _row(name: str, seconds: list[float]) -> Row:
    parts = statistics.quantiles(seconds, n=100, method="inclusive")
    return Row(name, len(seconds), parts[49] * 1e3, parts[94] * 1e3, parts[98] * 1e3, max(seconds) * 1e3)
