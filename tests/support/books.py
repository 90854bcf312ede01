"""The books as an attacker and an auditor see them: raw connections, plans of every sort, a fingerprint of all rows."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.config import Settings
from backend.ledger import plans, service
from backend.ledger.plans import Issue, Leg, NewDocument, Plan
from tests.support import kept

HASH = "00" * 32

# What may change when nothing of worth does: nonces, tries, the log of calls, who looked at whom, counts of refusals,
# sessions that ran out, the queue's own housekeeping.
VOLATILE = frozenset(
    {
        "auth_nonce",
        "auth_audit",
        "auth_login_failure",
        "contact_look",
        "coupon_refusal",
        "procrastinate_workers",
        "tortoise_migrations",
        "schema_sql",
    }
)


@asynccontextmanager
async def connected(settings: Settings, role: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own as ``huiyuan_app``, ``huiyuan_owner`` or ``postgres``."""
    connection = await asyncpg.connect(**db.connect_args(settings.database_url) | {"user": role})
    try:
        yield connection
    finally:
        await connection.close()


async def fingerprint(settings: Settings, *, without: frozenset[str] = VOLATILE) -> dict[str, str]:
    """Every table and the digest of all of its rows."""
    connection = await kept.connection(settings, "postgres")
    tables = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace ORDER BY relname"
    )
    digests = [
        f"SELECT '{name}', count(*) || ':' || md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), ''))"
        f' FROM "{name}" t'
        for (name,) in tables
        if name not in without
    ]
    return dict(await connection.fetch(" UNION ALL ".join(digests)))


async def open_books() -> int:
    """A new member of the ledger alone."""
    member_id = ids.new_bigint()
    async with db.transaction() as tx:
        await service.open_member(tx, member_id)
    return member_id


def plan(member_id: int, *legs: Leg, key: str | None = None, kind: str = "gift", **more: Any) -> Plan:
    """A plan of these legs, with a key of its own unless one is given."""
    now = clock.now()
    fields: dict[str, Any] = {
        "member_id": member_id,
        "kind": kind,
        "at": now,
        "on": clock.local_date(now, "Asia/Shanghai"),
        "scope": "test",
        "key": key or uuid.uuid4().hex,
        "hash": HASH,
        "legs": legs,
    }
    return Plan(**fields | more)


def stored(amount: int, **more: Any) -> tuple[Leg, Leg]:
    """Legs that credit stored value with one lot of principal, or take it."""
    if amount > 0 and "lots" not in more:
        more.setdefault("issue", (Issue("principal", amount),))
    house = plans.HOUSE_PSP if amount > 0 else plans.HOUSE_SALES
    return Leg(plans.STORED, plans.FEN, amount, **more), Leg(house, plans.FEN, -amount)


def points(amount: int, **more: Any) -> tuple[Leg, Leg]:
    """Legs that credit points with one lot, or take them."""
    if amount > 0 and "lots" not in more:
        more.setdefault("issue", (Issue("gift", amount),))
    house = plans.HOUSE_POINTS_ISSUED if amount > 0 else plans.HOUSE_POINTS_REDEEMED
    return Leg(plans.POINTS, plans.POINT, amount, **more), Leg(house, plans.POINT, -amount)


def sale_document(document_id: str, paid: Mapping[str, int], state: str = "completed") -> NewDocument:
    """A sale's document, as much of it as the audit reads."""
    return NewDocument(document_id, "sale", state, {"paid": dict(paid)}, store_id="S1")


def changed(of: Plan, **fields: Any) -> Plan:
    """The same plan with other fields."""
    return msgspec.structs.replace(of, **fields)
