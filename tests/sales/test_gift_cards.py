"""Gift cards in a sale and its refunds, as both books take them: random cards × baskets × tenders × refunds.

Each books is a dict that takes the plans' legs, a card's also its lots; what was taken and given back is read off it.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.giftcards import plans as card_plans
from backend.giftcards import rules
from backend.giftcards.types import Payment
from backend.kernel.errors import ValidationFailed
from backend.ledger.types import Document, Lot
from backend.pos.commands.refunds import refund_plan
from backend.pos.plans import SALE
from backend.pos.schemas import RefundIn, RefundLineIn
from backend.sales import plans
from backend.sales.errors import RefundExceedsPaid, TendersMismatch
from backend.sales.plans import Sold
from backend.sales.rules import gift_cards, pricing, refunds
from backend.sales.rules.pricing import TenderIn
from backend.sales.types import Line, SaleBody, SaleProgress, TenderType

NOW = datetime(2026, 11, 27, 6, 30, tzinfo=UTC)
ON = date(2026, 11, 27)
ZONE = "Asia/Shanghai"
MEMBER = 4_611_686_018_427_387_905
STORED_LOT = Lot(1, "stored", "", "principal", "R", 10**9, 10**9, None, None)


class CardBooks:
    """A card's lots as the ledger keeps them: ``remaining`` of what each was issued with, taken in order."""

    def __init__(self, lots: list[int]) -> None:
        self.issued = dict(enumerate(lots, 1))
        self.remaining = dict(self.issued)
        self.taken: list[tuple[int, int]] = []

    @property
    def balance(self) -> int:
        return sum(self.remaining.values())

    def take(self, amount: int) -> None:
        for lot_id, left in self.remaining.items():
            if part := min(amount, left):
                self.remaining[lot_id] -= part
                self.taken.append((lot_id, part))
                amount -= part
        assert amount == 0, "the ledger would refuse"

    def give(self, lots: tuple[tuple[int, int], ...]) -> None:
        for lot_id, amount in lots:
            self.remaining[lot_id] += amount
            assert 0 < amount <= self.remaining[lot_id] <= self.issued[lot_id]


@st.composite
def sales(draw) -> tuple[SaleBody, dict[int, CardBooks]]:
    """A sale that up to five cards, cash and stored value pay; a card may have been others' before: several lots."""
    lines = [
        Line(f"sku{number}", draw(st.integers(1, 4)), draw(st.integers(1, 1_500)))
        for number in range(draw(st.integers(1, 4)))
    ]
    price = pricing.price_lines(lines, discount_bp=draw(st.sampled_from([0, 500, 1_234])))
    left = price.payable_fen
    cards, tenders = {}, []
    for card_id in range(101, 101 + draw(st.integers(1, 5))):
        pays = draw(st.integers(0, left))
        left -= pays
        books = CardBooks(draw(st.lists(st.integers(1, 4_000), min_size=1, max_size=3)))
        if 0 < pays <= books.balance:
            cards[card_id] = books
            tenders.append(TenderIn(TenderType.GIFT_CARD, pays, reference=str(card_id)))
        else:
            left += pays
    cash = draw(st.integers(0, left))
    tenders += [TenderIn(TenderType.CASH, cash)] if cash else []
    settled = pricing.settle_tenders(
        draw(st.permutations([*tenders, TenderIn(TenderType.STORED)])), price.payable_fen, value_bp=10_000
    )
    earned = sum(pricing.points_earned(price.lines, not_earning_fen=0, multiplier_bp=10_000, per_yuan_bp=10_000))
    body = SaleBody(
        order_no="A1",
        terminal_id="T1",
        lines=price.lines,
        tenders=settled,
        total_fen=price.total_fen,
        discount_fen=price.discount_fen,
        payable_fen=price.payable_fen,
        points_earned=earned,
        multiplier_bp=10_000,
        paid={},
    )
    return body, cards


def post(books: Counter[str], legs) -> None:
    sums: Counter[str] = Counter()
    for leg in legs:
        assert leg.amount != 0
        sums[leg.unit] += leg.amount
        books[leg.account] += leg.amount
    assert set(sums.values()) <= {0}


def sold(body: SaleBody, progress: SaleProgress, points: int) -> Sold:
    document = Document(MEMBER, "S-1", SALE, "completed", 1, "S1", msgspec.to_builtins(body), {}, {}, NOW, NOW, None)
    stored = sum(tender.amount_fen for tender in body.tenders if tender.type is TenderType.STORED)
    moves = ((STORED_LOT, -stored),) if stored else ()
    earned = Lot(2, "points", "", "earned", "S-1", body.points_earned, points, None, None)
    return Sold(document, body, refunds.start(body, progress), 1, moves, (), (earned,))


@settings(max_examples=250)
@given(sales(), st.data())
def test_a_card_gets_back_what_it_paid_and_nobody_more_than_was_paid(sale, data):
    body, cards = sale
    before = {card_id: books.balance for card_id, books in cards.items()}
    member: Counter[str] = Counter()
    house: Counter[str] = Counter()
    post(
        member,
        plans.payment_legs(
            body, "S1", bonus_fen=0, debt=0, expires_on=None, matures_on=None, earned=body.points_earned
        ),
    )
    for payment in gift_cards.payments(body):
        post(house, card_plans.payment(payment, "S-1", store_id="S1", at=NOW, on=ON).legs)
        cards[payment.card_id].take(payment.amount_fen)

    paid = {tender.reference: tender.amount_fen for tender in body.tenders if tender.type is TenderType.GIFT_CARD}
    assert sum(tender.amount_fen for tender in body.tenders) + body.discount_fen == body.total_fen
    assert {str(card_id): before[card_id] - books.balance for card_id, books in cards.items()} == paid
    assert member["house.gift_clearing"] + house["house.gift_clearing"] == 0

    progress, back = refunds.start(body, SaleProgress()), 0
    while progress.refunded_fen < body.payable_fen:
        asked = _ask(body, progress, data)
        try:
            plan, refund = refund_plan(sold(body, progress, member["points"]), asked, NOW, zone=ZONE)
        except RefundExceedsPaid:  # amounts took that line's money before
            asked = RefundIn(reason="x", amount_fen=data.draw(st.integers(1, body.payable_fen - progress.refunded_fen)))
            plan, refund = refund_plan(sold(body, progress, member["points"]), asked, NOW, zone=ZONE)
        shares = {tender.reference: tender.amount_fen for tender in refund.by_tender if tender.reference}
        post(member, plan.legs)
        for one in gift_cards.returns(body, progress, shares):
            books = cards[one.card_id]
            lots = rules.return_to_lots(one.amount_fen, books.taken, before=one.before_fen)
            given_back = card_plans.give_back(one.card_id, refund.id, lots, store_id="S1", transfer=1, at=NOW, on=ON)
            post(house, given_back.legs)
            books.give(lots)
            assert books.balance <= before[one.card_id]
        progress = msgspec.convert(plan.update.progress, SaleProgress)
        back += sum(tender.amount_fen for tender in refund.by_tender)

        assert back == progress.refunded_fen <= body.payable_fen
        assert member["house.gift_clearing"] + house["house.gift_clearing"] == 0
        assert member["stored"] <= 0

    assert {card_id: books.balance for card_id, books in cards.items()} == before
    assert +member == +house == Counter() or set(member + house) <= {"house.points_clawed", "house.points_issued"}
    with pytest.raises(RefundExceedsPaid):
        refund_plan(sold(body, progress, 0), RefundIn(reason="x", amount_fen=1), NOW, zone=ZONE)


def _ask(body: SaleBody, progress: SaleProgress, data) -> RefundIn:
    """Some pieces of some lines, or an amount."""
    wanted = [
        RefundLineIn(line_no=line.line_no, qty=pieces)
        for line, done in zip(body.lines, progress.line_qty, strict=True)
        if (pieces := data.draw(st.integers(0, line.qty - done)))
    ]
    if wanted:
        return RefundIn(reason="x", lines=wanted)
    return RefundIn(reason="x", amount_fen=data.draw(st.integers(1, body.payable_fen - progress.refunded_fen)))


def test_a_gift_card_tender_names_its_card_and_a_sale_takes_five():
    with pytest.raises(ValidationFailed) as refused:
        gift_cards.named([TenderIn(TenderType.CASH), TenderIn(TenderType.GIFT_CARD, 1)])
    assert refused.value.errors[0].pointer == "/tenders/1/reference"

    six = [TenderIn(TenderType.GIFT_CARD, 1, reference=str(number)) for number in range(6)]
    assert gift_cards.named(six[:5]) == ["0", "1", "2", "3", "4"]
    with pytest.raises(TendersMismatch):
        gift_cards.named(six)


def test_what_is_paid_is_read_off_the_sale():
    tenders = pricing.settle_tenders(
        [TenderIn(TenderType.GIFT_CARD, 300, reference="7"), TenderIn(TenderType.CASH)], 1_000, value_bp=10_000
    )
    body = SaleBody("A", "T", (), tenders, 1_000, 0, 1_000, 0, 10_000, {})

    assert gift_cards.payments(body) == [Payment(7, 300)]
