"""Defects of passes: uses, undos, what they earn, and what goes back."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PLANS = "backend/passes/plans.py"
SERVICE = "backend/passes/service.py"
SHARES = "backend/passes/rules/shares.py"
JUDGING = "backend/passes/rules/judging.py"
AGED = "tests/passes/test_ageing.py::"
TILL = "tests/passes/test_till.py::"
STAFF = "tests/passes/test_staff.py::"
DISCOUNT = "tests/passes/test_discount.py::"
RULES = "tests/passes/rules/test_shares.py::"

MUTANTS = (
    Mutant(
        "share-whatever-is-left",
        "Uses that were undone out of turn let a pass earn less, or more, than was paid for it.",
        SHARES,
        "max(0, value_fen - (paid_fen - paid_fen * used // uses))",
        "paid_fen * used // uses - paid_fen * (used - qty) // uses",
        (f"{RULES}test_uses_and_undos_in_any_order_earn_exactly_what_was_paid",),
    ),
    Mutant(
        "use-of-another-store",
        "A card of one store's services is used up in another one.",
        JUDGING,
        "if held.terms.stores and store_id not in held.terms.stores:",
        "if held.terms.stores and not store_id:",
        (f"{TILL}test_refuses_what_the_terms_do_not_give_and_nothing_moves",),
    ),
    Mutant(
        "undo-after-closing",
        "A pass was paid out, its last use is undone afterwards, and it is good for one again.",
        PLANS,
        '"add", -qty, PassVoid.code, cap=CLOSED - 1 - qty)',
        '"add", -qty, PassVoid.code, cap=CLOSED)',
        (f"{STAFF}test_a_void_pass_is_paid_back_to_nobody_and_used_no_more",),
    ),
    Mutant(
        "used-pass-goes-back",
        "A month's parking is used, and its line refunded whole at the till.",
        PLANS,
        '"add", CLOSED, PassUsed.code, cap=CLOSED)',
        '"above", CLOSED, PassUsed.code)',
        (f"{DISCOUNT}test_a_card_that_priced_a_sale_does_not_go_back_with_its_line",),
    ),
    Mutant(
        "day-not-counted",
        "A monthly card parks every car that comes.",
        PLANS,
        "        guards.append(_day_guard(held.id, on, qty, cap=held.terms.per_day, now=now))",
        "        guards.append(_day_guard(held.id, on, qty, cap=CLOSED, now=now))",
        (f"{TILL}test_a_timed_pass_is_used_so_often_a_day",),
    ),
    Mutant(
        "undone-day-still-counts",
        "The cashier takes a mistaken use back, and the car does not get in today.",
        PLANS,
        "_day_guard(used.pass_id, used.on, -used.qty, cap=CLOSED, now=now)",
        "_day_guard(used.pass_id, used.on, 0 * used.qty, cap=CLOSED, now=now)",
        (f"{TILL}test_a_timed_pass_is_used_so_often_a_day",),
    ),
    Mutant(
        "undo-whenever",
        "Last month's uses are taken back, one after the other.",
        SERVICE,
        "    if now > used.at + timedelta(hours=settings().pass_undo_hours):",
        "    if now < used.at:",
        (f"{TILL}test_a_use_is_undone_in_its_store_and_in_time_only",),
    ),
    Mutant(
        "expired-days-are-breakage",
        "What a monthly card earned day by day is booked as if nobody had parked.",
        PLANS,
        'house, ref = (ledger.HOUSE_BREAKAGE, "") if counted else',
        'house, ref = (ledger.HOUSE_BREAKAGE, "") if held else',
        (f"{AGED}test_days_are_earned_month_by_month_and_all_by_the_last",),
    ),
    Mutant(
        "level-beaten-for-good",
        "A discount card that ended a year ago still gives its price.",
        "backend/members/types.py",
        "if card is None or on > card.until:",
        "if card is None:",
        (f"{DISCOUNT}test_the_better_of_level_and_card",),
    ),
    Mutant(
        "card-of-a-refund-prices-on",
        "Whoever gives the discount card back buys cheaply until somebody looks.",
        "backend/pos/commands/sales.py",
        "guards = (*guards, pass_plans.count_use(sale.card_id, 0 if waits else 1))",
        "guards = (*guards,)",
        (f"{DISCOUNT}test_an_unused_card_goes_back_and_prices_nothing_any_more",),
    ),
    Mutant(
        "cancelled-sale-used-the-card",
        "A sale that waited and was cancelled keeps the discount card from ever going back.",
        "backend/pos/commands/sales.py",
        "pass_plans.count_use(sale.card_id, 0 if waits else 1)",
        "pass_plans.count_use(sale.card_id)",
        (f"{DISCOUNT}test_a_sale_that_waits_uses_the_card_when_it_is_approved",),
    ),
)
