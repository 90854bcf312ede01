"""Defects of what comes after an order: parcels, codes, requests and what they give back."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

AFTER_SALES = "backend/orders/rules/after_sales.py"
PICKUPS = "backend/orders/commands/pickups.py"
REFUNDING = "backend/orders/commands/refunding.py"
SHIPPING = "backend/orders/commands/shipping.py"
RECEIPTS = "backend/orders/commands/receipts.py"
PSP = "backend/orders/commands/psp_refunds.py"
RULES = "tests/orders/test_after_rules.py::"
REQUESTS = "tests/orders/test_after_sales.py::"
SENT = "tests/orders/test_fulfilment.py::"
AFTER_WECHAT = "tests/orders/test_after_wechat.py::"
WECHAT = "tests/orders/test_wechats_part.py::"

MUTANTS = (
    Mutant(
        "piece-in-two-requests",
        "A piece that was paid back already is asked for, and paid, again.",
        AFTER_SALES,
        "HOLDING = LIVING | {_S.REFUNDED}",
        "HOLDING = LIVING",
        (f"{REQUESTS}test_money_alone_before_the_goods_leave_undoes_a_part_of_everything",),
    ),
    Mutant(
        "freight-of-a-change-of-mind",
        "Who sends goods back for no fault of the shop gets the freight, too.",
        AFTER_SALES,
        "return all_back and (not dispatched or fault is Fault.SHOP)",
        "return all_back",
        (f"{RULES}test_freight_goes_back_with_the_last_goods_where_it_was_not_earned",),
    ),
    Mutant(
        "claim-that-pays",
        "Whoever says that it was the shop's fault gets the freight, whatever staff say.",
        REFUNDING,
        "fault=found.decided_fault",
        "fault=found.fault",
        (
            "tests/orders/test_delivery.py::test_freight_that_was_earned_goes_back_only_where_staff_say_the_shop_is_at_fault",
        ),
    ),
    Mutant(
        "handed-over-to-anybody",
        "Whoever names an order's number is given it, whatever phone number they say.",
        PICKUPS,
        "if not await members.has_phone_ending(member_id, body.phone_last4):",
        "if not body.phone_last4:",
        ("tests/orders/test_handover.py::test_who_may_not_or_does_not_know_the_number_gets_nothing",),
    ),
    Mutant(
        "refund-that-wechat-will-not-take",
        "The books say that a member was paid back whom WeChat never pays.",
        PSP,
        "guards=(*plan.guards, count))",
        "guards=plan.guards)",
        (f"{AFTER_WECHAT}test_a_refund_that_wechat_would_not_take_any_more_is_refused_before_anything_moves",),
    ),
    Mutant(
        "forged-receipt-believed",
        "Whoever saw one push of WeChat's makes any order count as received.",
        RECEIPTS,
        "if not receipt.sealed and not (",
        "if receipt.sealed and not (",
        (f"{AFTER_WECHAT}test_a_receipt_that_wechat_does_not_confirm_or_that_waits_at_a_store_moves_nothing",),
    ),
    Mutant(
        "handed-over-twice",
        "A copied code fetches an order that was handed over before.",
        PICKUPS,
        "if (waiting.terminal_id, waiting.key) == (terminal.terminal_id, idem.key):",
        "if waiting.handed_at is not None:",
        (f"{SENT}test_an_order_is_fetched_once_with_its_code",),
    ),
    Mutant(
        "guessing-goes-on",
        "A till that guessed too often goes on guessing: only its misses are refused.",
        PICKUPS,
        "_blocked_until[terminal_id] = clock.now().timestamp() + (error.retry_after_s or WINDOW_S)",
        "_blocked_until.pop(terminal_id, None)",
        (f"{SENT}test_a_till_that_guesses_is_blocked_also_for_the_right_code",),
    ),
    Mutant(
        "kept-goods-on-the-shelf",
        "Goods that came back broken are sold again.",
        REFUNDING,
        "if found.dispatched and not (found.kind is AfterSaleKind.RETURN and found.restock):",
        "if found.dispatched and found.kind is not AfterSaleKind.RETURN:",
        (f"{REQUESTS}test_goods_come_back_before_the_money_and_lie_on_the_shelf_if_they_can_be_sold",),
    ),
    Mutant(
        "sent-while-asked",
        "Goods leave while their member asks for the money, and both are gone.",
        SHIPPING,
        "    if any(one.state is AfterSaleState.REQUESTED for one in after_sales):\n        raise AfterSaleOpen\n",
        "",
        (f"{REQUESTS}test_money_alone_before_the_goods_leave_undoes_a_part_of_everything",),
    ),
    Mutant(
        "any-amount-is-the-refund",
        "A notification about another amount settles what is owed.",
        PSP,
        "if (refund.out_trade_no, refund.amount_fen) != (part.out_trade_no, part.psp_fen):",
        "if refund.out_trade_no != part.out_trade_no:",
        (f"{WECHAT}test_a_notification_settles_what_was_owed_and_nothing_else",),
    ),
    Mutant(
        "cart-counted-by-two",
        "Two phones of a member fill the last place of a cart at once, and it holds more than it may.",
        "backend/orders/commands/cart.py",
        "    await db.raw(tx).execute(_LOCK, sorted(set(member_ids)))\n",
        "",
        ("tests/concurrency/test_one_cart.py::test_the_last_place_goes_to_one_of_two_phones_at_two_processes",),
    ),
    Mutant(
        "return-that-nobody-can-end",
        "A return whose goods never came keeps its pieces, and its order open, for ever.",
        AFTER_SALES,
        "    (_S.ON_THE_WAY, _T.REJECT): _S.REJECTED,\n",
        "",
        (f"{REQUESTS}test_a_return_whose_goods_never_came_is_ended_and_its_pieces_may_be_asked_for_again",),
    ),
    Mutant(
        "cancelled-and-kept",
        "The books keep the money of an order that was cancelled, and the audit finds nothing.",
        "backend/orders/audit.py",
        " AND (o.state <> 'cancelled' OR o.payable_fen = 0)",
        "",
        ("tests/orders/test_audit.py::test_the_audit_finds",),
    ),
)
