"""Defects of points: what earns how much, who may give them to whom, and who puts them right."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

EARNING = "backend/points/rules/earning.py"
CONDITIONS = "backend/points/rules/conditions.py"
LOTS = "backend/points/rules/lots.py"
PLANS = "backend/points/plans.py"
TRANSFERS = "backend/points/commands/transfers.py"
ADJUSTMENTS = "backend/points/commands/adjustments.py"
BATCHES = "backend/points/commands/batches.py"
REFUNDS = "backend/sales/rules/refunds.py"
RULES_OF = "tests/points/test_earning.py::"
SALES = "tests/points/test_sales.py::"
GIVING = "tests/points/test_transfers.py::"
ADJUSTING = "tests/points/test_adjustments.py::"

MUTANTS = (
    Mutant(
        "promotion-without-a-base",
        "Gift cards and passes earn the double day's points.",
        EARNING,
        "extras = promotions.add_to(line, points) if points else ()",
        "extras = promotions.add_to(line, points)",
        (RULES_OF + "test_a_promotion_gives_nothing_where_no_base_rule_gave",),
    ),
    Mutant(
        "rate-nought-earns-by-a-rule",
        "A gift card rung up as an article earns by a rule for everything.",
        EARNING,
        "    if not line.rate_bp:\n        return 0, None\n",
        "",
        (RULES_OF + "test_a_line_that_never_earns_gets_nothing_of_any_rule",),
    ),
    Mutant(
        "last-base-rule-wins",
        "A rule for everything takes away what the brand's own rule gives.",
        EARNING,
        "            if points > best:\n",
        "            if True:\n",
        (RULES_OF + "test_the_base_rule_that_gives_most_wins_by_line",),
    ),
    Mutant(
        "days-most-is-each-sales",
        "Who splits the purchase has the promotion's most for each receipt.",
        EARNING,
        "max(0, rule.terms.day_cap - here.taken.get(cap_mark(rule.id, self._on), 0))",
        "rule.terms.day_cap",
        (RULES_OF + "test_the_most_of_a_day_counts_what_was_taken_and_goes_line_by_line",),
    ),
    Mutant(
        "multipliers-without-a-most",
        "Three stackable promotions give thirty-fold points.",
        EARNING,
        "times = min(base_points * (rule.terms.times_bp - BP) // BP, room)",
        "times = base_points * (rule.terms.times_bp - BP) // BP",
        (RULES_OF + "test_multipliers_make_no_more_than_the_most_together",),
    ),
    Mutant(
        "version-lives-after-its-end",
        "An offline sale is judged by the rule that was changed before it.",
        EARNING,
        "(rule.until_at is None or at < rule.until_at)",
        "(rule.until_at is None or at <= rule.until_at)",
        (RULES_OF + "test_a_version_lives_from_its_first_instant_until_before_its_last",),
    ),
    Mutant(
        "leapling-without-a-birthday",
        "Who was born on 29 February has a birthday every four years.",
        CONDITIONS,
        "if (born.month, born.day) == (2, 29) and not isleap(year):\n        return date(year, 2, 28)",
        "if (born.month, born.day) == (2, 29) and not isleap(year):\n        return date(year, 3, 1)",
        (RULES_OF + "test_birthdays_week_goes_from_monday_to_sunday_and_over_new_year",),
    ),
    Mutant(
        "clawback-of-rules-by-the-whole-sale",
        "Who returns the article with triple points keeps most of them.",
        REFUNDS,
        "    if not progress.earned_by:\n",
        "    if True:\n",
        (SALES + "test_a_refund_takes_back_what_its_lines_earned",),
    ),
    Mutant(
        "given-points-handed-on",
        "Points are handed on and on, and end where they are sold.",
        LOTS,
        "if lot.part == EARNED and",
        "if",
        (GIVING + "test_what_was_given_is_not_handed_on_and_gifts_are_not_given",),
    ),
    Mutant(
        "given-points-never-expire",
        "Two friends hand their points to and fro and none of them ever expires.",
        PLANS,
        'Issue("transferred", part, expires_on=lot.expires_on, source=sent.transfer_id)',
        'Issue("transferred", part, source=sent.transfer_id)',
        (GIVING + "test_points_move_with_their_last_days_and_both_see_it",),
    ),
    Mutant(
        "transfer-without-a-pin",
        "Who finds an unlocked phone gives its owner's points away.",
        TRANSFERS,
        "    await member_service.check_pin(giver_id, body.pin, spends_fen=_worth_fen(body.points))\n",
        "",
        (GIVING + "test_refusals_move_nothing",),
    ),
    Mutant(
        "days-transfers-not-counted",
        "A stolen phone empties the account in small transfers.",
        PLANS,
        'Guard(day_mark(sent.on), "add", points,',
        'Guard(day_mark(sent.on), "add", 0,',
        (GIVING + "test_the_days_limit_holds_against_transfers_at_one_moment",),
    ),
    Mutant(
        "everybody-adjusts-alone",
        "One person gives a friend any number of points.",
        ADJUSTMENTS,
        "points, settings().points_adjust_alone_max)",
        "points, 10**12)",
        (ADJUSTING + "test_nothing_is_given_before_a_second_person_approves",),
    ),
    Mutant(
        "split-adjustments-alone",
        "One person gives a friend any number of points, in pieces.",
        "backend/approvals/service.py",
        "SET amount = a.amount + w.amount",
        "SET amount = a.amount",
        (ADJUSTING + "test_the_limit_is_of_a_day_and_of_all_that_one_person_does_alone",),
    ),
    Mutant(
        "second-race-is-a-conflict",
        "A member approves a sale and is refused, because two others of their day came between.",
        "backend/pos/commands/confirmations.py",
        "refused.refusal == points.CAP:",
        "refused.refusal == points.CAP and not capped:",
        ("tests/points/test_sales.py::test_a_sale_that_waits_earns_by_the_rules_of_when_it_was_rung_up",),
    ),
    Mutant(
        "bad-row-left-out-unasked",
        "A table with a mistyped number gives points to all but one, and nobody notices.",
        BATCHES,
        "if looked.flaws and (not skip_bad or not looked.good):",
        "if looked.flaws and not looked.good:",
        (ADJUSTING + "test_a_bad_row_refuses_the_table_and_names_its_fields",),
    ),
    Mutant(
        "row-posted-again-after-a-crash",
        "A worker that dies gives the last hundred members their points twice.",
        BATCHES,
        "id=_id_of(batch.id, row.row_no, own_id),",
        "id=ids.new_document_id(plans.ADJUSTMENT_PREFIX, own_id),",
        (ADJUSTING + "test_a_batch_that_was_cut_short_goes_on_and_a_cancelled_one_does_not",),
    ),
    Mutant(
        "row-posted-again-after-a-merge",
        "Who is merged after a worker died is given the points of a table twice.",
        BATCHES,
        "for number in merged:",
        "for number in merged[:0]:",
        ("tests/merging/test_keys.py::test_a_row_of_a_table_that_was_posted_to_the_source_is_not_posted_again",),
    ),
    Mutant(
        "row-posted-by-a-list-of-before-a-merge",
        "A worker that read its list before a merge posts to the old number what another posted to the new one.",
        BATCHES,
        "await members.ids_of(await members.current_id(row.member_id))",
        "await members.ids_of(row.member_id)",
        ("tests/merging/test_keys.py::test_a_list_of_before_the_merge_posts_what_another_worker_posted",),
    ),
)
