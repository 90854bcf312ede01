"""Defects of the coupon engine: what a coupon takes, which are best, who pays, and what comes back."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "backend/coupons/rules/"
TESTS = "tests/coupons/rules/"
APPLIES = f"{TESTS}test_applies.py::"
COMBINED = f"{TESTS}test_combine.py::"
SHARED = f"{TESTS}test_shares.py::"
REFUNDED = f"{TESTS}test_refunds.py::"
DAYS = "tests/coupons/test_days.py::"

MUTANTS = (
    Mutant(
        "last-day-refused",
        "A coupon is dead on the day that is printed on it.",
        f"{RULES}applies.py",
        "held.expires_on < on)",
        "held.expires_on <= on)",
        (f"{APPLIES}test_the_last_day_is_a_good_day",),
    ),
    Mutant(
        "night-of-another-day",
        "A Friday night's coupon ends at midnight, and Thursday's night takes it.",
        f"{RULES}applies.py",
        "(good_night and minute < hours.to_minute)",
        "(good_day and minute < hours.to_minute)",
        (f"{APPLIES}test_hours_over_midnight_belong_to_the_day_on_which_they_began",),
    ),
    Mutant(
        "excluded-article-counts",
        "Tobacco and baby milk, excluded by law, are sold with coupons.",
        f"{RULES}applies.py",
        "if line.sku not in excluded]",
        "if line.sku not in excluded or scope.categories]",
        (f"{APPLIES}test_what_a_coupon_takes",),
    ),
    Mutant(
        "cap-forgotten",
        "10 % off, at most ¥10, takes ¥1,000 off a television.",
        f"{RULES}applies.py",
        "        if terms.cap_fen is not None:\n            amount = min(amount, terms.cap_fen)\n",
        "",
        (f"{APPLIES}test_what_a_coupon_takes",),
    ),
    Mutant(
        "threshold-on-the-whole-basket",
        "¥100 of rice earns the coupon that is for ¥100 of wine.",
        f"{RULES}applies.py",
        "    if base < terms.min_spend_fen:",
        "    if sum(line.payable_fen for line in basket) < terms.min_spend_fen:",
        (f"{COMBINED}test_a_threshold_counts_only_what_is_in_scope",),
    ),
    Mutant(
        "remainder-lost",
        "Lines do not add up to the coupon: statements by line are short of some fen.",
        f"{RULES}allocate.py",
        "given = [amount_fen * end // total for end in accumulate(weights)]",
        "given = [amount_fen // len(weights) * number for number, _ in enumerate(accumulate(weights), 1)]",
        (f"{SHARED}test_an_amount_over_lines_by_hand",),
    ),
    Mutant(
        "two-of-a-group",
        "Two coupons of which one may be used are used together.",
        f"{RULES}contest.py",
        "    return terms.group if terms.stacking is Stacking.ONE_OF_GROUP else own",
        "    return own",
        (f"{COMBINED}test_of_a_group_the_one_that_takes_most_is_used",),
    ),
    Mutant(
        "exclusive-with-others",
        "A till adds coupons to the one that is for itself alone.",
        f"{RULES}stacking.py",
        "    if Stacking.EXCLUSIVE in {one.terms.stacking, other.terms.stacking}:",
        "    if one.terms.stacking is Stacking.EXCLUSIVE:",
        (f"{COMBINED}test_of_named_coupons_the_first_that_cannot_be_used_is_refused",),
    ),
    Mutant(
        "widest-takes-first",
        "The wide coupon takes the lines that the narrow one needs, and the member pays more.",
        f"{RULES}offers.py",
        "return self.scope_fen, self.lines,",
        "return -self.scope_fen, self.lines,",
        (f"{COMBINED}test_the_narrow_coupon_takes_first_so_that_the_wide_one_finds_other_lines",),
    ),
    Mutant(
        "balance-used-before-what-is-lost",
        "A balance that would have stayed is used up, and the coupon that is used once is wasted.",
        f"{RULES}offers.py",
        "        partial = self.held.terms.partial_use\n",
        "        partial = not self.held.terms.partial_use\n",
        (f"{COMBINED}test_on_the_same_lines_the_balance_is_used_last_because_it_stays",),
    ),
    Mutant(
        "good-enough",
        "The search stops at the first set: members are told that nothing better exists.",
        f"{RULES}search.py",
        "walk.run(known.worth)",
        "pass",
        (f"{COMBINED}test_the_dearest_coupon_is_left_where_two_others_take_more",),
    ),
    Mutant(
        "one-too-many",
        "A member pays with five coupons where three are enough, and is told that there is no better way.",
        f"{RULES}closing.py",
        "found = min(there, amount)",
        "found = min(there, amount) - there // 8",
        (f"{TESTS}test_closing.py::test_a_set_is_found_where_there_is_one",),
    ),
    Mutant(
        "last-fen-forgotten",
        "What rounding leaves or takes is not looked at: the suggestion is not the best, and says it is.",
        f"{RULES}closing.py",
        "if 0 < (finds - amount) * cheapest < finds and",
        "if not amount and",
        (f"{TESTS}test_closing.py::test_a_line_may_be_closed_by_what_rounding_moves_alone",),
    ),
    Mutant(
        "late-coupons-used-first",
        "The coupon that ends tomorrow stays in the wallet, and the one that is good for weeks is used.",
        f"{RULES}search.py",
        "            self._earliest()\n",
        "",
        (f"{COMBINED}test_where_all_is_paid_the_fewest_coupons_are_used_and_of_them_the_earliest",),
    ),
    Mutant(
        "cost-parts-rounded-alone",
        "The parties bear less than the coupon took: head office finds the fen nowhere.",
        f"{RULES}costs.py",
        "        left -= part\n",
        "        left -= part + (part > 100)\n",
        (f"{SHARED}test_a_cost_over_parties_by_hand",),
    ),
    Mutant(
        "coupon-back-with-the-first-piece",
        "A member returns one of ten pieces and has the coupon again, refund after refund.",
        f"{RULES}refunds.py",
        "    if before_fen + now_fen < use.amount_fen:\n        return 0\n",
        "",
        (f"{REFUNDED}test_when_a_coupon_returns",),
    ),
    Mutant(
        "threshold-broken-and-discount-kept",
        "A basket is bought to reach a threshold and returned but for the cheapest piece: the discount stays.",
        f"{RULES}refunds.py",
        "    return kept >= max(1, terms.min_spend_fen)",
        "    return kept > 0",
        (f"{REFUNDED}test_a_coupon_is_clawed_back_where_what_is_kept_would_not_have_earned_it",),
    ),
    Mutant(
        "day-counted-while-it-lasts",
        "What is sold on the evening of a day that was counted at noon is in no statement.",
        "backend/coupons/commands/days.py",
        "SETTLED = timedelta(hours=24)",
        "SETTLED = timedelta(hours=-24)",
        ("tests/coupons/test_statements.py::test_days_that_were_counted_say_the_same_as_the_books",),
    ),
    Mutant(
        "counted-days-told-twice",
        "A statement adds the books of a day to what was counted of it: suppliers are invoiced double.",
        "backend/coupons/statements.py",
        "    for begin, end in _ranges(days):",
        "    for begin, end in [(first, last)]:",
        ("tests/coupons/test_statements.py::test_days_that_were_counted_say_the_same_as_the_books",),
    ),
    Mutant(
        "imported-day-not-counted-anew",
        "Last year's sales are imported, and no statement of last year knows of them.",
        "backend/coupons/commands/days.py",
        "AND (booked.entries > d.entries) IS NOT FALSE ORDER",
        "AND d.entries IS NULL ORDER",
        (f"{DAYS}test_what_is_imported_into_a_counted_day_has_it_counted_anew_and_once",),
    ),
    Mutant(
        "counted-day-added-to",
        "A day that is counted anew says twice what it said before, or cannot be counted at all.",
        "backend/coupons/commands/days.py",
        "            await db.raw(tx).execute(_EMPTY, zone, day)\n",
        "",
        (f"{DAYS}test_a_day_that_an_older_release_counted_is_counted_once_more",),
    ),
    Mutant(
        "audit-blind-to-counted-days",
        "Somebody lowers what a supplier owes in the counted days, and the audit is content.",
        "backend/coupons/audit.py",
        "        if kept.get(key) != books.get(key)",
        "        if key not in kept",
        (f"{DAYS}test_the_audit_finds_a_counted_day_that_somebody_changed",),
    ),
)
