"""Refunds: by pieces or by amount, at the selling store, back to where the value came from."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import TerminalCaller
from backend.kernel import clock, ids, live
from backend.kernel.batching import Turns
from backend.kernel.errors import ValidationFailed, invalid
from backend.kernel.events import encode as encode_event
from backend.kernel.http import Answer, Idempotency
from backend.ledger import events
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.plans import DocumentUpdate, NewDocument, Plan
from backend.ledger.types import Document, Lot, Posted

from .. import plans, views
from ..errors import SaleNotRefundable
from ..rules import refunds
from ..rules.refunds import RefundShares
from ..schemas import RefundIn, RefundOut, RefundTenderOut
from ..types import SaleBody, SaleProgress, SaleStatus, TenderType
from . import sales
from .replay import first_answer, terminal_scope

_turns = Turns()

REFUNDABLE = frozenset({SaleStatus.COMPLETED, SaleStatus.PARTLY_REFUNDED})


class Sold(msgspec.Struct, frozen=True):
    """A sale, the lots its transfer moved, and the lots of points that are open now, in spending order."""

    document: Document
    body: SaleBody
    progress: SaleProgress
    transfer: int | None
    moves: tuple[tuple[Lot, int], ...]
    pending: tuple[Lot, ...]
    available: tuple[Lot, ...]

    def living(self, on: date) -> list[int]:
        """The lots that are good on that day, in spending order."""
        return [lot.lot_id for lot, _ in self.moves if lot.expires_on is None or lot.expires_on >= on]

    def taken(self, kind: str) -> list[tuple[int, int]]:
        return [(lot.lot_id, -amount) for lot, amount in self.moves if lot.kind == kind and amount < 0]


async def refund_sale(sale_id: str, body: RefundIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[RefundOut]:
    """Give back pieces or an amount of a completed sale; once per key."""
    _check(body)

    async def again(member_id: int, posted: Posted) -> Answer[RefundOut]:
        document = await ledger_queries.find_document(member_id, posted.document_id or "")
        if document is None or document.kind != plans.REFUND:
            raise ValidationFailed("this key was used for another kind of request")
        return Answer(views.refund_out(document), replayed=True)

    async def work() -> Answer[RefundOut]:
        # Refunds of one sale each move its version: in line here, they need not plan again and again.
        async with _turns.turn(sale_id):
            return await _post()

    async def _post() -> Answer[RefundOut]:
        store = await auth.get_store(terminal.store_id)
        for _ in range(sales.MAX_TIMES_PLANNED):
            now = clock.now()
            sold = await _read(sale_id, terminal.store_id)
            plan, refund = refund_plan(sold, body, now, zone=store.timezone)
            plan = plans.keyed(plan, idem, terminal_scope(terminal.terminal_id))
            try:
                posted = await ledger.post(plan)
            except Stale:
                continue
            if posted.replayed:
                return await again(sold.document.member_id, posted)
            _tell(sold.document.member_id, refund, store.id, store.name, posted)
            return Answer(refund)
        raise Stale

    return await first_answer(idem, terminal_scope(terminal.terminal_id), work, again)


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
    transfer, moves = await ledger_queries.find_moves(document.member_id, sale_id, plans.SALE)
    lots = await ledger_queries.list_open_lots(document.member_id, "points", "points_pending", limit=2000)
    pending = [lot for lot in lots if lot.kind == "points_pending"]
    available = [lot for lot in lots if lot.kind == "points"]
    body = plans.sale_body(document)
    progress = refunds.start(body, plans.sale_progress(document))
    return Sold(document, body, progress, transfer, tuple(moves), tuple(pending), tuple(available))


def _shares(sold: Sold, body: RefundIn) -> RefundShares:
    if body.amount_fen is not None:
        return refunds.by_amount(sold.body, sold.progress, body.amount_fen)
    wanted = {line.line_no: line.qty for line in body.lines or []}
    return refunds.by_lines(sold.body, sold.progress, wanted)


def refund_plan(sold: Sold, body: RefundIn, now: datetime, *, zone: str) -> tuple[Plan, RefundOut]:
    """The refund as one plan, and its answer; without a key yet."""
    member_id, sale_id = sold.document.member_id, sold.document.id
    shares = _shares(sold, body)
    on = clock.local_date(now, zone)
    by_type = {
        tender.type: fen
        for tender, fen in zip(sold.body.tenders, shares.tender_fen, strict=True)
        if tender.type in _LOTS
    }
    returned = sold.progress.lots
    stored = refunds.return_to_lots(by_type.get(TenderType.STORED, 0), sold.taken("stored"), returned)
    rebate = refunds.return_to_lots(by_type.get(TenderType.REBATE, 0), sold.taken("rebate"), returned)
    points = refunds.return_to_lots(shares.points_returned, sold.taken("points"), returned)
    still_good = {lot_id: points[lot_id] for lot_id in sold.living(on) if lot_id in points}
    claw = refunds.claw_back(shares.points_clawed, *_claw_lots(sold, still_good, on))
    progress = refunds.advance(sold.progress, shares, stored | rebate | points)
    done = progress.refunded_fen == sold.body.payable_fen
    refund = RefundOut(
        id=ids.new_document_id("F", member_id),
        refund_fen=shares.refund_fen,
        by_tender=[
            RefundTenderOut(str(tender.type), fen)
            for tender, fen in zip(sold.body.tenders, shares.tender_fen, strict=True)
            if fen
        ],
        points_clawed_back=shares.points_clawed,
        points_returned=shares.points_returned,
        coupons_returned=[],
        sale_id=sale_id,
        at=now,
    )
    plan = Plan(
        member_id=member_id,
        kind=plans.REFUND,
        at=now,
        on=on,
        scope="",
        key="",
        hash="",
        reverses=sold.transfer,
        update=DocumentUpdate(
            sale_id,
            sold.document.version,
            state=SaleStatus.REFUNDED if done else SaleStatus.PARTLY_REFUNDED,
            progress=plans.encode_progress(progress),
        ),
        document=NewDocument(
            refund.id,
            plans.REFUND,
            "posted",
            msgspec.to_builtins(refund),
            store_id=sold.document.store_id,
            memo={"reason": body.reason},
        ),
        legs=plans.refund_legs(
            sold.body,
            sold.document.store_id or "",
            stored_back=stored,
            rebate_back=rebate,
            points_back=points,
            pending_taken=claw.pending,
            available_taken=claw.available,
            debt=claw.debt,
        ),
        events=(
            encode_event(
                events.SaleRefunded(
                    member_id=member_id, sale_id=sale_id, refund_id=refund.id, refund_fen=shares.refund_fen
                )
            ),
        ),
    )
    return plan, refund


_LOTS = frozenset({TenderType.STORED, TenderType.REBATE, TenderType.POINTS})


def _claw_lots(sold: Sold, returning: dict[int, int], on: date) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Lots to take earned points back from: the sale's own first, with what this refund returns counted in.

    Lots that expired before ``on`` are lost already and pay nothing.
    """
    own_first = [
        sorted(
            (lot for lot in lots if lot.expires_on is None or lot.expires_on >= on),
            key=lambda lot: lot.source != sold.document.id,
        )
        for lots in (sold.pending, sold.available)
    ]
    open_points = {lot.lot_id: lot.remaining + returning.get(lot.lot_id, 0) for lot in own_first[1]}
    reopened = {lot_id: amount for lot_id, amount in returning.items() if lot_id not in open_points}
    return (
        [(lot.lot_id, lot.remaining) for lot in own_first[0]],
        [*open_points.items(), *reopened.items()],
    )


def _tell(member_id: int, refund: RefundOut, store_id: str, store_name: str, posted: Posted) -> None:
    data = {
        "refund": msgspec.to_builtins(refund),
        "store": {"id": store_id, "name": store_name},
        "balances": msgspec.to_builtins(views.balances_out(posted.balances)),
    }
    live.push(member_id, "sale_refunded", data)
