"""Refunds: by pieces or by amount, at the selling store, back to where the value came from."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import TerminalCaller
from backend.giftcards import service as giftcards
from backend.kernel import clock, db, ids, live
from backend.kernel.batching import Turns
from backend.kernel.db import Tx
from backend.kernel.errors import ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, Stale
from backend.ledger.plans import Plan
from backend.ledger.types import Posted
from backend.passes import service as passes
from backend.passes.errors import PassRefundByLine
from backend.passes.types import Held
from backend.sales import plans as sale_plans
from backend.sales import queries as sale_queries
from backend.sales.plans import Sold
from backend.sales.rules import gift_cards, refunds
from backend.sales.rules.refunds import RefundShares
from backend.sales.types import Refund

from .. import plans, views
from ..errors import SaleNotRefundable
from ..schemas import RefundIn
from ..types import SaleStatus
from . import sales
from .replay import first_answer, terminal_scope

_turns = Turns()

REFUNDABLE = frozenset({SaleStatus.COMPLETED, SaleStatus.PARTLY_REFUNDED})


Post = Callable[[Plan, Refund, Sold], Awaitable[Posted]]


async def refund_sale(sale_id: str, body: RefundIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[Refund]:
    """Give back pieces or an amount of a completed sale; once per key."""
    _check(body)

    async def again(member_id: int, posted: Posted) -> Answer[Refund]:
        document = await ledger_queries.find_document(member_id, posted.document_id or "")
        if document is None or document.kind != plans.REFUND:
            raise ValidationFailed("this key was used for another kind of request")
        return Answer(views.refund_out(document), replayed=True)

    async def work() -> Answer[Refund]:
        # Refunds of one sale each move its version: in line here, they need not plan again and again.
        async with _turns.turn(sale_id):
            return await _post()

    async def _post() -> Answer[Refund]:
        store = await auth.get_store(terminal.store_id)

        async def planned(post: Post) -> tuple[Refund, Posted]:
            sold = await _read(sale_id, terminal.store_id)
            plan, refund = refund_plan(sold, body, clock.now(), zone=store.timezone)
            plan = _at_till(plans.keyed(plan, idem, terminal_scope(terminal.terminal_id)), terminal, body)
            try:
                return refund, await post(plan, refund, sold)
            except GuardRefused as refused:
                raise passes.refusal_of(refused) or refused from refused

        refund, posted = await _until_right(planned, sale_id)
        member_id = ids.member_of(sale_id, "S") or 0
        if posted.replayed:
            return await again(member_id, posted)
        _tell(member_id, refund, store.id, store.name, posted)
        return Answer(refund)

    return await first_answer(idem, terminal_scope(terminal.terminal_id), work, again)


async def _until_right(
    planned: Callable[[Post], Awaitable[tuple[Refund, Posted]]], sale_id: str
) -> tuple[Refund, Posted]:
    """Plan and post; what was overtaken is planned again, and the last time with the member's books held.

    So no till is told ``stale``, however many refunds of the sale other processes post. Cards before books, as always.
    """
    for _ in range(sales.MAX_TIMES_PLANNED - 1):
        with contextlib.suppress(Stale):
            return await planned(_post_alone)
    member_id = ids.member_of(sale_id, "S") or 0
    document = await ledger_queries.find_document(member_id, sale_id)
    paid = gift_cards.payments(sale_plans.sale_body(document)) if document else []
    cards = [payment.card_id for payment in paid]
    async with giftcards.in_turn(cards), db.transaction() as tx:
        if cards:
            await giftcards.lock_chain(tx, cards)
        await ledger.hold(tx, member_id)
        return await planned(functools.partial(_post_in, tx))


async def _post_alone(plan: Plan, refund: Refund, sold: Sold) -> Posted:
    """Post a refund: as one plan, or together with what goes back to gift cards, in one transaction."""
    returns = gift_cards.returned(sold.body, sold.progress, refund)
    if not returns:
        return await ledger.post(plan)
    async with giftcards.in_turn(one.card_id for one in returns), db.transaction() as tx:
        return await _post_in(tx, plan, refund, sold)


async def _post_in(tx: Tx, plan: Plan, refund: Refund, sold: Sold) -> Posted:
    returns = gift_cards.returned(sold.body, sold.progress, refund)
    if not returns:
        return await ledger.post_in(tx, plan)
    store_id = sold.document.store_id or ""
    return await giftcards.give_back(tx, plan, returns, sale_id=refund.sale_id, refund_id=refund.id, store_id=store_id)


def _at_till(plan: Plan, terminal: TerminalCaller, body: RefundIn) -> Plan:
    """The plan with the till and the cashier that gave it back: cash leaves that drawer."""
    assert plan.document is not None
    memo = (plan.document.memo or {}) | {"terminal_id": terminal.terminal_id}
    if body.cashier:
        memo["cashier"] = body.cashier
    return msgspec.structs.replace(plan, document=msgspec.structs.replace(plan.document, memo=memo))


def _check(body: RefundIn) -> None:
    if (body.lines is None) == (body.amount_fen is None):
        raise invalid("/lines", "give either lines or amount_fen")
    numbers = [line.line_no for line in body.lines or []]
    if len(numbers) != len(set(numbers)):
        raise invalid("/lines", "a line is named twice")


async def _read(sale_id: str, store_id: str) -> Sold:
    document = await sales.get_store_sale(sale_id, store_id)
    if document.state not in REFUNDABLE:
        raise SaleNotRefundable(f"the sale is {document.state}", extra={"status": document.state})
    return await sale_queries.read_sold(document)


def _taken_back(sold: Sold, body: RefundIn) -> list[Held]:
    """The passes that go back with their lines, mostly none; what was paid for a pass is known by its line only."""
    if not sold.body.passes:
        return []
    if body.lines is None:
        raise PassRefundByLine
    return passes.taken_back(sold.body.passes, sold.passes, {line.line_no: line.qty for line in body.lines})


def _shares(sold: Sold, body: RefundIn) -> RefundShares:
    if body.amount_fen is not None:
        return refunds.by_amount(sold.body, sold.progress, body.amount_fen, sold.terms)
    wanted = {line.line_no: line.qty for line in body.lines or []}
    return refunds.by_lines(sold.body, sold.progress, wanted, sold.terms)


def refund_plan(sold: Sold, body: RefundIn, now: datetime, *, zone: str) -> tuple[Plan, Refund]:
    """The refund as one plan, and its answer; without a key yet. What goes back to gift cards is posted with it."""
    return sale_plans.refund(
        sold,
        _shares(sold, body),
        _taken_back(sold, body),
        refund_id=ids.new_document_id(sale_plans.REFUND_PREFIX, sold.document.member_id),
        states=(SaleStatus.PARTLY_REFUNDED, SaleStatus.REFUNDED),
        reason=body.reason,
        now=now,
        zone=zone,
    )


def _tell(member_id: int, refund: Refund, store_id: str, store_name: str, posted: Posted) -> None:
    data = {
        "refund": msgspec.to_builtins(refund),
        "store": {"id": store_id, "name": store_name},
        "balances": msgspec.to_builtins(views.balances_out(posted.balances)),
    }
    live.push(member_id, "sale_refunded", data)
