"""What other domains may ask of passes: plans to post, the passes of a sale, and writes on an open transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import Plan
from backend.ledger.types import Posted
from backend.members import service as members
from backend.members.types import DiscountCard

from . import locks, plans, queries
from .errors import (
    PassDayLimit,
    PassExpired,
    PassProductConflict,
    PassUndoTooLate,
    PassUsed,
    PassUseUndone,
    PassVoid,
)
from .rules import judging, selling
from .types import Held, PassKind, PassUse, ProductState, SoldPass, Terms

_REFUSALS: dict[str, type[DomainError]] = {error.code: error for error in (PassDayLimit, PassUsed, PassVoid)}


def today(now: datetime) -> date:
    """The chain's day, by which passes begin and end."""
    return clock.local_date(now, settings().timezone)


def new_pass_id(member_id: int) -> str:
    """An id for a pass of that member."""
    return ids.new_document_id(plans.PREFIX, member_id)


def refusal_of(refused: GuardRefused) -> DomainError | None:
    """What the door's refusal means where a pass made it, or None."""
    kind = _REFUSALS.get(refused.refusal)
    return kind() if kind else None


# -- selling and taking back


async def passes_in(member_id: int, lines: Sequence[tuple[int, str, int, int]]) -> tuple[SoldPass, ...]:
    """The passes that a sale of these lines sells to the member; mostly none, and mostly no read.

    ``lines`` are ``(line_no, sku, qty, fen)``, ``fen`` what the line costs less its shares of coupons.
    """
    offered = await queries.offered()
    if not any(line[1] in offered for line in lines):
        return ()
    return selling.sold_passes(lines, offered, lambda: new_pass_id(member_id))


def taken_back(sold: Sequence[SoldPass], held: Mapping[str, Held], wanted: Mapping[int, int]) -> list[Held]:
    """The passes that a refund of so many pieces by line takes back: of each line those that are unused, last first.

    Raises ``PassUsed``, ``PassExpired`` or ``PassVoid`` where a line has not so many.
    """
    found: list[Held] = []
    for line_no, pieces in wanted.items():
        ours = [held[one.id] for one in reversed(sold) if one.line_no == line_no]
        if not ours:
            continue
        good, refusals = [], []
        for one in ours:
            try:
                judging.check_unused(one)
                good.append(one)
            except DomainError as refused:
                refusals.append(refused)
        if len(good) < pieces:
            raise next((refused for refused in refusals if isinstance(refused, PassUsed)), None) or refusals[0]
        found += good[:pieces]
    return found


# -- using


async def plan_use(
    member_id: int, pass_id: str, *, qty: int, service: str | None, store_id: str, terminal_id: str, now: datetime
) -> Plan:
    """The plan that uses a member's pass now, without a key yet; refused is what its terms do not give."""
    on = today(now)
    held = await queries.find_pass(member_id, pass_id, on)
    if held is None:
        raise NotFound("this member has no such pass")
    wanted = judging.check_use(held, store_id, qty, service)
    use_id = ids.new_document_id(plans.USE_PREFIX, member_id)
    return plans.use(held, use_id, qty=qty, service=wanted, store_id=store_id, terminal_id=terminal_id, now=now, on=on)


async def get_use(use_id: str, store_id: str) -> PassUse:
    """A use of a pass in that store; ``NotFound`` for another's or none."""
    used = await queries.find_use(use_id)
    if used is None or used.store_id != store_id:
        raise NotFound("there is no such use in this store")
    return used


async def plan_undo(use_id: str, store_id: str, *, now: datetime) -> Plan:
    """The plan that takes back a use in that store, without a key yet.

    Raises ``PassUseUndone``, ``PassUndoTooLate``, or ``PassExpired`` where the pass could be used no more.
    """
    on = today(now)
    used = await get_use(use_id, store_id)
    if used.undone:
        raise PassUseUndone
    if now > used.at + timedelta(hours=settings().pass_undo_hours):
        raise PassUndoTooLate(extra={"hours": settings().pass_undo_hours})
    held = await queries.find_pass(used.member_id, used.pass_id, on)
    if held is None:
        raise NotFound("there is no such use in this store")
    if held.expires_on is not None and held.expires_on < on:
        raise PassExpired
    transfer, moves = await ledger_queries.find_moves(used.member_id, use_id, plans.USE)
    return plans.undo(used, held, transfer, moves, now=now, on=on)


# -- giving


async def give_in(
    tx: Tx, member_id: int, product_id: str, source: str, *, scope: str, key: str, request_hash: str, at: datetime
) -> Posted:
    """Give a member a pass of a product's current version, for nothing, once per scope and key.

    Raises ``PassProductConflict`` for a product that is not sold now.
    """
    product = await locks.lock_product(tx, product_id)
    if product.state is not ProductState.ACTIVE:
        raise PassProductConflict(f"the product is {product.state.value}")
    version = await queries.get_version(product.id, product.version)
    given = SoldPass(
        id=new_pass_id(member_id),
        product_id=product.id,
        version=product.version,
        line_no=0,
        piece=0,
        paid_fen=0,
        kind=version.terms.kind,
        uses=version.terms.uses,
        days=version.terms.days,
    )
    plan = plans.give(member_id, given, source, now=at, on=today(at))
    return await ledger.post_in(tx, msgspec.structs.replace(plan, scope=scope, key=key, hash=request_hash))


# -- rows


async def create_product(
    tx: Tx, product_id: str, sku: str, title: str, terms: Terms, *, note: str, staff_id: int, now: datetime
) -> bool:
    """Add a product as a draft with its first version; False where another one has the SKU."""
    added = await db.fetch_in(
        tx,
        "INSERT INTO pass_product (id, sku, version, title, state, created_at, updated_at)"
        " VALUES ($1, $2, 1, $3, 'draft', $4, $4) ON CONFLICT (sku) DO NOTHING RETURNING 1",
        product_id,
        sku,
        title,
        now,
    )
    if added:
        await write_version(tx, product_id, 1, title, terms, note=note, staff_id=staff_id, now=now)
    return bool(added)


async def write_version(
    tx: Tx, product_id: str, version: int, title: str, terms: Terms, *, note: str, staff_id: int, now: datetime
) -> None:
    """Add what a product promises from now on; ``check_terms`` was asked before."""
    await db.raw(tx).execute(
        "INSERT INTO pass_product_version (product_id, version, title, note, terms, staff_id, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        product_id,
        version,
        title,
        note,
        msgspec.json.encode(terms).decode(),
        staff_id,
        now,
    )


async def choose_card(tx: Tx, member_id: int, on: date) -> None:
    """Let the member's sales be priced with the best of the discount cards that live on that day, or with none."""
    held = [one for one in await queries.list_of_member(member_id, on) if one.terms.kind is PassKind.DISCOUNT]
    best = max(held, key=_goodness, default=None)
    card = None
    if best is not None and best.expires_on is not None:
        card = DiscountCard(best.id, best.terms.discount_bp, best.terms.points_multiplier_bp, best.expires_on)
    await members.set_discount_card(tx, member_id, card)


def _goodness(held: Held) -> tuple[int, int, date, str]:
    return held.terms.discount_bp, held.terms.points_multiplier_bp, held.expires_on or date.max, held.id
