"""Scan: spend a code, learn who stands there, get a token that stands for the code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from backend.auth import queries as auth
from backend.auth.errors import CodeExpired, CodeUsed
from backend.auth.types import Store, TerminalCaller
from backend.cards import queries as cards
from backend.coupons import queries as coupon_queries
from backend.coupons.rules.applies import find_obstacle
from backend.kernel import clock, live
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import COUPON, CodeUse, Plan
from backend.ledger.types import Holding, Posted
from backend.members import queries as members
from backend.members.types import Cardholder
from backend.wallet import queries as wallet

from .. import plans, views
from ..rules.tokens import ScanToken, seal
from ..schemas import HeldCoupon, LevelOut, ScanMemberOut, ScanOut
from . import pricing
from .identify import Customer, by_code, counted, find_by_late_code, scan_key

TOKEN_TTL_S = 300
REPEAT_S = 30
"""How long a terminal may ask again for a scan whose answer it lost, whether or not the code has died meanwhile."""

_SUSPECT = "?"


async def scan(code: str, terminal: TerminalCaller) -> ScanOut:
    """Spend the code and say who stands there; the same code at the same terminal gives the same token again."""
    now = clock.now()
    store = await auth.get_store(terminal.store_id)
    on = clock.local_date(now, store.timezone)
    customer = await _identify(code, terminal, now, on)
    plan = scan_plan(customer, terminal, store.id, now, on)
    try:
        posted = await ledger.post(plan)
    except GuardRefused as refused:
        raise CodeUsed from refused
    token = _token(customer, terminal, posted)
    if not posted.replayed:
        live.push(
            customer.member_id,
            "code_scanned",
            {"store": {"id": store.id, "name": store.name}, "at": now.isoformat()},
        )
    expires_at = datetime.fromtimestamp(token.expires_at, tz=UTC)
    return await described(
        customer.member_id, terminal.store_id, seal(token, scan_key()), expires_at, holder=customer.holder
    )


async def described(
    member_id: int, store_id: str, token: str, expires_at: datetime, *, holder: Cardholder | None = None
) -> ScanOut:
    """Who stands at a till of the store, what they hold, and the token that stands for them there."""
    now = clock.now()
    store = await auth.get_store(store_id)
    on = clock.local_date(now, store.timezone)
    holder = holder or await members.get_cardholder(member_id, on)
    level = holder.card.level
    carried = await cards.get_carried(member_id, on)
    return ScanOut(
        scan_token=token,
        expires_at=expires_at,
        member=ScanMemberOut(
            str(member_id),
            holder.card.name_masked,
            LevelOut(level.code, level.name, level.discount_bp),
            await members.list_at_till(member_id),
        ),
        wallet=wallet.wallet_of(holder.snapshot, carried.expiring),
        coupons=await _coupons(holder, carried.holdings.get(COUPON, ()), store, on, now),
        entitlements=await cards.entitlements(
            member_id, carried, on, store_id=store.id, discount_card=holder.card.discount_card
        ),
    )


async def _coupons(
    holder: Cardholder, holdings: Sequence[Holding], store: Store, on: date, now: datetime
) -> list[HeldCoupon]:
    """What the member holds, and which of it is of no use in this store now; the basket is not known yet."""
    helds = await coupon_queries.list_held(holder.card.member_id, on, holdings, limit=pricing.MOST_SHOWN)
    titles = await coupon_queries.titles_of(helds)
    here = pricing.occasion(holder, store, now)
    return [views.held_coupon(held, titles[held.id], find_obstacle(held, here, on)) for held in helds]


def scan_plan(customer: Customer, terminal: TerminalCaller, store_id: str, now: datetime, on: date) -> Plan:
    """Spending the code, as one plan."""
    return Plan(
        member_id=customer.member_id,
        kind="scan",
        at=now,
        on=on,
        scope=_scope(terminal),
        key=_key(customer),
        hash=plans.job_hash("scan", customer.device_id, customer.step),
        active=True,
        use=CodeUse(store_id),
        guards=customer.guards,
        about=_about(now, suspect=customer.suspect),
    )


def _about(at: datetime, *, suspect: bool) -> str:
    """What a scan leaves with its key, so that its repetition gives the same token: when it was, and a mark."""
    return f"{int(at.timestamp())}{_SUSPECT if suspect else ''}"


def _scanned(posted: Posted) -> tuple[int, bool]:
    """When a scan was (unix seconds), and whether its sale waits for the phone."""
    about = posted.document_id or "0"
    return int(about.removesuffix(_SUSPECT)), about.endswith(_SUSPECT)


async def _identify(code: str, terminal: TerminalCaller, now: datetime, on: date) -> Customer:
    """Who shows this code; one that has died since this terminal scanned it still asks for that scan's answer."""
    try:
        return await counted(by_code(code, terminal_id=terminal.terminal_id, now=now, on=on))
    except CodeExpired:
        customer = await find_by_late_code(code, late_s=REPEAT_S, now=now)
        known = await ledger_queries.find_known(_scope(terminal), _key(customer)) if customer else None
        if customer is None or known is None or _scanned(known.result)[0] + REPEAT_S < int(now.timestamp()):
            raise
        return customer


def _scope(terminal: TerminalCaller) -> str:
    return f"scan/{terminal.terminal_id}"


def _key(customer: Customer) -> str:
    return f"{customer.device_id}:{customer.step}"


def _token(customer: Customer, terminal: TerminalCaller, posted: Posted) -> ScanToken:
    scanned_at, suspect = _scanned(posted)
    return ScanToken(
        customer.member_id,
        customer.device_id,
        customer.step,
        terminal.terminal_id,
        terminal.store_id,
        scanned_at + TOKEN_TTL_S,
        suspect,
    )
