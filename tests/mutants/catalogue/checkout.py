"""Defects of the checkout: gift cards among its tenders, the payment PIN, and where goods are sent."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PAY = "backend/orders/commands/pay.py"
PLACE = "backend/orders/commands/place.py"
PINS = "backend/orders/commands/pins.py"
CONFIRMED = "backend/sales/service.py"
RULES = "backend/orders/commands/delivery_rules.py"
DECODING = "backend/kernel/http/decoding.py"
PAYMENTS = "tests/orders/test_payments.py::"
GOES_BACK = "test_money_for_an_order_that_was_closed_is_to_go_back_and_no_other_refund_is_its_end"
CARDS = "tests/orders/test_gift_cards.py::"
PIN = "tests/orders/test_pins.py::"

MUTANTS = (
    Mutant(
        "card-kept-by-an-order-that-was-never-paid",
        "The member's books have the gift card's money back, the card has not.",
        PAY,
        "    if cards:\n        store_id",
        "    if not cards:\n        store_id",
        (f"{CARDS}test_an_order_that_is_not_paid_gives_its_cards_back_however_they_stand",),
    ),
    Mutant(
        "order-with-a-card-in-a-batch",
        "An order is placed as paid by a gift card whose books gave nothing.",
        PLACE,
        "checkout.payment is None and not cards:",
        "checkout.payment is None:",
        (f"{CARDS}test_a_retry_is_answered_when_the_token_has_died_and_the_card_is_spent",),
    ),
    Mutant(
        "large-order-without-pin",
        "Whoever holds a phone empties its wallet in one order, whatever PIN its owner has set.",
        CONFIRMED,
        "    if taken_fen > settings().password_free_sale_fen:\n        await",
        "    if taken_fen < 0:\n        await",
        (f"{PIN}test_above_the_limit_the_pin_comes_with_the_order",),
    ),
    Mutant(
        "small-orders-without-end",
        "Whoever holds a phone empties its wallet in many small orders.",
        PLACE,
        "cap_fen = rules.password_free_day_fen if counts else None",
        "cap_fen = None",
        (f"{PIN}test_a_day_is_counted_with_the_tills_and_what_was_confirmed_is_not",),
    ),
    Mutant(
        "any-pin-confirms",
        "Whoever holds a phone types any six digits and empties its wallet.",
        CONFIRMED,
        "        await member_service.check_pin(member_id, pin, spends_fen=taken_fen)\n",
        "",
        (f"{PIN}test_above_the_limit_the_pin_comes_with_the_order",),
    ),
    Mutant(
        "confirmed-orders-fill-the-day",
        "What a member confirmed by PIN leaves them nothing for small things at the till.",
        CONFIRMED,
        "        await member_service.check_pin(member_id, pin, spends_fen=taken_fen)\n        return False\n",
        "        await member_service.check_pin(member_id, pin, spends_fen=taken_fen)\n        return True\n",
        (f"{PIN}test_a_day_is_counted_with_the_tills_and_what_was_confirmed_is_not",),
    ),
    Mutant(
        "gift-cards-need-no-pin",
        "Whoever holds a phone empties its gift cards, whatever PIN its owner has set.",
        "backend/sales/rules/pricing.py",
        "sum(tender.amount_fen for tender in tenders if tender.type in MEMBER_VALUE)",
        "sum(tender.amount_fen for tender in tenders if tender.type in MEMBER_VALUE and tender.reference is None)",
        (f"{PIN}test_gift_cards_and_points_count_and_what_wechat_pays_does_not",),
    ),
    Mutant(
        "pin-not-told-of",
        "A member learns only from the refusal that the order needs the PIN.",
        PINS,
        "marks.get(day, 0) + fen > rules.password_free_day_fen",
        "fen > rules.password_free_day_fen",
        (f"{PIN}test_a_day_is_counted_with_the_tills_and_what_was_confirmed_is_not",),
    ),
    Mutant(
        "token-of-another-s-phone",
        "A card's token that was read off somebody's phone pays on every other one.",
        "backend/giftcards/tokens.py",
        'payload + f"{terminal_id}\\n{store_id}".encode()',
        "payload + store_id.encode()",
        (f"{CARDS}test_what_a_card_does_not_pay_is_refused_and_nothing_moves",),
    ),
    Mutant(
        "paid-with-any-amount",
        "A fen paid at WeChat completes an order of any price.",
        "backend/orders/commands/payments.py",
        "if (payment.amount_fen, payment.currency) != (plans.payment_body(document).pay_fen, CURRENCY):",
        "if payment.currency != CURRENCY:",
        (f"{PAYMENTS}test_refuses_a_payment_that_is_not_the_order_s",),
    ),
    Mutant(
        "late-money-kept",
        "A member pays an order that was closed a second before, and gets neither goods nor money.",
        "backend/orders/commands/payments.py",
        "                await _note_late(document, payment)",
        "                return",
        (f"{PAYMENTS}{GOES_BACK}",),
    ),
    Mutant(
        "pin-under-a-digest",
        "The fingerprint of a request tells its PIN to whoever tries a million.",
        DECODING,
        "for name, one in value.items() if name not in secrets",
        "for name, one in value.items() if name",
        (f"{PIN}test_neither_a_log_nor_the_fingerprint_of_the_request_knows_the_pin",),
    ),
    Mutant(
        "rule-that-nobody-reads",
        "Head office makes a delivery rule that no price ever hears of.",
        RULES,
        "if count >= queries.MOST_RULES:",
        "if count > queries.MOST_RULES:",
        ("tests/orders/test_delivery.py::test_the_rule_that_pricing_would_not_read_is_refused",),
    ),
    Mutant(
        "refund-of-late-money-cut-short",
        "WeChat gave back a part of what came too late, and the rest is forgotten.",
        "backend/orders/commands/payments.py",
        "if refund.amount_fen != plans.payment_body(document).pay_fen:",
        "if refund.amount_fen < 0:",
        (f"{PAYMENTS}{GOES_BACK}",),
    ),
    Mutant(
        "retry-counted-as-a-wrong-try",
        "A phone that repeats an order whose answer was lost locks its member's PIN, at the tills too.",
        PLACE,
        "    if body.pin is not None and (again := await _first_answer(member_id, idem)) is not None:",
        "    if (again := None) is not None:",
        (f"{PIN}test_a_retry_with_another_pin_gets_the_first_answer_and_is_no_wrong_try",),
    ),
    Mutant(
        "pin-that-nobody-looked-at",
        "An order that a coupon paid at first is paid by the wallet, with a PIN that was never looked at.",
        PLACE,
        "confirmed = body.pin is not None and pins.value_fen(parts) > 0",
        "confirmed = body.pin is not None",
        (f"{PIN}test_a_pin_that_nothing_asked_for_yet_is_looked_at_once_something_does",),
    ),
)
