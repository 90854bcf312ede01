"""Defects of the member code, the sale, its confirmation and its refund."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CODES = "backend/pos/rules/codes.py"
PRICING = "backend/pos/rules/pricing.py"
REFUNDS = "backend/pos/rules/refunds.py"
IDENTIFY = "backend/pos/commands/identify.py"
SALES = "backend/pos/commands/sales.py"
PLANS = "backend/pos/plans.py"
CODE_TESTS = "tests/pos/test_codes.py::"
REFUND_TESTS = "tests/pos/test_refunds.py::"
PRICE_TESTS = "tests/pos/test_pricing.py::"
CONFIRMED = "tests/flows/test_confirmations.py::"
SOLD = "tests/flows/test_sales.py::"
RACED = "tests/concurrency/test_one_code.py::"

MUTANTS = (
    Mutant(
        "next-step-accepted",
        "A code is good before its time: who moves a phone's clock makes codes in advance.",
        CODES,
        "return range(step - 1, step + 1)",
        "return range(step - 1, step + 2)",
        (f"{CODE_TESTS}test_a_code_of_a_future_step_is_not_good",),
    ),
    Mutant(
        "old-step-accepted",
        "A photographed code lives 45 seconds instead of 30.",
        CODES,
        "return range(step - 1, step + 1)",
        "return range(step - 2, step + 1)",
        (f"{CODE_TESTS}test_a_code_is_good_in_its_step_and_the_next_and_then_expired",),
    ),
    Mutant(
        "unknown-handle-answered-sooner",
        "How long a wrong code takes tells which handles exist.",
        CODES,
        "    key = secret if secret is not None else _DUMMY_SECRET\n",
        "    if secret is None:\n        return Verdict.INVALID, 0\n    key = secret\n",
        (f"{CODE_TESTS}test_a_wrong_code_costs_the_same_work_whatever_is_wrong_with_it",),
    ),
    Mutant(
        "digits-compared-one-by-one",
        "How long a wrong code takes tells how many of its digits are right.",
        CODES,
        "        if hmac.compare_digest(otp(key, handle, step), given):\n            found = step",
        "        if otp(key, handle, step) == given:\n            found = step",
        (f"{CODE_TESTS}test_a_wrong_code_costs_the_same_work_whatever_is_wrong_with_it",),
    ),
    Mutant(
        "code-mark-not-raised",
        "One code buys at every till that reads it.",
        IDENTIFY,
        "(step_guard(device.device_id, step),)",
        "()",
        (f"{RACED}test_a_code_read_at_many_tills_buys_once",),
    ),
    Mutant(
        "planned-again-with-the-old-balance",
        "A member who shops at two tills at once is turned away at one, although there is enough for both.",
        SALES,
        "        if attempt:\n            holder = await members.get_cardholder(customer.member_id, on)\n",
        "",
        (
            "tests/concurrency/test_one_wallet.py::test_a_sale_that_meets_another_is_planned_again_with_what_that_one_left",
        ),
    ),
    Mutant(
        "scan-token-buys-twice",
        "A till that scanned a member sells twice with one code.",
        IDENTIFY,
        "(one_sale_guard(token),)",
        "()",
        (f"{RACED}test_a_scan_token_buys_once",),
    ),
    Mutant(
        "scan-token-at-another-till",
        "A token that leaked from one till sells at another of the store.",
        IDENTIFY,
        "token.terminal_id != terminal_id or ",
        "",
        ("tests/flows/test_scan.py::test_a_token_is_good_only_at_its_till_and_for_five_minutes",),
    ),
    Mutant(
        "wrong-codes-not-counted",
        "A terminal guesses member codes without end.",
        "backend/pos/commands/replay.py",
        "await count_miss(refusal)",
        "pass",
        ("tests/flows/test_guessing.py::test_a_terminal_that_guesses_is_stopped",),
    ),
    Mutant(
        "offline-code-earns-twice",
        "One code taken offline earns with every order number.",
        "backend/pos/commands/accruals.py",
        '(Guard(name, "once", step, plans.CODE_USED, expires_at=expires_at),)',
        "()",
        (f"{RACED}test_an_offline_code_earns_once",),
    ),
    Mutant(
        "discount-rounded-up",
        "Every line is a fen cheaper than the price list says.",
        PRICING,
        "member_discount = base * discount_bp // BP",
        "member_discount = -(-base * discount_bp // BP)",
        (f"{PRICE_TESTS}test_price_of_a_basket_by_hand",),
    ),
    Mutant(
        "points-issued-twice",
        "Every sale earns double.",
        PLANS,
        "legs.extend(ledger.earn_points(earned, debt, issue, account=account))",
        "legs.extend(ledger.earn_points(earned, debt, issue, account=account) * 2)",
        (f"{SOLD}test_a_sale_splits_over_four_tenders",),
    ),
    Mutant(
        "pending-points-at-once",
        "Points that must wait are spendable at once: buy, spend, bring the goods back.",
        PLANS,
        "account = ledger.POINTS_PENDING if matures_on else ledger.POINTS",
        "account = ledger.POINTS",
        ("tests/ledger/test_wallet_machine.py",),
    ),
    Mutant(
        "bonus-earns-points",
        "The chain's own gift earns the member points.",
        "backend/pos/commands/pricing.py",
        "not_earning = bonus_fen + sum(",
        "not_earning = sum(",
        (f"{SOLD}test_bonus_earns_no_points",),
    ),
    Mutant(
        "owed-points-spent",
        "A member who owes points pays with them.",
        "backend/pos/commands/pricing.py",
        'self.snapshot.spendable("points") - self.debt',
        'self.snapshot.spendable("points")',
        ("tests/flows/test_refund_flows.py::test_points_given_back_while_points_are_owed_cannot_be_spent",),
    ),
    Mutant(
        "waiting-sale-fills-the-day",
        "A sale that the member confirms, or never does, uses up the password-free day.",
        SALES,
        "if not waits and priced.value_fen:",
        "if priced.value_fen:",
        (f"{CONFIRMED}test_a_confirmed_sale_does_not_use_up_the_password_free_day",),
    ),
    Mutant(
        "limit-of-a-sale-ignored",
        "A stranger with the phone in hand spends everything at once without the PIN.",
        SALES,
        "waits = must_wait or priced.value_fen > settings().password_free_sale_fen",
        "waits = must_wait",
        (f"{CONFIRMED}test_the_limit_itself_passes_and_one_fen_more_waits",),
    ),
    Mutant(
        "two-stores-ignored",
        "A copied code sells in a second town minutes later without the member's word.",
        SALES,
        "CodeUse(store.id, rules.two_store_window_s, TWO_STORES)",
        "CodeUse(store.id)",
        (f"{CONFIRMED}test_two_stores_within_minutes_wait",),
    ),
    Mutant(
        "typed-code-sells",
        "A code read out over the telephone pays without the member's word.",
        SALES,
        'must_wait = body.code_entry == "typed" or customer.suspect',
        "must_wait = customer.suspect",
        (f"{CONFIRMED}test_a_typed_code_waits",),
    ),
    Mutant(
        "suspect-handle-sells",
        "Whoever guesses a code after many tries pays with it.",
        SALES,
        'must_wait = body.code_entry == "typed" or customer.suspect',
        'must_wait = body.code_entry == "typed"',
        (f"{CONFIRMED}test_a_scan_between_does_not_hide_that_somebody_guesses_at_the_handle",),
    ),
    Mutant(
        "approved-after-its-time",
        "A sale that the till gave up on is approved an hour later and paid.",
        "backend/pos/commands/confirmations.py",
        "return await sales.fresh(document)",
        "return document",
        (f"{CONFIRMED}test_a_sale_that_waited_too_long_cannot_be_approved_whoever_looks_first",),
    ),
    Mutant(
        "sold-without-its-key",
        "A till whose answer was lost in a crash asks again and is refused: nobody knows whether the member paid.",
        SALES,
        "key=idem.key,\n        hash=idem.request_hash.hex(),\n        active=True,\n        use=",
        "key=sale_id,\n        hash=idem.request_hash.hex(),\n        active=True,\n        use=",
        (
            "tests/flows/test_kill.py::test_a_server_process_killed_at_any_moment_loses_no_sale_and_doubles_none",
            f"{SOLD}test_a_retry_gets_the_first_answer_even_after_the_code_has_died",
        ),
    ),
    Mutant(
        "another-stores-sale",
        "A till of one store reads and refunds the sales of another.",
        SALES,
        " or document.store_id != store_id:",
        ":",
        (f"{SOLD}test_a_sale_of_another_store_is_not_found",),
    ),
    Mutant(
        "replayed-as-it-is-now",
        "A till that repeats a sale is told of a refund in between, and prints a receipt that never was.",
        SALES,
        'return views.sale_out(document.id, body, status=posted.state or "", balances=posted.balances, at=document.at)',
        "return views.sale_out(document.id, body, status=document.state, balances=posted.balances, at=document.at)",
        ("tests/flows/test_refund_flows.py::test_a_replayed_sale_shows_what_it_was_then",),
    ),
    Mutant(
        "late-retry-without-hash",
        "A till that reuses a key with another basket and a dead code hears that the basket was sold.",
        "backend/pos/commands/replay.py",
        "if known.hash != idem.request_hash:",
        "if False:",
        ("tests/concurrency/test_one_key.py::test_one_key_with_two_bodies_has_one_winner",),
    ),
    Mutant(
        "one-piece-too-many",
        "Three of two pieces come back, and the chain pays for the third.",
        REFUNDS,
        "if reached > line.qty:",
        "if reached > line.qty + 1:",
        (f"{REFUND_TESTS}test_refuses_a_piece_and_a_fen_more_than_is_left_whoever_paid",),
    ),
    Mutant(
        "one-fen-too-many",
        "A refund by amount gives back a fen more than was paid.",
        REFUNDS,
        "if amount_fen > sum(left):",
        "if amount_fen > sum(left) + 1:",
        (f"{REFUND_TESTS}test_refuses_a_piece_and_a_fen_more_than_is_left_whoever_paid",),
    ),
    Mutant(
        "clawback-by-the-refund-alone",
        "Many small refunds each round the points to take back down to nothing: the points stay.",
        REFUNDS,
        "clawed = earned * (progress.refunded_fen + refund) // body.payable_fen - progress.points_clawed",
        "clawed = earned * refund // body.payable_fen",
        (f"{REFUND_TESTS}test_any_order_of_refunds_gives_back_everything_once",),
    ),
    Mutant(
        "refund-to-the-first-lot",
        "A refund goes back to the principal first: bonus that expires becomes money that does not.",
        REFUNDS,
        "for lot_id, took in reversed(taken):",
        "for lot_id, took in taken:",
        (f"{REFUND_TESTS}test_the_lot_spent_last_is_filled_first",),
    ),
    Mutant(
        "refunds-of-one-sale-not-counted",
        "What earlier refunds gave back is forgotten: the same lot is filled twice.",
        REFUNDS,
        "part = min(amount, took - returned.get(str(lot_id), 0))",
        "part = min(amount, took)",
        (f"{REFUND_TESTS}test_lots_get_back_what_they_gave_the_last_spent_first",),
    ),
)
