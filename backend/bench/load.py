"""Fill an empty database: the chain at once, members as many as are needed, through the ledger's offline door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from backend.auth.queries import DEVICE_CONTEXT
from backend.auth.tills import TERMINAL_CONTEXT
from backend.kernel import clock, db, ids
from backend.kernel.config import Settings
from backend.kernel.vault import Vault
from backend.ledger import plans as ledger
from backend.ledger.plans import Guard, Plan
from backend.ledger.service import device_mark
from backend.members import queries as members

from .paths import Domain, Rows
from .plans import PlanMaker, recharge_plan
from .population import DEVICES, LEVELS, ZONE, Member, Population

LANES = 2
CHUNK = 500

Say = Callable[[str], None]


async def load_chain(settings: Settings, population: Population) -> None:
    """Stores, tills, levels and articles."""
    box, now = Vault(settings.master_keys), clock.now()
    stores = sorted({till.store_id for till in population.tills})
    tables: Rows = {
        "auth_store": (
            ("id", "name", "timezone", "address", "created_at"),
            [(store, f"基准店 {store}", ZONE, "", now) for store in stores],
        ),
        "auth_terminal": (
            ("id", "store_id", "name", "secret_sealed", "created_at"),
            [
                (t.id, t.store_id, t.id, box.seal(t.secret.encode(), context=TERMINAL_CONTEXT), now)
                for t in (*population.tills, population.stolen_till)
            ],
        ),
        "member_level": (
            ("code", "name", "discount_bp", "points_multiplier_bp", "growth_from_fen"),
            [msgspec.structs.astuple(level) for level in LEVELS[1:]],
        ),
        "mall_category": (("code", "name", "points_rate_bp"), [("bench", "基准", 10_000)]),
        "mall_article": (
            ("sku", "name", "category_id", "unit_price_fen", "active"),
            [(sku, name, "bench", price, True) for sku, name, price in population.articles],
        ),
    }
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        for table, (columns, records) in tables.items():
            await copy(owner, table, columns, records)
    finally:
        await owner.close()


async def load_members(
    settings: Settings,
    population: Population,
    first: int,
    last: int,
    say: Say,
    *,
    domains: Sequence[Domain] = (),
) -> None:
    """Members number ``first`` to ``last`` - 1, each with value and ``DEVICES`` enrolled phones.

    And with what these ``domains`` need beyond that.
    """
    maker = PlanMaker(population)
    box, now = Vault(settings.master_keys), clock.now()
    owners = [await asyncpg.connect(**db.connect_args(settings.migrate_database_url)) for _ in range(LANES)]
    lanes: asyncio.Queue[asyncpg.Connection] = asyncio.Queue()
    for owner in owners:
        lanes.put_nowait(owner)
    try:
        async with asyncio.TaskGroup() as tasks:
            for start in range(first, last, CHUNK):
                chunk = [population.member(number) for number in range(start, min(start + CHUNK, last))]
                plans = [_opening_plan(population, member, now) for member in chunk]
                plans += [
                    plan for domain in domains if domain.plans for m in chunk for plan in domain.plans(maker, m, now)
                ]
                owner = await lanes.get()
                rows = [_rows(population, chunk, box, now)]
                rows += [domain.rows(population, chunk, box, now) for domain in domains if domain.rows]
                tasks.create_task(_load(lanes, owner, plans, rows))
                say(f"{start + len(chunk) - first} of {last - first} members, {DEVICES} phones each")
    finally:
        for owner in owners:
            await owner.close()


async def settle_down(settings: Settings) -> None:
    """Let the planner know what was loaded, and nothing of the loading be left for later."""
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        await owner.execute("VACUUM (ANALYZE)")
    finally:
        await owner.close()


async def _load(
    lanes: asyncio.Queue[asyncpg.Connection], owner: asyncpg.Connection, plans: list[Plan], rows: list[Rows]
) -> None:
    try:
        async with owner.transaction():
            await owner.execute(
                "SELECT ledger_load($1, $2::text[]::jsonb[])",
                [plan.member_id for plan in plans],
                [ledger.encode(plan) for plan in plans],
            )
            for tables in rows:
                for table, (columns, records) in tables.items():
                    await copy(owner, table, columns, records)
    finally:
        lanes.put_nowait(owner)


async def copy(
    owner: asyncpg.Connection, table: str, columns: tuple[str, ...], records: Iterable[tuple[Any, ...]]
) -> None:
    """Write records into a table."""
    await owner.copy_records_to_table(table, records=records, columns=columns)


def _rows(population: Population, chunk: list[Member], box: Vault, now: datetime) -> Rows:
    phones = [(member, population.phone(member.number, slot)) for member in chunk for slot in range(DEVICES)]
    return {
        "member": (_MEMBER, [_member_row(population, member, box, now) for member in chunk]),
        "auth_device": (
            ("id", "member_id", "name", "secret_sealed", "created_at"),
            [(p.id, m.id, "phone", box.seal(p.secret, context=DEVICE_CONTEXT), now) for m, p in phones],
        ),
        "auth_handle": (
            ("handle", "device_id", "member_id", "created_at"),
            [(p.handle, p.id, m.id, now) for m, p in phones],
        ),
    }  # fmt: skip


_MEMBER = (
    "id", "member_no", "name", "phone_sealed", "phone_index", "gender", "store_id", "level_id", "status", "growth_fen",
    "attributes", "created_at", "updated_at",
)  # fmt: skip


async def copy_members(
    owner: asyncpg.Connection, population: Population, members: Iterable[Member], box: Vault, now: datetime
) -> None:
    """Members without phones: they are there, and buy nothing."""
    await copy(owner, "member", _MEMBER, [_member_row(population, member, box, now) for member in members])


def _member_row(population: Population, member: Member, box: Vault, now: datetime) -> tuple[Any, ...]:
    number = population.phone_number(member.number)
    return (
        member.id,
        population.member_no(member.number),
        f"基准会员{member.number}",
        box.seal(number.encode(), context=members.PHONE_CONTEXT),
        box.blind_index(number, context=members.PHONE_CONTEXT),
        "unknown",
        member.store_id,
        member.level.code,
        "active",
        member.level.growth_from_fen,
        "{}",
        now,
        now,
    )


def _opening_plan(population: Population, member: Member, now: datetime) -> Plan:
    """A recharge with bonus and points, and a mark for every phone: what a member has before the first sale."""
    recharge_id = ids.new_document_id("R", member.id)
    guards = tuple(
        Guard(device_mark(device_id), "above", 0, "loaded_twice")
        for slot in range(DEVICES)
        for device_id in (population.phone(member.number, slot).id, population.mark(member.number, slot))
    )
    points_until = clock.end_of_month(clock.local_date(now, ZONE), 3)
    return recharge_plan(member, recharge_id, recharge_id, now, points_until=points_until, guards=guards)
