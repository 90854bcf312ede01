"""Defects of recharges that are given back, of what may be stored, and of the turn in which it is spent."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

POST = "backend/ledger/sql/10_post.sql"
RULES = "backend/wallet/rules.py"
PLANS = "backend/wallet/plans.py"
REFUND_PLANS = "backend/wallet/refund_plans.py"
REFUNDS = "backend/wallet/commands/refunds.py"
BOOKS = "backend/wallet/commands/refund_books.py"
REFUNDING = "backend/wallet/commands/refunding.py"
REFUND_ROWS = "backend/wallet/refund_queries.py"
PAYMENTS = "backend/wallet/commands/payments.py"
DOOR = "tests/ledger/test_door.py::"
LIMITS = "tests/wallet/test_limits.py::"
ASKED = "tests/wallet/test_refunds.py::"
AT_WECHAT = "tests/wallet/test_refunding.py::"
GIVEN_UP = "tests/wallet/test_given_up_bonus.py::"

MUTANTS = (
    Mutant(
        "rank-forgotten",
        "What a chain promised of the turn in which principal and bonus are spent does not hold.",
        POST,
        "coalesce((v_item->>'rank')::smallint, 0)",
        "0",
        (f"{DOOR}test_a_lot_s_rank_goes_before_its_last_day",),
    ),
    Mutant(
        "bonus-in-the-wrong-turn",
        "An offer that says principal first spends the bonus first.",
        RULES,
        "SpendOrder.PRINCIPAL_FIRST: 1, SpendOrder.BONUS_FIRST: -1",
        "SpendOrder.PRINCIPAL_FIRST: -1, SpendOrder.BONUS_FIRST: 1",
        (f"{LIMITS}test_what_an_offer_brings_is_spent_in_its_turn",),
    ),
    Mutant(
        "cap-not-judged-in-the-door",
        "Two recharges that are paid at once bring a member above what the law lets a card hold.",
        PLANS,
        "        caps=stored_limit(limits),\n",
        "",
        (f"{LIMITS}test_of_ten_recharges_paid_at_once_those_above_the_limit_go_back",),
    ),
    Mutant(
        "held-value-not-counted",
        "Value that is held for a refund makes room for more; a refund that fails brings the member above the limit.",
        PLANS,
        "Cap((ledger.STORED, ledger.STORED_HELD),",
        "Cap((ledger.STORED,),",
        (f"{LIMITS}test_what_is_held_for_a_refund_counts_in_the_door",),
    ),
    Mutant(
        "over-the-limit-and-lost",
        "A payment that finds no room is refused to WeChat again and again, and the payer never sees it again.",
        PAYMENTS,
        "if refused.refusal not in (plans.STORED_LIMIT, plans.DAY_LIMIT):",
        "if refused.refusal not in (plans.DAY_LIMIT,):",
        (f"{LIMITS}test_of_ten_recharges_paid_at_once_those_above_the_limit_go_back",),
    ),
    Mutant(
        "refund-of-what-was-spent",
        "Who has spent half of a recharge gets all of it back.",
        RULES,
        "    if amount_fen is not None and amount_fen > most:\n        raise RefundExceedsPrincipal(most)\n",
        "",
        (f"{ASKED}test_no_more_than_is_left_of_the_principal_goes_back",),
    ),
    Mutant(
        "gift-kept",
        "Recharge, get the bonus, take the money back, keep the bonus.",
        BOOKS,
        "        bonus_fen=terms.bonus_fen,\n",
        "        bonus_fen=0,\n",
        (f"{ASKED}test_a_whole_recharge_goes_back_and_its_gift_with_it",),
    ),
    Mutant(
        "points-kept",
        "The same with the points.",
        BOOKS,
        "return progress.points - lost",
        "return 0",
        (f"{ASKED}test_a_whole_recharge_goes_back_and_its_gift_with_it",),
    ),
    Mutant(
        "spent-bonus-not-withheld",
        "A chain that keeps principal for spent bonus keeps nothing.",
        RULES,
        "max(0, bonus_spent_fen - withheld_fen)) if withholds else 0",
        "0) if withholds else 0",
        (f"{ASKED}test_spent_bonus_is_paid_with_principal_where_the_chain_says_so",),
    ),
    Mutant(
        "own-wish-approved",
        "One person alone takes ten thousand yuan out of the chain.",
        REFUNDS,
        "    if before_fen + refund.amount_fen <= settings().recharge_refund_approval_fen:\n",
        "    if True:\n",
        (f"{ASKED}test_above_the_limit_a_second_person_approves",),
    ),
    Mutant(
        "limit-passed-in-parts",
        "One person alone gives ten thousand yuan of a recharge back, a little at a time.",
        REFUNDS,
        "    if before_fen + refund.amount_fen <= settings()",
        "    if refund.amount_fen <= settings()",
        (f"{ASKED}test_above_the_limit_a_second_person_approves",),
    ),
    Mutant(
        "refused-and-thawed-at-once",
        "A request that is still on its way pays the money out after the member has it again.",
        REFUNDING,
        "            await refund_books.stop(tx, locked, failure, clock.now())",
        "            await refund_books.thaw(tx, locked, failure, clock.now())",
        (f"{AT_WECHAT}test_a_refund_that_wechat_refuses_is_thawed_when_nothing_can_have_arrived",),
    ),
    Mutant(
        "refund-report-not-checked",
        "A report of one fen ends the refund of a thousand yuan.",
        REFUNDING,
        "if (answer.out_trade_no, answer.amount_fen) != (refund.recharge_id, refund.amount_fen):",
        "if answer.out_trade_no != refund.recharge_id:",
        (f"{AT_WECHAT}test_a_report_of_another_amount_or_order_moves_nothing",),
    ),
    Mutant(
        "returned-bonus-kept",
        "Buy with bonus, take the recharge back, bring the goods back: the bonus is there for nothing.",
        REFUND_ROWS,
        "r.state = 'done'\n   AND NOT EXISTS",
        "r.state = 'frozen'\n   AND NOT EXISTS",
        (f"{ASKED}test_a_sales_refund_after_its_recharge_went_back_returns_to_the_lot_without_the_bonus",),
    ),
    Mutant(
        "bonus-gone-with-a-refund-that-fails",
        "Goods are brought back while a refund is under way, WeChat refuses it, and the bonus is lost.",
        REFUND_ROWS,
        "r.state = 'done'\n   AND NOT EXISTS",
        "r.state IN ('frozen', 'sent', 'stopping', 'done')\n   AND NOT EXISTS",
        (f"{GIVEN_UP}test_it_stays_where_the_refund_fails_and_goes_where_it_is_done",),
    ),
    Mutant(
        "part-is-the-whole",
        "Who takes a part of a recharge back can never have the rest.",
        REFUND_PLANS,
        "    whole = progress.refunded_fen + progress.withheld_fen == body_of(recharge).pay_fen\n",
        "    whole = True\n",
        (f"{ASKED}test_a_part_goes_back_the_bonus_is_given_up_whole_and_the_rest_stays",),
    ),
)
