"""Defects of what orders cost by promotions, and of what follows them: reviews and invoices."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PROMOTIONS = "backend/orders/rules/promotions.py"
REVIEWS = "backend/orders/commands/reviews.py"
INVOICES = "backend/orders/commands/invoices.py"
PRICING = "tests/orders/test_pricing.py::"
TESTS = "tests/orders/test_reviews_and_invoices.py::"

MUTANTS = (
    Mutant(
        "one-line-two-offers",
        "A line brings every offer it reaches: it is sold for next to nothing.",
        PROMOTIONS,
        "            free.discard(line.line_no)\n",
        "",
        (
            f"{PRICING}test_the_price_order_by_hand",
            f"{PRICING}test_every_step_takes_what_it_says_and_no_line_costs_less_than_nothing",
        ),
    ),
    Mutant(
        "promotion-of-another-store",
        "Every store sells at the price of the one that closes down.",
        PROMOTIONS,
        "        and (not one.scope.stores or here.store_id in one.scope.stores)\n",
        "",
        (f"{PRICING}test_a_promotion_holds_where_when_and_for_whom_it_says",),
    ),
    Mutant(
        "promotion-of-another-level",
        "Who has just registered pays what gold members do.",
        PROMOTIONS,
        "        and (not one.scope.levels or here.level in one.scope.levels)\n",
        "",
        (f"{PRICING}test_a_promotion_holds_where_when_and_for_whom_it_says",),
    ),
    Mutant(
        "promotion-of-the-last-instant-stays",
        "An offer that ended at midnight is given to whoever pays at midnight.",
        PROMOTIONS,
        "one.starts_at <= here.now < one.ends_at",
        "one.starts_at <= here.now <= one.ends_at",
        (f"{PRICING}test_a_promotion_holds_where_when_and_for_whom_it_says",),
    ),
    Mutant(
        "more-off-than-it-costs",
        "A promotion takes more off a line than it costs, and pays for the rest of the order.",
        PROMOTIONS,
        "off = min(tier.off_fen * line.qty + line.payable_fen * tier.off_bp // BP, line.payable_fen)",
        "off = tier.off_fen * line.qty + line.payable_fen * tier.off_bp // BP",
        (f"{PRICING}test_every_step_takes_what_it_says_and_no_line_costs_less_than_nothing",),
    ),
    Mutant(
        "reviewed-before-it-came",
        "Whoever pays and cancels praises or ruins a product.",
        REVIEWS,
        "        if order.state not in _RECEIVED:\n            raise ReviewUnavailable",
        "        if order.state is OrderState.AWAITING_PAYMENT:\n            raise ReviewUnavailable",
        (f"{TESTS}test_a_line_is_reviewed_once_and_staff_answer_or_hide_it",),
    ),
    Mutant(
        "another-store-hides-reviews",
        "A manager hides what members say of another store.",
        REVIEWS,
        'if not rows or not caller.reaches(rows[0]["store_id"]):',
        "if not rows:",
        (f"{TESTS}test_another_store_s_manager_neither_hides_reviews_nor_decides_invoices",),
    ),
    Mutant(
        "another-store-decides-invoices",
        "A manager refuses another store's members their invoices.",
        INVOICES,
        "if found is None or not caller.reaches(found.store_id):",
        "if found is None:",
        (f"{TESTS}test_another_store_s_manager_neither_hides_reviews_nor_decides_invoices",),
    ),
    Mutant(
        "invoice-over-what-was-given-back",
        "A company deducts what it got back.",
        INVOICES,
        "tender.amount_fen - back\n",
        "tender.amount_fen\n",
        (f"{TESTS}test_an_invoice_is_over_what_money_paid_and_lies_sealed",),
    ),
    Mutant(
        "invoice-keeps-its-sum-after-a-refund",
        "The clerk writes an invoice over money that went back since it was asked for.",
        INVOICES,
        "THEN amount_fen - $3 ELSE",
        "THEN amount_fen ELSE",
        (f"{TESTS}test_an_invoice_that_is_asked_for_is_over_what_is_left_after_a_refund",),
    ),
    Mutant(
        "gift-card-invoiced-twice",
        "What a gift card pays is invoiced to who bought it, and again to who spends it.",
        INVOICES,
        "frozenset({TenderType.COUPON, TenderType.POINTS, TenderType.GIFT_CARD})",
        "frozenset({TenderType.COUPON, TenderType.POINTS})",
        (f"{TESTS}test_an_invoice_names_what_money_paid_and_no_other_tender",),
    ),
    Mutant(
        "issued-invoice-rejected",
        "An invoice that lies at the tax office is refused here.",
        INVOICES,
        " AND state = 'requested' RETURNING 1",
        " RETURNING 1",
        (f"{TESTS}test_an_invoice_is_over_what_money_paid_and_lies_sealed",),
    ),
)
