"""Coupons in a sale and its refunds, as the till books them: random wallets × baskets × tenders × refunds.

The books are a dict that takes the plans' legs; what a sale took and its refunds gave is read off it.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backend.coupons.rules.booking import record
from backend.coupons.rules.combine import combine
from backend.coupons.types import CostShare, Held, Party, RefundPolicy
from backend.kernel.errors import ValidationFailed
from backend.ledger.types import Document, Lot
from backend.pos.commands.refunds import refund_plan
from backend.pos.plans import SALE
from backend.pos.schemas import RefundIn, RefundLineIn
from backend.sales import plans
from backend.sales.errors import RefundExceedsPaid
from backend.sales.plans import Sold
from backend.sales.rules import coupons, pricing, refunds
from backend.sales.rules.pricing import TenderIn
from backend.sales.types import Line, SaleBody, SaleProgress, TenderType
from tests.coupons.rules.build import CATEGORIES, OCCASION, ON, wallets

NOW = datetime(2026, 11, 27, 6, 30, tzinfo=UTC)
ZONE = "Asia/Shanghai"
COST = (CostShare(Party.HEAD_OFFICE, 7_000), CostShare(Party.STORE, 3_000))
MEMBER = 4_611_686_018_427_387_905


@st.composite
def policies(draw, its_terms):
    choices = [policy for policy in RefundPolicy if policy is not RefundPolicy.SPLIT or its_terms.partial_use]
    return msgspec.structs.replace(its_terms, refund=draw(st.sampled_from(choices)), cost=COST)


@st.composite
def carts(draw):
    return [
        Line(
            f"sku{draw(st.integers(0, 5))}",
            draw(st.integers(1, 4)),
            draw(st.integers(1, 1_500)),
            category=draw(st.sampled_from((None, *CATEGORIES))),
        )
        for _ in range(draw(st.integers(1, 5)))
    ]


@st.composite
def sales(draw) -> tuple[SaleBody, dict[str, Held]]:
    """A sale with the best of a random wallet, the rest in stored value and cash."""
    helds = [
        msgspec.structs.replace(held, terms=draw(policies(held.terms)), template=f"t-{held.id}")
        for held in draw(wallets(most=5))
    ]
    lines = draw(carts())
    price = pricing.price_lines(lines, discount_bp=draw(st.sampled_from([0, 500, 1_234])))
    best = combine(helds, coupons.basket(lines, price), OCCASION, ON)
    held = {one.id: one for one in helds}
    used = tuple(record(use, held[use.coupon_id], "S1") for use in best.uses)
    rest = price.payable_fen - best.amount_fen
    cash = draw(st.integers(0, rest))
    tenders = [TenderIn(TenderType.COUPON, coupon_id=coupon.id) for coupon in draw(st.permutations(used))]
    tenders += [TenderIn(TenderType.CASH, cash)] if cash else []
    settled = pricing.settle_tenders(
        [*tenders, TenderIn(TenderType.STORED)],
        price.payable_fen,
        value_bp=10_000,
        coupons={coupon.id: coupon.amount_fen for coupon in used},
    )
    earned = sum(
        pricing.points_earned(
            price.lines,
            not_earning_fen=0,
            multiplier_bp=10_000,
            per_yuan_bp=10_000,
            coupon_fen=coupons.line_shares(used),
        )
    )
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
        coupons=used,
    )
    return body, held


class Books:
    """Balances by account and reference, and the lots that the sale took from."""

    def __init__(self, body: SaleBody) -> None:
        self.balances: Counter[tuple[str, str]] = Counter()
        self.moves: list[tuple[Lot, int]] = []
        stored = sum(tender.amount_fen for tender in body.tenders if tender.type is TenderType.STORED)
        if stored:
            self.moves.append((_lot(1, "stored", "", stored), -stored))
        for number, coupon in enumerate(body.coupons, 10):
            self.moves.append((_lot(number, "coupon", coupon.id, coupon.taken), -coupon.taken))
        self.earned = _lot(2, "points", "", body.points_earned)

    def post(self, legs) -> None:
        sums: Counter[str] = Counter()
        for leg in legs:
            assert leg.amount != 0
            assert not leg.lots or sum(amount for _, amount in leg.lots) == leg.amount
            sums[leg.unit] += leg.amount
            self.balances[leg.account, leg.ref] += leg.amount
        assert set(sums.values()) <= {0}

    def of(self, account: str) -> int:
        return sum(amount for (kind, _), amount in self.balances.items() if kind == account)


def _lot(lot_id: int, kind: str, ref: str, amount: int) -> Lot:
    return Lot(lot_id, kind, ref, "", "S-1", amount, amount, date(2026, 12, 1), None)


def sold(body: SaleBody, progress: SaleProgress, books: Books, held: dict[str, Held]) -> Sold:
    document = Document(MEMBER, "S-1", SALE, "completed", 1, "S1", msgspec.to_builtins(body), {}, {}, NOW, NOW, None)
    left = msgspec.structs.replace(books.earned, remaining=books.of("points"))
    terms = {coupon.id: held[coupon.id].terms for coupon in body.coupons}
    return Sold(document, body, refunds.start(body, progress), 1, tuple(books.moves), (), (left,), terms)


@settings(max_examples=250)
@given(sales(), st.data())
def test_what_a_sale_takes_comes_back_once_whatever_is_refunded_and_in_which_order(sale, data):
    body, held = sale
    assume(body.payable_fen > 0)
    books = Books(body)
    stored = sum(tender.amount_fen for tender in body.tenders if tender.type is TenderType.STORED)
    discounts = sum(coupon.amount_fen for coupon in body.coupons)

    books.post(
        plans.payment_legs(body, "S1", bonus_fen=0, debt=0, expires_on=None, matures_on=None, earned=body.points_earned)
    )

    assert sum(tender.amount_fen for tender in body.tenders) == body.payable_fen
    assert books.of("house.sales") == stored + discounts
    assert books.of("house.coupon_cost") == -discounts
    assert [-books.balances["coupon", coupon.id] for coupon in body.coupons] == [
        coupon.amount_fen if held[coupon.id].terms.partial_use else 1 for coupon in body.coupons
    ]

    progress, paid_out = refunds.start(body, SaleProgress()), 0
    while progress.refunded_fen < body.payable_fen:
        asked = _ask(body, progress, data)
        try:
            plan, refund = refund_plan(sold(body, progress, books, held), asked, NOW, zone=ZONE)
        except RefundExceedsPaid:  # amounts took that line's money before
            asked = RefundIn(reason="x", amount_fen=data.draw(st.integers(1, body.payable_fen - progress.refunded_fen)))
            plan, refund = refund_plan(sold(body, progress, books, held), asked, NOW, zone=ZONE)
        books.post(plan.legs)
        assert plan.update is not None
        progress = msgspec.convert(plan.update.progress, SaleProgress)
        by_type: Counter[str] = Counter()
        for tender in refund.by_tender:
            by_type[tender.type] += tender.amount_fen
        paid_out += by_type["cash"] + by_type["stored"]

        assert sum(by_type.values()) == refund.refund_fen
        assert paid_out <= body.payable_fen - discounts
        assert books.balances["stored", ""] <= 0
        kept = dict(zip([tender.coupon_id for tender in body.tenders], progress.tender_fen, strict=True))
        for coupon in body.coupons:
            assert books.balances["coupon", coupon.id] <= 0
            assert kept[coupon.id] <= coupon.amount_fen
        assert books.of("house.coupon_cost") == -sum(coupon.amount_fen - kept[coupon.id] for coupon in body.coupons)

    assert paid_out == body.payable_fen - discounts
    forfeited = {coupon.id for coupon in body.coupons if held[coupon.id].terms.refund is RefundPolicy.FORFEIT}
    assert {ref for (kind, ref), amount in books.balances.items() if kind == "coupon" and amount} == forfeited
    for account in ("stored", "house.sales", "house.coupon_cost", "points", "house.points_issued"):
        expected = -body.points_earned if account == "house.points_issued" else 0
        assert books.of(account) == expected
    with pytest.raises(RefundExceedsPaid):
        refund_plan(sold(body, progress, books, held), RefundIn(reason="x", amount_fen=1), NOW, zone=ZONE)


def _ask(body: SaleBody, progress: SaleProgress, data) -> RefundIn:
    """Some pieces of some lines, or an amount."""
    wanted = [
        RefundLineIn(line.line_no, pieces)
        for line, done in zip(body.lines, progress.line_qty, strict=True)
        if (pieces := data.draw(st.integers(0, line.qty - done)))
    ]
    if wanted:
        return RefundIn(reason="x", lines=wanted)
    return RefundIn(reason="x", amount_fen=data.draw(st.integers(1, body.payable_fen - progress.refunded_fen)))


@settings(max_examples=150)
@given(sales())
def test_points_are_earned_on_what_neither_coupon_nor_discount_took(sale):
    body, _ = sale

    off = coupons.line_shares(body.coupons)
    left = {line.line_no: line.payable_fen - off.get(line.line_no, 0) for line in body.lines}

    assert min(left.values()) >= 0
    assert sum(left.values()) == body.payable_fen - sum(coupon.amount_fen for coupon in body.coupons)
    assert body.points_earned == sum(fen // 100 for fen in left.values())


@settings(max_examples=50)
@given(sales(), st.data())
def test_a_coupon_that_another_tender_of_an_old_sale_names_has_no_part_in_its_refund(sale, data):
    body, held = sale
    name = body.coupons[0].id if body.coupons else "none-of-the-sale"
    named = [
        tender if tender.type is TenderType.COUPON else msgspec.structs.replace(tender, coupon_id=name)
        for tender in body.tenders
    ]
    old = msgspec.structs.replace(body, tenders=tuple(named))
    terms = {coupon.id: held[coupon.id].terms for coupon in body.coupons}
    amount = data.draw(st.integers(1, body.payable_fen))

    def moved(of: SaleBody) -> tuple[object, object]:
        progress = refunds.start(of, SaleProgress())
        shares = refunds.by_amount(of, progress, amount, terms)
        return shares, refunds.coupon_refunds(of, progress, shares, terms, "S1")

    assert moved(old) == moved(body)


def test_a_coupon_tender_names_one_coupon_once():
    named = [
        TenderIn(TenderType.COUPON, coupon_id="b"),
        TenderIn(TenderType.CASH),
        TenderIn(TenderType.COUPON, coupon_id="a"),
    ]

    assert coupons.named(named) == ["b", "a"]
    stray = [*named, TenderIn(TenderType.EXTERNAL, coupon_id="c")]
    for wrong, pointer in (([TenderIn(TenderType.COUPON)], 0), ([*named, named[0]], 3), (stray, 3)):
        with pytest.raises(ValidationFailed) as refused:
            coupons.named(wrong)
        assert refused.value.errors[0].pointer == f"/tenders/{pointer}/coupon_id"
