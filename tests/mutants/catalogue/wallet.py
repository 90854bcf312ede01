"""Defects of recharges, WeChat's notifications of them, and lots that age."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PAYMENTS = "backend/wallet/commands/payments.py"
PENDING = "backend/wallet/commands/pending.py"
WECHAT = "backend/wechat/service.py"
RECHARGES = "backend/wallet/commands/recharges.py"
PLANS = "backend/wallet/plans.py"
NOTIFIED = "tests/wallet/test_notifications.py::"
LATE = "tests/wallet/test_pending.py::"
LOTS = "tests/wallet/test_lots.py::"
RECHARGE = "tests/wallet/test_recharge.py::"

MUTANTS = (
    Mutant(
        "paid-amount-not-checked",
        "A member pays one fen for an order of a thousand yuan and is credited a thousand yuan.",
        PAYMENTS,
        "if (payment.amount_fen, payment.currency) != (plans.body_of(document).pay_fen, CURRENCY):",
        "if payment.currency != CURRENCY:",
        (f"{NOTIFIED}test_refuses_a_payment_that_is_not_the_orders",),
    ),
    Mutant(
        "one-payment-for-two-orders",
        "One payment is credited to two recharges.",
        PLANS,
        '            Guard(f"psp:{transaction_id}", "once", 1, "payment_used"),\n',
        "",
        (f"{NOTIFIED}test_one_transaction_pays_one_recharge",),
    ),
    Mutant(
        "late-payment-credited",
        "A payment of an order that was closed here is credited and given back.",
        PAYMENTS,
        "            work = _note_late",
        "            work = _credit",
        (f"{LATE}test_a_payment_after_closing_is_refunded_and_never_credited",),
    ),
    Mutant(
        "closed-here-only",
        "An order that the app shows as closed can still be paid at WeChat.",
        PENDING,
        "    if await wechat.close_unpaid(document.id):",
        "    if True:",
        (f"{LATE}test_a_stale_order_is_closed_at_wechat_and_here",),
    ),
    Mutant(
        "paid-order-closed",
        "A member pays in the last second: the order is closed, the money is not credited.",
        WECHAT,
        "    except OrderPaid:\n        return False",
        "    except OrderPaid:\n        pass",
        (f"{LATE}test_an_order_that_turns_out_to_be_paid_at_closing_is_credited",),
    ),
    Mutant(
        "refund-of-another-amount",
        "A refund of one fen settles a late payment of a thousand yuan.",
        PENDING,
        "if refund.amount_fen != plans.body_of(document).pay_fen:",
        "if False:",
        (f"{LATE}test_refuses_a_refund_of_another_amount",),
    ),
    Mutant(
        "first-gift-twice",
        "Two recharges begun at once both get the gift for the first one.",
        PLANS,
        "cap=1 if first else NO_CAP",
        "cap=NO_CAP",
        (f"{RECHARGE}test_of_two_first_recharges_one_gets_the_gift_and_both_their_money",),
    ),
    Mutant(
        "recharge-key-without-hash",
        "A phone that reuses a key with another amount is shown the first order to pay.",
        "backend/ledger/queries/keys.py",
        "if known.hash != request_hash:",
        "if False:",
        (f"{RECHARGE}test_a_retry_gets_the_first_answer_also_after_the_payment",),
    ),
    Mutant(
        "another-members-recharge",
        "A member reads the recharges of others by their number.",
        RECHARGES,
        "    document = await _get(member_id, recharge_id)\n    if document.state",
        '    document = await _get(ids.member_of(recharge_id, "R") or member_id, recharge_id)\n    if document.state',
        (f"{RECHARGE}test_another_members_recharge_is_not_there",),
    ),
    Mutant(
        "last-day-taken",
        "What may be used until today is taken this morning.",
        "backend/wallet/commands/lots.py",
        "lot.expires_on < on]",
        "lot.expires_on <= on]",
        (f"{LOTS}test_what_expired_yesterday_goes_and_what_ends_today_stays",),
    ),
    Mutant(
        "spent-lots-never-expire",
        "The expiry job takes what a lot once was instead of what is left, and fails on every lot ever spent from.",
        PLANS,
        "house, unit = _EXPIRES_TO[kind]\n    amount = sum(lot.remaining for lot in lots)\n"
        "    named = tuple((lot.lot_id, -lot.remaining) for lot in lots)",
        "house, unit = _EXPIRES_TO[kind]\n    amount = sum(lot.issued for lot in lots)\n"
        "    named = tuple((lot.lot_id, -lot.issued) for lot in lots)",
        (f"{LOTS}test_of_a_lot_that_was_spent_from_the_rest_expires",),
    ),
    Mutant(
        "expired-once-a-day",
        "What a refund gives back to an expired lot stays for ever: that day's expiry was done.",
        PLANS,
        'key=f"{member_id}:{kind}:{ref}:{on}:{job_hash(*named)[:16]}",',
        'key=f"{member_id}:{kind}:{ref}:{on}",',
        (f"{LOTS}test_points_given_back_to_an_expired_lot_expire_too",),
    ),
    Mutant(
        "matured-points-never-expire",
        "Points that had to wait never expire.",
        PLANS,
        "expires_on=lot.expires_on, source=lot.source",
        "source=lot.source",
        (f"{LOTS}test_pending_points_become_available_on_their_day_with_their_source_and_end",),
    ),
    Mutant(
        "matured-too-early",
        "Points are spendable before their waiting time, which is there so that the goods can come back.",
        "backend/wallet/commands/lots.py",
        "if lot.matures_on is not None and lot.matures_on <= on]",
        "if lot.matures_on is not None]",
        (f"{LOTS}test_pending_points_become_available_on_their_day_with_their_source_and_end",),
    ),
)
