"""Defects of gift cards: spending, refunds, guessing, whose they are."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ACTIVATIONS = "backend/giftcards/commands/activations.py"
BINDINGS = "backend/giftcards/commands/bindings.py"
QUERIES = "backend/giftcards/queries.py"
RULES = "backend/giftcards/rules.py"
SERVICE = "backend/giftcards/service.py"
TRIES = "backend/giftcards/commands/tries.py"
GUESSED = "tests/giftcards/test_guessing.py::"
RACES = "tests/concurrency/test_one_gift_card.py::"
SOLD = "tests/giftcards/test_activations.py::"
SALES = "tests/flows/test_gift_card_sales.py::"

MUTANTS = (
    Mutant(
        "gift-card-not-taken",
        "The sale is paid, and the card keeps what it paid with.",
        SERVICE,
        "        await _take(tx, plans.payment(payment, sale_id, store_id=store_id, at=plan.at, on=plan.on))\n",
        "",
        (f"{SALES}test_a_card_is_worth_something_from_its_activation_and_pays_part_of_a_sale",),
    ),
    Mutant(
        "gift-card-of-another-by-id",
        "Whoever learns the id of a card pays with it, without number and PIN.",
        QUERIES,
        "if card is None or not (shown or card.member_id == member_id):",
        "if card is None:",
        (f"{SALES}test_a_card_that_cannot_pay_refuses_the_sale_and_nothing_moves",),
    ),
    Mutant(
        "gift-card-refund-to-a-full-lot",
        "The second refund of a sale goes to the lot that was filled by the first, and is refused for ever.",
        RULES,
        "        skipped = min(before, took)",
        "        skipped = 0",
        ("tests/giftcards/test_rules.py::test_what_comes_back_in_parts_comes_back_to_each_lot_once",),
    ),
    Mutant(
        "gift-card-refund-stays-on-the-lost-card",
        "What comes back to a replaced card lies on plastic that nobody can use.",
        SERVICE,
        "    if last.id != card.id:",
        "    if last.id == card.id:",
        ("tests/giftcards/test_care.py::test_a_lost_card_is_replaced_with_all_that_is_on_it",),
    ),
    Mutant(
        "gift-card-frozen-pays",
        "A card that was reported lost pays on.",
        RULES,
        "        raise GiftCardFrozen",
        "        pass",
        ("tests/giftcards/test_rules.py::test_a_card_pays_nothing_when",),
    ),
    Mutant(
        "gift-card-tries-counted-after",
        "Ten thousand PINs tried at the same moment are all judged.",
        TRIES,
        " WHERE t.locked_until IS NULL OR t.locked_until <= $2\n",
        " WHERE true\n",
        (f"{GUESSED}test_ten_thousand_tries_at_a_card_find_nothing_and_its_member_pays_meanwhile",),
    ),
    Mutant(
        "gift-card-numbers-told-by-their-lock",
        "Only numbers that exist are ever locked: who tries six times knows which do.",
        TRIES,
        "    failures = await _count(digest)\n",
        "    failures = await _count(digest) if await queries.find_by_number(number) else 0\n",
        (f"{GUESSED}test_a_wrong_pin_and_a_number_that_is_none_look_the_same",),
    ),
    Mutant(
        "gift-card-undone-when-spent",
        "A card is sold, spent in part, and what was paid for it is given back.",
        ACTIVATIONS,
        '    if card.balance_fen != document.body["amount_fen"]:\n        raise GiftCardSpent\n',
        "",
        (f"{SOLD}test_an_activation_is_not_undone_once_something_was_done_with_the_card",),
    ),
    Mutant(
        "gift-card-limit-raced",
        "Cards that are bound at once each find the last free place.",
        BINDINGS,
        "        await members.lock(tx, member_id)\n",
        "",
        (f"{RACES}test_a_member_binds_no_more_cards_at_once_than_one_may",),
    ),
    Mutant(
        "gift-card-s-approval-by-the-writer",
        "A waiting sale is approved without its gift card: the clearing account pays for it.",
        "backend/pos/commands/confirmations.py",
        'sales.post_paid(plan, document.id, sale_plans.sale_body(document), document.store_id or "")',
        "ledger.post(plan)",
        (f"{SALES}test_a_sale_above_the_password_free_limit_waits_and_takes_from_the_card_when_it_is_approved",),
    ),
    Mutant(
        "bound-card-by-pin",
        "Whoever has read the PIN of a member's card pays with it at another member's sale.",
        RULES,
        "    if card.member_id is not None and card.member_id != member_id:",
        "    if card.holder is Holder.NAMED and card.member_id != member_id:",
        (f"{SALES}test_a_bound_card_pays_in_a_sale_of_its_member_only",),
    ),
    Mutant(
        "bound-meanwhile-pays",
        "A sale that waited pays with the card that another member has made their own meanwhile.",
        SERVICE,
        "        rules.check_payer(cards[payment.card_id], plan.member_id)\n",
        "",
        (f"{SALES}test_a_bound_card_pays_in_a_sale_of_its_member_only",),
    ),
    Mutant(
        "gift-card-sold-again",
        "A card whose first buyer knows its PIN is sold to the next.",
        RULES,
        "if card.state is CardState.CLOSED or card.activations:",
        "if card.state is CardState.CLOSED and not card.activations:",
        (f"{SOLD}test_an_activation_is_undone_and_its_card_is_worth_nothing_for_ever",),
    ),
)
