"""Defects of member cards, and of PINs that staff and tills have a hand in."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CARDS = "backend/membercards"
RULES = f"{CARDS}/rules.py"
ISSUING = f"{CARDS}/service/issuing.py"
FINDING = f"{CARDS}/service/finding.py"
MOVES = f"{CARDS}/commands/moves.py"
COUNTER = f"{CARDS}/commands/counter.py"
PINS = "backend/members/service/pins.py"
HANDLING = "backend/members/commands/pins.py"
PRESENCE = "backend/members/service/presence.py"
OF_RULES = "tests/membercards/test_rules.py::"
AT_COUNTER = "tests/membercards/test_counter.py::"
AT_TILL = "tests/membercards/test_at_till.py::"
STOCK = "tests/membercards/test_stock.py::"
BY_STAFF = "tests/members/test_pins_by_staff.py::"

MUTANTS = (
    Mutant(
        "card-like-a-gift-card",
        "A till takes a member card for a gift card, and asks for its PIN.",
        RULES,
        '    Range("gift cards", range(16, 17), "88", "88"),\n',
        "",
        (f"{OF_RULES}test_numbers_that_a_till_takes_for_something_else_are_refused",),
    ),
    Mutant(
        "lost-card-still-finds",
        "A card that its member reported lost identifies its finder as the member.",
        FINDING,
        '    if row["state"] == "lost":\n        raise CardLost\n',
        '    if row["state"] == "lost":\n        return Carried(row["id"], row["member_id"], row["type_code"])\n',
        (f"{AT_COUNTER}test_a_lost_card_is_dead_until_it_is_found_and_for_good_once_replaced",),
    ),
    Mutant(
        "expired-until-the-job-comes",
        "A card is good until a job comes round, up to an hour after its last day.",
        FINDING,
        'row["state"] == "expired" or _over(row)',
        'row["state"] == "expired"',
        (f"{AT_COUNTER}test_a_card_ends_with_its_last_day",),
    ),
    Mutant(
        "replaced-card-found-again",
        "A card that another took the place of comes back, and its member has two.",
        RULES,
        "    CardState.REPLACED: set(),\n",
        "    CardState.REPLACED: {CardState.ISSUED},\n",
        (f"{OF_RULES}test_what_ended_never_comes_back",),
    ),
    Mutant(
        "second-card",
        "Who has a card is given another without a word, and the one in the purse is dead.",
        ISSUING,
        "    if held is not None and not held.virtual and not replacing:\n",
        "    if held is not None and held.virtual and not replacing:\n",
        (f"{AT_COUNTER}test_a_card_is_one_members_and_a_member_has_one",),
    ),
    Mutant(
        "store-gives-others-cards",
        "A store hands out what another store was given.",
        ISSUING,
        "card.issuer_kind is IssuerKind.STORE and card.issuer_store != by.store_id",
        "card.issuer_kind is IssuerKind.STORE and card.issuer_store is None",
        (f"{AT_COUNTER}test_a_store_hands_out_its_own_cards_and_an_agents",),
    ),
    Mutant(
        "returned-quota-kept",
        "Cards that an agent brought back still count against its quota.",
        ISSUING,
        "SET taken = taken - $2",
        "SET taken = taken - 0 * $2::integer",
        (f"{STOCK}test_cards_go_to_an_agent_and_back_and_the_quota_follows",),
    ),
    Mutant(
        "cancelled-quota-kept",
        "A move that was stopped leaves its agent without the quota that it never used.",
        MOVES,
        "await free_quota(tx, move.issuer_id, move.to_serial - move.next_serial + 1)",
        "await free_quota(tx, move.issuer_id, 0)",
        (f"{STOCK}test_a_large_move_goes_on_after_a_crash_is_cancelled_and_gives_unused_quota_back",),
    ),
    Mutant(
        "presence-by-a-strangers-phone-number",
        "A cashier gives another store's member a card by a number from a list.",
        COUNTER,
        "if member is None or (code is None and not caller.reaches(member.store_id)):",
        "if member is None:",
        (f"{AT_COUNTER}test_a_store_finds_only_its_own_members_by_phone",),
    ),
    Mutant(
        "code-proves-twice",
        "A code that was scanned once ends the PIN a second time, without the member.",
        PRESENCE,
        "        guards=(shown.guard(),),\n",
        "",
        (f"{BY_STAFF}test_a_code_proves_presence_once_and_only_its_own_members",),
    ),
    Mutant(
        "initialised-pin-still-good",
        "The PIN that a thief has seen is good until its owner has set another.",
        PINS,
        " WHERE member_id = $1 AND (failures < $3 OR locked_until <= $2) AND initialised_at IS NULL\n",
        " WHERE member_id = $1 AND (failures < $3 OR locked_until <= $2)\n",
        (f"{BY_STAFF}test_the_old_pin_is_dead_at_once_and_nothing_large_is_paid_until_the_phone_set_another",),
    ),
    Mutant(
        "allowance-twice",
        "Two confirmations at the same moment each find the whole allowance.",
        PINS,
        "OR lower_left_fen >= $4)",
        "OR lower_left_fen >= 0)",
        (f"{BY_STAFF}test_after_a_reset_only_the_allowance_is_confirmed_and_exactly_that",),
    ),
    Mutant(
        "deposit-that-nobody-paid",
        "A till gives back a deposit that no till ever took.",
        "backend/membercards/service/money.py",
        "card.deposit_state is DepositState.HELD and card.state in RETURNABLE",
        "card.state in RETURNABLE",
        (f"{AT_TILL}test_what_was_never_paid_does_not_come_back",),
    ),
    Mutant(
        "deposit-asked-twice",
        "Who lost a card pays its deposit a second time, and gets one of them back.",
        RULES,
        "if kept is not None:",
        "if kept is not None and before is None:",
        (f"{OF_RULES}test_what_a_card_costs_in_the_place_of_another",),
    ),
    Mutant(
        "deposit-goes-with-a-lost-card",
        "A card that was lost until its last day cannot be brought back, and its deposit is the chain's.",
        ISSUING,
        "    return await queries.find_kept(await member_queries.ids_of(member_id), tx)\n",
        "    return None\n",
        (f"{AT_TILL}test_the_deposit_of_a_card_that_was_lost_until_it_expired_goes_over_to_the_next",),
    ),
    Mutant(
        "deposit-to-who-may-only-earn",
        "Who knows a member's phone number and gets one tap of theirs takes their deposit.",
        "backend/pos/commands/member_cards.py",
        "if spends and (customer.earn_only or customer.suspect):",
        "if spends and customer.suspect:",
        (f"{AT_TILL}test_who_is_identified_to_earn_only_gives_up_no_card",),
    ),
    Mutant(
        "card-numbers-are-tried-on",
        "A till goes on trying numbers: only misses are refused, and what is not refused is somebody's card.",
        "backend/pos/commands/member_cards.py",
        "    number_misses.check(terminal.terminal_id)\n    card = ",
        "    card = ",
        (f"{AT_TILL}test_numbers_of_other_people_s_cards_count_as_guesses_whichever_call_tries_them",),
    ),
    Mutant(
        "allowance-renewed",
        "A till sets the PIN again and again, and each time as much is confirmed as the first time.",
        PINS,
        "CASE WHEN lower_until > $3 THEN least(",
        "CASE WHEN lower_until < $3 THEN least(",
        (f"{BY_STAFF}test_after_a_reset_only_the_allowance_is_confirmed_and_exactly_that",),
    ),
    Mutant(
        "level-without-its-card",
        "Who gives the golden card back stays golden for three years.",
        "backend/lifecycle/handlers.py",
        'await service.end_granted(tx, member_id, _of_card(event.card_id), reason="会员卡已停用")',
        "return",
        (f"{AT_COUNTER}test_a_level_that_a_card_gave_goes_with_the_card",),
    ),
    Mutant(
        "pin-ended-while-judged",
        "A PIN that staff end while it is being judged still pays.",
        PINS,
        '        await _refuse_changed(member_id, row["pin_hash"])\n',
        "        pass\n",
        (f"{BY_STAFF}test_a_pin_that_is_ended_while_it_is_judged_confirms_nothing",),
    ),
    Mutant(
        "pins-without-end",
        "One clerk ends the PINs of a whole list of members in a night.",
        HANDLING,
        '    if row["done"] >= settings().pin_acts_per_day:\n',
        '    if row["done"] >= 1_000_000:\n',
        (f"{BY_STAFF}test_so_many_a_day_and_the_last_one_once",),
    ),
)
