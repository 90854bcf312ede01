"""Fill the books with members and their past through ``ledger_load``: lanes beside each other, members in order of id.

In that order rows and index pages are written one behind the other, so that no index has to be built afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import asyncpg
import msgspec

from backend.kernel import clock, db
from backend.kernel.config import Settings
from backend.kernel.vault import Vault
from backend.ledger.plans import Plan, encode

from . import load
from .history import MONTHS, History
from .population import Member, Population
from .system import Say

LANES = 2
CHUNK_PLANS = 8_000

_LOAD = "SELECT ledger_load($1::bigint[], $2::text[]::jsonb[])"


class Chunk(msgspec.Struct):
    """What one call loads: members, and plans as they are sent."""

    members: list[Member] = []
    plan_members: list[int] = []
    plans: list[str] = []
    entries: int = 0

    def add(self, plan: Plan) -> None:
        """One plan more."""
        self.plan_members.append(plan.member_id)
        self.plans.append(encode(plan))
        self.entries += len(plan.legs)


class Filled(msgspec.Struct):
    """How far it is."""

    members: int = 0
    entries: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Entries a second."""
        return self.entries / self.seconds if self.seconds else 0.0


class Filler:
    """Members with their past. Of those below number ``buyers`` only the past: ``load_members`` does the rest."""

    def __init__(self, settings: Settings, population: Population, history: History, buyers: int, say: Say) -> None:
        self._settings = settings
        self._population = population
        self._history = history
        self._buyers = buyers
        self._say = say
        self._box = Vault(settings.master_keys)
        self._now = clock.now()
        self._wanted = 0
        self.filled = Filled()

    async def run(self, first: int, last: int) -> Filled:
        """Fill with members number ``first`` to ``last`` - 1; returns how many and how long it took."""
        began = time.monotonic()
        self.filled = Filled()
        self._wanted = last - first
        members = sorted(
            (self._population.member(number) for number in range(first, last)), key=lambda member: member.id
        )
        shares = [members[lane * len(members) // LANES : (lane + 1) * len(members) // LANES] for lane in range(LANES)]
        owners = [await _connect(self._settings) for _ in range(LANES)]
        try:
            await owners[0].execute("SELECT ledger_make_partitions($1, $2)", self._history.first_month, MONTHS + 2)
            async with asyncio.TaskGroup() as tasks:
                for owner, share in zip(owners, shares, strict=True):
                    tasks.create_task(self._lane(owner, share, began))
            await owners[0].execute("SELECT ledger_drop_empty_outbox($1)", self._now.date().replace(day=1))
        finally:
            for owner in owners:
                await owner.close()
        self.filled.seconds = time.monotonic() - began
        return self.filled

    async def _lane(self, owner: asyncpg.Connection, share: list[Member], began: float) -> None:
        loading: asyncio.Task[None] | None = None
        for chunk in self._chunks(share):  # made while the chunk before is loaded
            if loading is not None:
                await loading
            loading = asyncio.create_task(self._load(owner, chunk, began))
            await asyncio.sleep(0)
        if loading is not None:
            await loading

    def _chunks(self, share: list[Member]) -> Iterator[Chunk]:
        chunk = Chunk()
        for member in share:
            chunk.members.append(member)
            for plan in self._history.plans(member):
                chunk.add(plan)
                if len(chunk.plans) >= CHUNK_PLANS:
                    yield chunk
                    chunk = Chunk()
        yield chunk

    async def _load(self, owner: asyncpg.Connection, chunk: Chunk, began: float) -> None:
        async with owner.transaction():
            await owner.execute(_LOAD, chunk.plan_members, chunk.plans)
            others = [member for member in chunk.members if member.number >= self._buyers]
            await load.copy_members(owner, self._population, others, self._box, self._now)
        self._note(chunk, began)

    def _note(self, chunk: Chunk, began: float) -> None:
        filled = self.filled
        filled.members += len(chunk.members)
        filled.entries += chunk.entries
        filled.seconds = time.monotonic() - began
        left = round(filled.seconds / max(1, filled.members) * (self._wanted - filled.members))
        self._say(
            f"{filled.members:,} of {self._wanted:,} members, {filled.entries:,} entries, {filled.rate:,.0f} entries/s,"
            f" {left // 60}:{left % 60:02} left"
        )


async def _connect(settings: Settings) -> asyncpg.Connection:
    return await asyncpg.connect(
        **db.connect_args(settings.migrate_database_url),
        server_settings={"synchronous_commit": "off", "temp_buffers": "64MB", "application_name": "huiyuan-load"},
    )
