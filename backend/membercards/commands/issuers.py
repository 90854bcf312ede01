"""Who hands cards out: stores and agents, and how many cards each may take."""

from __future__ import annotations

import asyncpg

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids
from backend.kernel.errors import NotFound
from backend.kernel.vault import vault

from .. import locks, queries
from ..errors import CardQuota, CardTypeConflict
from ..queries.stock import CONTACT_CONTEXT
from ..schemas import AgentIn, ChangeIssuer, StoreIssuerIn
from ..types import Issuer, IssuerKind


async def reached(caller: StaffCaller, issuer_id: str) -> Issuer:
    """An issuer that the caller may see: a store's staff their store only; ``NotFound`` for any other."""
    issuer = await queries.get_issuer(issuer_id)
    if not caller.office and issuer.store_id != caller.store_id:
        raise NotFound("nobody hands out cards under this id")
    return issuer


async def create_agent(body: AgentIn, staff_id: int) -> Issuer:
    """Let somebody outside the chain hand out cards."""
    return await _create(ids.new_short("A"), IssuerKind.AGENT, None, body.name, body.contact, body.quota, staff_id)


async def create_store(body: StoreIssuerIn, staff_id: int) -> Issuer:
    """Let a store hand out cards; what it hands out beside them is its own."""
    await auth.check_store(body.store_id, "/store_id")
    store = await auth.get_store(body.store_id)
    return await _create(f"S-{store.id}", IssuerKind.STORE, store.id, store.name, "", body.quota, staff_id)


async def _create(
    issuer_id: str, kind: IssuerKind, store_id: str | None, name: str, contact: str, quota: int, staff_id: int
) -> Issuer:
    now = clock.now()
    try:
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "INSERT INTO membercard_issuer (id, kind, store_id, name, contact, quota, active, created_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, true, $7)",
                issuer_id,
                kind.value,
                store_id,
                name,
                _sealed(contact),
                quota,
                now,
            )
            await queries.changes.note(tx, issuer_id, staff_id, "create", {"quota": quota}, now)
    except asyncpg.UniqueViolationError:
        raise CardTypeConflict("the store hands out cards already") from None
    return await queries.get_issuer(issuer_id)


def _sealed(contact: str) -> str:
    return vault().seal(contact.encode(), context=CONTACT_CONTEXT) if contact else ""


async def change_issuer(issuer_id: str, body: ChangeIssuer, staff_id: int) -> Issuer:
    """Change what was agreed; the quota is never below what was taken."""
    now = clock.now()
    async with db.transaction() as tx:
        known = await locks.lock_issuer(tx, issuer_id)
        if known.version != body.version:
            raise CardTypeConflict
        if body.quota < known.taken:
            raise CardQuota(f"{known.taken} cards were taken already", extra={"taken": known.taken})
        if known.kind is IssuerKind.OFFICE and not body.active:
            raise CardTypeConflict("head office always hands out cards")
        await db.raw(tx).execute(
            "UPDATE membercard_issuer SET name = $2, contact = $3, quota = $4, active = $5, version = version + 1"
            " WHERE id = $1",
            issuer_id,
            body.name if known.kind is IssuerKind.AGENT else known.name,
            _sealed(body.contact),
            body.quota,
            body.active,
        )
        detail = {"quota": body.quota, "active": body.active}
        await queries.changes.note(tx, issuer_id, staff_id, "change", detail, now)
    return await queries.get_issuer(issuer_id)
