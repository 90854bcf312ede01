"""Gifts for points: what they cost, who may have them, and what comes back."""

from __future__ import annotations

from ..mutant import Mutant

_REDEEM = "tests/gifts/test_redeeming.py"
_CONFIRM = "tests/gifts/test_confirming.py"
_HAND = "tests/gifts/test_handing.py"
_COUNTS = f"{_HAND}::test_a_broken_piece_does_not_come_back_to_the_shelf_and_stays_counted"

MUTANTS = (
    Mutant(
        "gift-member-limit-not-counted",
        "One member takes every piece of a gift that each may have once.",
        "backend/gifts/plans.py",
        'Guard(member_mark(gift.id), "add", pieces, LIMIT',
        'Guard(member_mark(gift.id), "add", 0, LIMIT',
        (f"{_REDEEM}::test_limits_of_a_member_and_of_a_day_hold_and_a_cancelled_one_is_free_again",),
    ),
    Mutant(
        "gift-day-total-not-judged",
        "All pieces of the month go on the first day.",
        "backend/gifts/service.py",
        'day[0]["taken"] > gift.day_total',
        'day[0]["taken"] < 0',
        (f"{_REDEEM}::test_limits_of_a_member_and_of_a_day_hold_and_a_cancelled_one_is_free_again",),
    ),
    Mutant(
        "gift-debt-may-be-redeemed",
        "Who owes points after a refund redeems them all the same.",
        "backend/gifts/commands/redeeming.py",
        "books.spendable(ledger_plans.POINTS) - debt < made.points",
        "books.spendable(ledger_plans.POINTS) < made.points",
        (f"{_REDEEM}::test_points_that_are_owed_are_not_there_to_redeem",),
    ),
    Mutant(
        "gift-points-without-pin",
        "Whoever holds the phone takes gifts for its owner's points, whatever they are worth.",
        "backend/gifts/commands/redeeming.py",
        "return price.pay_fen + points_value_fen(price.points, value_bp=settings().point_value_fen_bp)",
        "return price.pay_fen",
        (f"{_CONFIRM}::test_points_and_money_count_together_and_beyond_the_limits_the_pin_is_asked_for",),
    ),
    Mutant(
        "gifts-without-end",
        "Whoever holds the phone takes any number of small gifts without the PIN.",
        "backend/gifts/commands/redeeming.py",
        "free=_free(made, on) if wanted.counts else ()",
        "free=()",
        (f"{_CONFIRM}::test_points_and_money_count_together_and_beyond_the_limits_the_pin_is_asked_for",),
    ),
    Mutant(
        "gift-price-raised-unseen",
        "A price that head office raises while a member taps is taken silently.",
        "backend/gifts/rules.py",
        "if points not in (None, price.points) or",
        "if False or",
        (f"{_CONFIRM}::test_a_price_that_is_not_the_one_that_was_shown_is_refused_with_the_new_one",),
    ),
    Mutant(
        "gift-code-of-another-is-good",
        "Any well-formed code fetches any gift.",
        "backend/gifts/commands/handing.py",
        "if not hmac.compare_digest(code, codes.code_of(known.id)):",
        "if not code:",
        (f"{_HAND}::test_no_other_code_store_or_person_gets_it",),
    ),
    Mutant(
        "gift-handed-over-twice",
        "Two tills hand one gift over.",
        "backend/gifts/commands/handing.py",
        "        raise GiftHandedOver(",
        "        return made\n        raise GiftHandedOver(",
        (f"{_HAND}::test_a_till_hands_over_by_the_code_once",),
    ),
    Mutant(
        "gift-misses-not-counted",
        "A till tries codes until one fits.",
        "backend/gifts/commands/handing.py",
        'await limits.hit(f"gift-miss:{who}", MISSES, WINDOW_S)',
        'await limits.hit(f"gift-miss:{who}", MISSES * 1000, WINDOW_S)',
        (f"{_HAND}::test_whoever_guesses_codes_is_blocked_for_right_ones_too",),
    ),
    Mutant(
        "gift-cancelled-after-it-left",
        "The member has the goods and the points.",
        "backend/gifts/commands/ending.py",
        "    if made.state not in OPEN:",
        "    if made.state not in OPEN | OUT:",
        (f"{_HAND}::test_handing_over_and_cancelling_at_once_is_one_of_both",),
    ),
    Mutant(
        "gift-value-taken-back-after-it-was-spent",
        "Stored value for points is spent, and the points come back.",
        "backend/gifts/commands/ending.py",
        "if any(lot.remaining < lot.issued for lot in lots):",
        "if not lots:",
        (f"{_HAND}::test_a_coupon_and_value_are_taken_back_while_they_are_whole",),
    ),
    Mutant(
        "gift-one-of-several-leaves-the-shelf",
        "Three pieces are handed over, and stock knows of one.",
        "backend/gifts/commands/handing.py",
        "Piece(made.place_id, made.sku, made.quantity)",
        "Piece(made.place_id, made.sku, 1)",
        (f"{_HAND}::test_several_pieces_are_one_redemption_and_come_back_together",),
    ),
    Mutant(
        "gift-lost-piece-is-offered-again",
        "A piece that is broken is redeemed by somebody else.",
        "backend/gifts/commands/ending.py",
        "    if not goods or restock:",
        "    if not goods or not restock:",
        (_COUNTS,),
    ),
    Mutant(
        "gift-limit-not-given-back",
        "Who gave a gift up can never have another.",
        "backend/gifts/plans.py",
        'Guard(member_mark(made.gift_id), "add", -made.quantity, LIMIT, cap=_NO_CAP)',
        'Guard(member_mark(made.gift_id), "add", 0, LIMIT, cap=_NO_CAP)',
        (f"{_REDEEM}::test_limits_of_a_member_and_of_a_day_hold_and_a_cancelled_one_is_free_again",),
    ),
)
