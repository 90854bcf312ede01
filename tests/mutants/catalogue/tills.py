"""Defects of tills in depth: who lets them do what, what a shift counts, who stands there, what a line costs."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

OVERRIDES = "backend/overrides/service.py"
LIMITS = "backend/overrides/rules.py"
TILLS = "backend/shifts/commands/tills.py"
SHIFT_RULES = "backend/shifts/rules.py"
RECHARGES = "backend/pos/commands/recharges.py"
IDENTITIES = "backend/identities/service.py"
SALES = "backend/pos/commands/sales.py"
PRICING = "backend/sales/rules/pricing.py"
DISCOUNTS = "backend/discounts/rules.py"
BATCHES = "backend/pos/commands/accrual_batches.py"
BILLS = "backend/reconciliation/commands/bills.py"
OF_BILLS = "tests/reconciliation/test_bills.py::"
AT_TILL = "tests/overrides/test_at_the_till.py::"
SHIFTS = "tests/shifts/test_tills.py::"
RECHARGING = "tests/shifts/test_recharges.py::"
WHO = "tests/identities/test_at_the_till.py::"
OFFERS = "tests/discounts/test_best_offer.py::"
RULED = "tests/discounts/test_at_the_till.py::"

MUTANTS = (
    Mutant(
        "authorise-anywhere",
        "A manager's code gives discounts at every store of the chain.",
        OVERRIDES,
        " or not person.reaches(wish.store_id):",
        ":",
        (AT_TILL + "test_a_manager_authorises_nothing_at_another_store",),
    ),
    Mutant(
        "authorise-oneself",
        "A manager gives herself half off.",
        OVERRIDES,
        "    if authoriser_id == wish.member_id:\n        raise OverrideOwn\n",
        "",
        (AT_TILL + "test_a_manager_authorises_nothing_for_herself",),
    ),
    Mutant(
        "authorise-a-day-each-phone",
        "With a second phone the day's limit begins anew.",
        OVERRIDES,
        "    if await _gave_by_another_phone(tx, person.staff_id, authoriser_id, on):",
        "    if False:",
        (AT_TILL + "test_another_phone_does_not_begin_the_day_anew",),
    ),
    Mutant(
        "authorise-without-counting",
        "The day's amount is no limit at all.",
        OVERRIDES,
        '"add", wish.fen, DAY, cap=limit.day_fen',
        '"add", 0, DAY, cap=limit.day_fen',
        (AT_TILL + "test_the_day_is_counted_exactly_however_many_ask_at_once",),
    ),
    Mutant(
        "paying-code-authorises",
        "A dishonest cashier changes a digit of the code that the manager pays with, and it authorises.",
        "backend/auth/codes.py",
        'AUTHORISE = ("71", b"ac1")',
        'AUTHORISE = ("71", b"mc1")',
        (AT_TILL + "test_a_code_to_pay_with_authorises_nothing_and_one_to_authorise_with_pays_nothing",),
    ),
    Mutant(
        "limit-by-amount-only",
        "A whole small sale is given away.",
        LIMITS,
        "return min(limit.sale_fen, total_fen * limit.sale_bp // BP)",
        "return limit.sale_fen",
        (AT_TILL + "test_a_sale_has_its_own_limit",),
    ),
    Mutant(
        "shift-counts-what-was-handled",
        "A Z lacks the sales whose events wait, and the drawer is over.",
        TILLS,
        "    await counting.catch_up(tx, shift.terminal_id)\n    # Taken first",
        "    # Taken first",
        (SHIFTS + "test_every_sale_is_in_one_z_whoever_counts_it",),
    ),
    Mutant(
        "shift-keeps-its-entries-open",
        "The next Z counts the same sales again.",
        TILLS,
        "WHERE terminal_id = $2 AND shift_id IS NULL",
        "WHERE terminal_id = $2 AND shift_id IS NULL AND false",
        (SHIFTS + "test_every_sale_is_in_one_z_whoever_counts_it",),
    ),
    Mutant(
        "over-makes-up-for-short",
        "Ten yuan missing in cash and ten too much by card is no difference.",
        SHIFT_RULES,
        "sum(abs(one.difference_fen or 0) for one in found.tenders)",
        "abs(sum(one.difference_fen or 0 for one in found.tenders))",
        ("tests/shifts/test_staff.py::test_over_of_one_tender_does_not_make_up_for_another",),
    ),
    Mutant(
        "float-is-takings",
        "The float is missing from what must be there.",
        SHIFT_RULES,
        "drawer = {CASH: float_fen + pay_in - pay_out}",
        "drawer = {CASH: pay_in - pay_out}",
        (SHIFTS + "test_a_shift_from_float_to_z",),
    ),
    Mutant(
        "reversed-after-the-shift",
        "Yesterday's recharge goes out of today's drawer.",
        RECHARGES,
        '        if not await service.in_its_shift(tx, str(document.body["terminal_id"]), document.at):\n'
        "            raise RechargeNotReversible\n",
        "",
        (RECHARGING + "test_a_reversal_takes_all_of_it_back_once",),
    ),
    Mutant(
        "reversed-without-its-gift",
        "Who recharges and has it taken back keeps the points that came with it.",
        "backend/wallet/till_plans.py",
        "    if taken := sum(claw.lots.values()):",
        "    if taken := 0:",
        (RECHARGING + "test_the_first_recharge_may_be_made_again_after_its_reversal",),
    ),
    Mutant(
        "identified-may-spend",
        "Who says a phone number pays with its member's money.",
        SALES,
        "        waits = waits or (customer.earn_only and spends(priced))\n",
        "",
        (WHO + "test_who_only_earns_spends_nothing_without_the_phone",),
    ),
    Mutant(
        "pin-of-nobody",
        "A till learns from a wrong PIN whether the number is a member's.",
        IDENTITIES,
        "        raise PinInvalid(rules.PIN_TRIES - tried) from None",
        "        raise IdentityDecided from None",
        (WHO + "test_the_pin_at_the_till_lets_spend_within_the_limits",),
    ),
    Mutant(
        "offer-instead-of-a-better-level",
        "A rule makes it dearer than the level alone.",
        PRICING,
        "        if off > most:\n            most, winner = off, offer.rule",
        "        if True:\n            most, winner = off, offer.rule",
        (OFFERS + "test_the_best_for_the_member",),
    ),
    Mutant(
        "level-off-the-whole",
        "Stacked discounts are added up.",
        PRICING,
        "            off += (base_fen - off) * discount_bp // BP",
        "            off += base_fen * discount_bp // BP",
        (OFFERS + "test_the_best_for_the_member",),
    ),
    Mutant(
        "priority-says-nothing",
        "The brand that was to be left out gets the store's discount.",
        DISCOUNTS,
        "        if rule.terms.priority == highest\n",
        "",
        (RULED + "test_priority_says_who_competes_and_the_best_of_those_wins",),
    ),
    Mutant(
        "locked-pin-tells",
        "A till learns by the second request whether the number is a member's.",
        IDENTITIES,
        "    except (PinInvalid, PinLocked, PinResetRequired):",
        "    except (PinInvalid, PinResetRequired):",
        (WHO + "test_nobody_s_number_looks_like_anybody_s",),
    ),
    Mutant(
        "bill-line-twice",
        "A payment that stands twice in a bill ends the job, and no later day is taken.",
        "backend/wechat/bills.py",
        "    _check_once(lines)\n",
        "",
        ("tests/wechat/test_bills.py::test_what_no_table_could_hold_or_would_count_twice_is_refused",),
    ),
    Mutant(
        "bill-line-kept",
        "What WeChat's bill has no more is believed for ever, and its day never adds up again.",
        BILLS,
        "    await _forget_others(day, bill)\n",
        "",
        (f"{OF_BILLS}test_what_a_bill_has_no_more_is_forgotten_and_the_books_of_it_are_clean",),
    ),
    Mutant(
        "bill-cut-short-for-ever",
        "A crash while a bill is taken again leaves half of either bill, and nobody takes it up.",
        BILLS,
        '_BEGIN = "UPDATE reconciliation_bill SET due_at = $2 WHERE day = $1"',
        '_BEGIN = "UPDATE reconciliation_bill SET due_at = $2 WHERE day = $1 AND due_at IS NOT NULL"',
        (f"{OF_BILLS}test_a_bill_that_was_cut_short_is_shown_and_made_whole_by_the_job",),
    ),
    Mutant(
        "bill-denied-is-believed",
        "WeChat has no bill of a day any more, and every payment of it is gone from the comparison.",
        BILLS,
        "            raise BillVanished from None\n",
        "            pass\n",
        (f"{OF_BILLS}test_a_bill_that_is_denied_afterwards_stays_as_it_was",),
    ),
    Mutant(
        "bill-stops-the-later-ones",
        "One bill at which the job fails keeps all later days from being taken.",
        BILLS,
        "        except Exception as error:\n",
        "        except ZeroDivisionError as error:\n",
        ("tests/reconciliation/test_jobs.py::test_a_bill_at_which_the_job_fails_stops_no_later_one",),
    ),
    Mutant(
        "entries-in-any-order",
        "A close and the job wait for each other's entries, and one of them fails.",
        "backend/shifts/commands/counting.py",
        " ORDER BY e.source_id\n",
        "",
        (SHIFTS + "test_entries_are_made_in_one_order_so_that_a_close_and_the_job_never_wait_crosswise",),
    ),
    Mutant(
        "z-without-later-kinds",
        "While a release rolls out, the money of its new kind is in the drawer and not in the Z.",
        SHIFT_RULES,
        "        for tender, fen in one.by_tender.items():\n",
        "        for tender, fen in one.by_tender.items() if one.kind is not EntryKind.OTHER else ():\n",
        (SHIFTS + "test_what_only_a_later_release_knows_is_shown_as_other_and_counted",),
    ),
    Mutant(
        "batch-stops-at-a-bad-row",
        "One bad row keeps the rest of the day's sales from earning.",
        BATCHES,
        "    except DomainError as refusal:\n",
        "    except Claimed as refusal:\n",
        ("tests/flows/test_accrual_batches.py::test_each_row_says_what_became_of_it",),
    ),
)
