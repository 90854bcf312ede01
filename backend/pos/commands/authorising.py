"""What a cashier may not do alone: somebody's own code lets the till do it, in the same transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime

import msgspec

from backend.auth import codes
from backend.auth.codes import Purpose
from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.auth.types import TerminalCaller
from backend.giftcards import service as giftcards
from backend.kernel import db, ids, live
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.kernel.http import Idempotency
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import Guard, Plan
from backend.ledger.types import Posted
from backend.overrides import service as overrides
from backend.overrides.errors import OverrideNotAllowed
from backend.overrides.types import Act, Reason, Wish
from backend.sales.rules import gift_cards
from backend.sales.types import SaleBody

from ..override_schemas import OverrideIn
from ..plans import CODE_USED
from ..schemas import SaleIn
from .identify import by_code

AUTHORISER = "authoriser"
"""Whose code a refusal is about, where it is not the customer's."""


class Authority(msgspec.Struct, frozen=True):
    """Whose phone showed the code (a member), what spends it, what for, and the id that the grant will have."""

    member_id: int
    guards: tuple[Guard, ...]
    wish: Wish
    grant_id: str
    key: str
    now: datetime
    on: date


async def read(
    given: OverrideIn,
    terminal: TerminalCaller,
    idem: Idempotency,
    *,
    act: Act,
    subject: str,
    order_no: str | None,
    member_id: int,
    cashier: str | None,
    fen: int,
    total_fen: int,
    now: datetime,
    on: date,
) -> Authority:
    """Who lets the till do it, by the code to authorise that their phone shows now; what they may is judged when it
    is done. The code that they pay with is refused, right or wrong: nobody asked them with it.
    """
    if given.reason is Reason.OTHER and not given.note.strip():
        raise invalid("/override/note", "say why, where the reason is none of the list")
    if codes.parse(given.code) is not None:
        raise OverrideNotAllowed("that is a code to pay with; ask for the one to authorise with")
    try:
        shown = await by_code(given.code, terminal_id=terminal.terminal_id, now=now, on=on, purpose=Purpose.AUTHORISE)
    except (CodeInvalid, CodeExpired) as wrong:
        wrong.extra["of"] = AUTHORISER
        raise
    if shown.suspect:  # a sale of theirs would wait for the phone; nobody could say yes to this one
        raise OverrideNotAllowed("somebody has been guessing at this code; open the app, and show the new one")
    wish = Wish(
        act=act,
        subject=subject,
        order_no=order_no,
        member_id=member_id,
        store_id=terminal.store_id,
        terminal_id=terminal.terminal_id,
        cashier=cashier,
        fen=fen,
        total_fen=total_fen,
        reason=given.reason,
        note=given.note,
    )
    return Authority(shown.member_id, shown.guards, wish, ids.new_short("W", 15), idem.key, now, on)


async def of_sale(
    body: SaleIn,
    terminal: TerminalCaller,
    idem: Idempotency,
    *,
    sale_id: str,
    member_id: int,
    now: datetime,
    on: date,
) -> Authority | None:
    """Who lets the till give its own discount; None where nobody was asked.

    Raises ``OverrideRequired`` where somebody must be. A sale without a discount of the till's own costs nothing here.
    """
    discount = sum([line.discount_fen for line in body.lines])
    if not discount and body.override is None:
        return None
    total = sum([line.qty * line.unit_price_fen for line in body.lines])
    if body.override is None:
        await overrides.check_alone(discount, total)
        return None
    if not discount:
        raise invalid("/override", "there is no discount to authorise")
    return await read(
        body.override,
        terminal,
        idem,
        act=Act.DISCOUNT,
        subject=sale_id,
        order_no=body.order_no,
        member_id=member_id,
        cashier=body.cashier,
        fen=discount,
        total_fen=total,
        now=now,
        on=on,
    )


async def post_sale(plan: Plan, sale: SaleBody, sale_id: str, authority: Authority, *, waits: bool) -> Posted:
    """Post a sale with what authorises it: both, or neither. Gift cards before books, books by member."""
    payments = [] if waits else gift_cards.payments(sale)
    store_id = authority.wish.store_id
    async with giftcards.in_turn(payment.card_id for payment in payments), db.transaction() as tx:
        if payments:
            await giftcards.lock_chain(tx, [payment.card_id for payment in payments])

        async def post() -> Posted:
            if not payments:
                return await ledger.post_in(tx, plan)
            return await giftcards.pay(tx, plan, payments, sale_id=sale_id, store_id=store_id)

        return await together(tx, plan, authority, post)


async def together(tx: Tx, plan: Plan, authority: Authority, post: Callable[[], Awaitable[Posted]]) -> Posted:
    """Do what is authorised and spend what authorises it, on one transaction, the lower member's books first."""
    wish, member_id = authority.wish, authority.member_id
    person, limit = await overrides.hold(tx, member_id, wish, authority.on)
    spending = overrides.plan(
        member_id,
        authority.guards,
        limit,
        wish,
        scope=plan.scope,
        key=plan.key,
        now=authority.now,
        on=authority.on,
    )
    if member_id < plan.member_id:
        await _spend(tx, spending)
        posted = await post()
    else:
        posted = await post()
        await _spend(tx, spending)
    if not posted.replayed:
        await overrides.record(tx, authority.grant_id, person, member_id, wish, now=authority.now, on=authority.on)
    return posted


async def _spend(tx: Tx, spending: Plan) -> None:
    try:
        await overrides.post(tx, spending)
    except GuardRefused as refused:
        if refused.refusal == CODE_USED:
            detail = "the code of who authorises was used already"
            raise CodeUsed(detail, extra={"of": AUTHORISER}) from refused
        raise


def tell(authority: Authority | None) -> None:
    """Say on the phone what it authorised, if anybody did; never in the way of the till."""
    if authority is None:
        return
    wish = authority.wish
    data = {"id": authority.grant_id, "act": wish.act.value, "fen": wish.fen, "total_fen": wish.total_fen}
    live.push(authority.member_id, "override_given", data | {"store_id": wish.store_id, "order_no": wish.order_no})
