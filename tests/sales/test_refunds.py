"""Refund shares: whatever the order of refunds, all of them together give back exactly what was paid."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.errors import ValidationFailed
from backend.sales.errors import RefundExceedsPaid
from backend.sales.rules import pricing, refunds
from backend.sales.rules.pricing import TenderIn
from backend.sales.types import Line, SaleBody, SaleProgress, TenderType


def sale(lines, tenders=None, *, discount_bp=0, earned=0) -> SaleBody:
    price = pricing.price_lines(lines, discount_bp=discount_bp)
    settled = pricing.settle_tenders(tenders, price.payable_fen, value_bp=10_000)
    return SaleBody(
        order_no="A1",
        terminal_id="T1",
        lines=price.lines,
        tenders=settled,
        total_fen=price.total_fen,
        discount_fen=price.discount_fen,
        payable_fen=price.payable_fen,
        points_earned=earned,
        multiplier_bp=10_000,
        paid={str(t.type): t.amount_fen for t in settled},
    )


@st.composite
def sales(draw):
    lines = [
        Line("sku", draw(st.integers(1, 9)), draw(st.integers(1, 99_999)), 0) for _ in range(draw(st.integers(1, 6)))
    ]
    total = pricing.price_lines(lines, discount_bp=0).payable_fen
    points, cash = draw(st.integers(0, total)), 0
    cash = draw(st.integers(0, total - points))
    tenders = [TenderIn(TenderType.STORED)]
    tenders += [TenderIn(TenderType.POINTS, points=points)] if points else []
    tenders += [TenderIn(TenderType.CASH, cash)] if cash else []
    return sale(lines, tenders, earned=draw(st.integers(0, 5000)))


def test_pieces_of_a_line_by_hand():
    body = sale([Line("A", 3, 334, 2)], earned=10)  # payable 1000
    progress = refunds.start(body, SaleProgress())

    given_back = []
    for _ in range(3):
        shares = refunds.by_lines(body, progress, {1: 1})
        progress = refunds.advance(progress, shares, {})
        given_back.append((shares.refund_fen, shares.points_clawed))

    assert given_back == [(333, 3), (333, 3), (334, 4)]
    with pytest.raises(RefundExceedsPaid):
        refunds.by_lines(body, progress, {1: 1})


def test_refuses_a_piece_and_a_fen_more_than_is_left_whoever_paid():
    """Cash has no lots that would stop it later."""
    body = sale([Line("A", 2, 500)], [TenderIn(TenderType.CASH)])
    progress = refunds.start(body, SaleProgress())

    for wanted in (3, 1_000):
        with pytest.raises(RefundExceedsPaid):
            refunds.by_lines(body, progress, {1: wanted})
    with pytest.raises(RefundExceedsPaid):
        refunds.by_amount(body, progress, 1_001)
    progress = refunds.advance(progress, refunds.by_amount(body, progress, 400), {})
    with pytest.raises(RefundExceedsPaid):
        refunds.by_amount(body, progress, 601)

    assert refunds.by_amount(body, progress, 600).tender_fen == (600,)


def test_a_piece_that_went_back_for_less_raises_nothing_later():
    body = sale([Line("A", 3, 334, 2), Line("B", 1, 500, 0)])  # 1000 and 500
    progress = refunds.start(body, SaleProgress())

    given_back = []
    for wanted, agreed in (({1: 1}, 100), ({1: 1}, None), ({1: 1, 2: 1}, 417)):
        shares = refunds.by_agreement(body, progress, wanted, agreed)
        progress = refunds.advance(progress, shares, {})
        given_back.append(shares.line_fen)

    assert given_back == [(100, 0), (333, 0), (167, 250)]
    assert progress.line_qty == (3, 1)


def test_refuses_to_agree_to_more_than_the_pieces_cost():
    body = sale([Line("A", 2, 100, 0), Line("B", 1, 500, 0)])
    progress = refunds.start(body, SaleProgress())

    for wanted, agreed in (({1: 1}, 101), ({1: 3}, None)):
        with pytest.raises(RefundExceedsPaid):
            refunds.by_agreement(body, progress, wanted, agreed)
    with pytest.raises(ValidationFailed):
        refunds.by_agreement(body, progress, {0: 1})


def test_tenders_share_by_the_largest_remainder_of_what_is_left():
    body = sale([Line("A", 1, 1000)], [TenderIn(TenderType.STORED, 667), TenderIn(TenderType.CASH, 333)])
    progress = refunds.start(body, SaleProgress())

    shares = refunds.by_amount(body, progress, 100)

    assert shares.tender_fen == (67, 33)


@settings(max_examples=200)
@given(sales(), st.data())
def test_any_order_of_refunds_gives_back_everything_once(body, data):
    progress = refunds.start(body, SaleProgress())
    while progress.refunded_fen < body.payable_fen:
        left = body.payable_fen - progress.refunded_fen
        lines_left = [n for n, line in enumerate(body.lines, 1) if progress.line_qty[n - 1] < line.qty]
        if lines_left and data.draw(st.booleans()):
            line_no = data.draw(st.sampled_from(lines_left))
            qty = data.draw(st.integers(1, body.lines[line_no - 1].qty - progress.line_qty[line_no - 1]))
            try:
                shares = refunds.by_lines(body, progress, {line_no: qty})
            except RefundExceedsPaid:  # an amount refund took that line's money before
                progress = msgspec.structs.replace(
                    progress,
                    line_qty=tuple(q + (qty if n == line_no else 0) for n, q in enumerate(progress.line_qty, 1)),
                )
                continue
        else:
            shares = refunds.by_amount(body, progress, data.draw(st.integers(1, left)))
        assert sum(shares.tender_fen) == sum(shares.line_fen) == shares.refund_fen
        assert min(*shares.tender_fen, *shares.line_fen, shares.points_returned, shares.points_clawed) >= 0
        progress = refunds.advance(progress, shares, {})

    assert progress.tender_fen == tuple(tender.amount_fen for tender in body.tenders)
    assert progress.line_fen == tuple(line.payable_fen for line in body.lines)
    assert progress.points_clawed == body.points_earned
    assert progress.points_returned == sum(tender.points for tender in body.tenders)
    with pytest.raises(RefundExceedsPaid):
        refunds.by_amount(body, progress, 1)


def test_the_lot_spent_last_is_filled_first():
    taken = [(4, 50), (2, 60)]  # in the order they were spent

    assert refunds.return_to_lots(70, taken, {}) == {2: 60, 4: 10}
    assert refunds.return_to_lots(40, taken, {"2": 30}) == {2: 30, 4: 10}


@given(
    st.dictionaries(st.integers(1, 50), st.integers(1, 1000), min_size=1, max_size=6),
    st.data(),
)
def test_lots_get_back_what_they_gave_the_last_spent_first(taken, data):
    order = list(taken.items())
    total, returned = sum(taken.values()), {}
    while total:
        amount = data.draw(st.integers(1, total))
        back = refunds.return_to_lots(amount, order, returned)
        assert sum(back.values()) == amount
        for lot_id, part in back.items():
            returned[str(lot_id)] = returned.get(str(lot_id), 0) + part
        total -= amount

    assert returned == {str(lot_id): amount for lot_id, amount in taken.items()}
    with pytest.raises(RefundExceedsPaid):
        refunds.return_to_lots(1, order, returned)


@given(
    st.integers(0, 500),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 100)), max_size=4, unique_by=lambda lot: lot[0]),
    st.lists(st.tuples(st.integers(10, 19), st.integers(1, 100)), max_size=4, unique_by=lambda lot: lot[0]),
)
def test_clawback_takes_pending_then_available_and_owes_the_rest(points, pending, available):
    claw = refunds.claw_back(points, pending, available)

    assert sum(claw.pending.values()) + sum(claw.available.values()) + claw.debt == points
    assert sum(claw.pending.values()) == min(points, sum(left for _, left in pending))
    assert claw.debt == max(0, points - sum(left for _, left in pending) - sum(left for _, left in available))


def test_a_line_is_found_by_its_number_wherever_it_stands():
    goods = sale([Line("A", 2, 100, 0), Line("B", 1, 10, 0)])
    freight = msgspec.structs.replace(goods.lines[1], line_no=0)
    body = msgspec.structs.replace(goods, lines=(goods.lines[0], freight))
    progress = refunds.start(body, SaleProgress())

    shares = refunds.by_lines(body, progress, {1: 1, 0: 1})

    assert (shares.line_qty, shares.line_fen) == ((1, 1), (100, 10))
    with pytest.raises(ValidationFailed):
        refunds.by_lines(body, progress, {2: 1})
