"""Defects of rebates: too much is counted, paid twice, taken back from the wrong pocket, or closed by one person."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ACCRUAL = "backend/rebates/rules/accrual.py"
SETTLING = "backend/rebates/rules/settling.py"
SERVICE = "backend/rebates/service.py"
BUILDING = "backend/rebates/commands/building.py"
RUNS = "backend/rebates/commands/runs.py"
PLANS = "backend/rebates/plans.py"
SCHEMES = "backend/rebates/queries/schemes.py"
PURE = "tests/rebates/test_rules.py::"
MONTHS = "tests/rebates/test_statements.py::"
STAFF = "tests/rebates/test_schemes.py::"
USING = "tests/rebates/test_using.py::"
MEANWHILE = "tests/rebates/test_meanwhile.py::"

MUTANTS = (
    Mutant(
        "rebate-counts-what-bonus-paid",
        "What was paid with bonus, points or rebate comes back as rebate.",
        ACCRUAL,
        "off = sum(fen for kind, fen in purchase.paid.items() if kind not in terms.counts)",
        "off = 0",
        (f"{PURE}test_only_what_was_paid_by_what_counts_is_a_net_sale",),
    ),
    Mutant(
        "rebate-keeps-what-came-back",
        "A line that came back goes on counting.",
        ACCRUAL,
        "total += counts - counts * min(back.get(line.line_no, 0), line.payable_fen) // line.payable_fen",
        "total += counts",
        (f"{PURE}test_a_line_that_comes_back_takes_its_share_and_the_last_piece_the_rest",),
    ),
    Mutant(
        "rebate-tier-one-fen-late",
        "A tier is reached only above its sum.",
        ACCRUAL,
        "if one.from_fen <= base_fen), default=NONE)",
        "if one.from_fen < base_fen), default=NONE)",
        (f"{PURE}test_tiers_give_their_rate_on_their_part_or_on_all_of_it",),
    ),
    Mutant(
        "rebate-all-schemes-give",
        "Schemes that do not stack all give.",
        ACCRUAL,
        "if at in alone and at != best else part",
        "if False else part",
        (f"{PURE}test_of_schemes_that_do_not_stack_the_best_one_gives_and_all_that_stack",),
    ),
    Mutant(
        "rebate-counts-delivery",
        "Delivery is a net sale.",
        ACCRUAL,
        "if line.line_no == DELIVERY or not line.payable_fen",
        "if not line.payable_fen",
        (f"{PURE}test_delivery_never_counts",),
    ),
    Mutant(
        "rebate-forgets-what-is-owed",
        "What was given too much is forgotten instead of carried on.",
        SETTLING,
        "return Settled((), (), tuple(pieces))",
        "return Settled((), (), ())",
        (f"{PURE}test_what_is_paid_and_carried_is_what_pieces_come_to",),
    ),
    Mutant(
        "rebate-stores-bear-what-they-do-not-owe",
        "A store that gets something back after a correction does not get it.",
        SETTLING,
        "tuple(piece for piece in paid if piece.fen), tuple(pieces), ())",
        "(paid := tuple(piece for piece in paid if piece.fen)), paid, ())",
        (f"{PURE}test_what_is_owed_is_taken_off_what_gives_and_each_store_bears_its_own",),
    ),
    Mutant(
        "rebate-late-facts-are-lost",
        "What reaches a closed month is never corrected.",
        SERVICE,
        "    if new:\n        await db.raw(tx).execute(_MARK",
        "    if not new:\n        await db.raw(tx).execute(_MARK",
        (f"{MONTHS}test_what_reaches_a_closed_month_is_a_correction_in_the_next_and_never_lowers_a_balance",),
    ),
    Mutant(
        "rebate-corrects-twice",
        "A correction forgets what was given for the month already.",
        BUILDING,
        "was = settling.given_for(first, given)",
        "was = settling.given_for(first, [])",
        (f"{MONTHS}test_what_reaches_a_closed_month_is_a_correction_in_the_next_and_never_lowers_a_balance",),
    ),
    Mutant(
        "rebate-cancelled-draft-keeps-marks",
        "A draft that is thrown away takes what waited for it along.",
        BUILDING,
        '"UPDATE rebate_late SET run_id = NULL WHERE run_id = $1"',
        '"UPDATE rebate_late SET run_id = NULL WHERE run_id = $1 AND false"',
        (f"{MONTHS}test_a_cancelled_draft_leaves_everything_as_it_was",),
    ),
    Mutant(
        "rebate-one-person-closes-anything",
        "No second person is asked, however much a run pays.",
        RUNS,
        "if run.payout_fen > settings().rebate_close_alone_max_fen:",
        "if run.payout_fen < 0:",
        (f"{STAFF}test_above_the_bound_a_second_person_closes_and_the_first_cannot",),
    ),
    Mutant(
        "rebate-new-terms-hold-at-once",
        "Terms that were to hold from the next month on hold in this one.",
        RUNS.replace("runs", "schemes"),
        'following = current if body.counts_from == "current_period" else periods.after(current)',
        "following = current",
        (f"{STAFF}test_a_draft_counts_for_nobody_and_a_living_one_changes_with_the_next_period",),
    ),
    Mutant(
        "rebate-drafts-count",
        "A scheme counts before anybody put it in force.",
        SCHEMES,
        "WHERE s.period = $3 AND s.state <> 'draft' AND s.first_on <= $2",
        "WHERE s.period = $3 AND s.first_on <= $2",
        (f"{STAFF}test_a_draft_counts_for_nobody_and_a_living_one_changes_with_the_next_period",),
    ),
    Mutant(
        "rebate-expiry-forgets-who-bore-it",
        "What expires goes back to nobody in particular.",
        PLANS,
        'return part.partition("/")[2]',
        'return ""',
        (f"{USING}test_paid_rebate_pays_and_returns_to_its_lots_and_expires_to_who_bore_it",),
    ),
    Mutant(
        "rebate-run-holds-nobody",
        "What is being noted while statements are made is in no statement, and never corrected.",
        BUILDING,
        "    await members.lock_held(tx, member_ids)  # before",
        "    # before",
        (f"{MONTHS}test_a_purchase_that_is_being_noted_while_statements_are_made_is_in_them",),
    ),
    Mutant(
        "rebate-noting-loses-sight-of-a-merge",
        "A purchase that waited for a merge is noted for the target while its statement is made.",
        SERVICE,
        "    for _ in range(MOST_MERGES):\n        moved = await _holders(tx, wanted)",
        "    for _ in range(MOST_MERGES):\n        moved = {}",
        (f"{MEANWHILE}test_a_purchase_whose_member_is_merged_while_it_waits_is_not_lost_to_a_run",),
    ),
    Mutant(
        "rebate-merged-members-are-given-twice",
        "Who is merged while statements are made is paid for their purchases in both statements.",
        BUILDING,
        "told = await statements.list_told(tx, meant, run.id)",
        "told = set[int]()",
        (f"{MEANWHILE}test_who_is_merged_between_two_steps_of_a_run_is_given_for_once",),
    ),
    Mutant(
        "rebate-pays-who-left",
        "Rebate is paid to a member who was erased, and is nobody's.",
        "backend/rebates/commands/paying.py",
        "if one.status is Status.ERASED}",
        "if False}",
        (f"{MEANWHILE}test_who_leaves_gives_up_what_is_there_and_what_would_have_come",),
    ),
    Mutant(
        "rebate-least-holds-in-one-kind-only",
        "A quarter's run pays what waits for the least of a month's scheme.",
        SETTLING,
        "least = {**others, **{",
        "least = {**{}, **{",
        (f"{MEANWHILE}test_a_quarters_statement_does_not_pay_what_waits_for_a_months_least",),
    ),
    Mutant(
        "rebate-returns-of-people-miss-the-owner",
        "What a group's people bring back is never taken off its owner's rebate.",
        SERVICE,
        "CROSS JOIN LATERAL (VALUES (p.member_id), (p.owner_id))",
        "CROSS JOIN LATERAL (VALUES (p.member_id))",
        (f"{MEANWHILE}test_what_a_groups_people_buy_counts_for_its_owner_where_a_scheme_says_so",),
    ),
    Mutant(
        "rebate-people-and-owner-both-have-it",
        "What a group's people buy gives rebate to its owner, and to them once more.",
        ACCRUAL,
        "if purchase.whose is (Whose.SHARED if terms.for_owner else Whose.PEOPLE):",
        "if purchase.whose is Whose.PEOPLE and not terms.for_owner:",
        (f"{PURE}test_a_scheme_is_about_some_stores_and_some_buyers",),
    ),
    Mutant(
        "report-drops-rows",
        "A report leaves rows out beyond a bound, and its sums are believed.",
        "backend/rebates/reports.py",
        "if max(len(figures), len(flows), len(uses)) > MOST_ROWS:",
        "if False:",
        (f"{USING}test_a_store_sees_what_it_bears_and_a_member_their_own_statement",),
    ),
    Mutant(
        "file-drops-lines",
        "A statement's file names some purchases, and its sum is of more.",
        "backend/rebates/printing.py",
        "if part.purchases > len(part.lines):\n            rest =",
        "if False:\n            rest =",
        (f"{USING}test_a_store_sees_what_it_bears_and_a_member_their_own_statement",),
    ),
    Mutant(
        "scheme-that-counts-for-nothing",
        "One scheme too many is in force, and gives nobody anything.",
        "backend/rebates/commands/schemes.py",
        ">= queries.MOST_APPLIED:",
        "> 10**9:",
        (f"{STAFF}test_a_scheme_begins_no_earlier_than_the_period_and_ends_with_a_day",),
    ),
    Mutant(
        "phone-waits-for-a-whole-group",
        "An owner's phone reads every purchase of a thousand people, at each look.",
        "backend/rebates/queries/facts.py",
        "if page and read == most_pages:",
        "if False:",
        ("tests/rebates/test_facts.py::test_all_purchases_count_once_whatever_a_page_holds",),
    ),
    Mutant(
        "pages-without-bound",
        "Two hundred members' purchases are in memory at once, however many those are.",
        "backend/rebates/queries/facts.py",
        "each = max(1, min(MOST_OF_ONE, PAGE // len(places)))",
        "each = MOST_OF_ONE",
        ("tests/rebates/test_facts.py::test_all_purchases_count_once_whatever_a_page_holds",),
    ),
)
