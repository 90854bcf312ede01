"""Defects of goods that are sent: which rule counts, what a weight costs, whose address it is and who sees it."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "backend/orders/rules/delivery.py"
TESTS = "tests/orders/test_delivery.py::"
COUNTS = f"{TESTS}test_the_rule_that_counts"
WEIGHT = f"{TESTS}test_more_weight_never_costs_less_and_each_further_weight_begun_is_paid_once"
SENT = f"{TESTS}test_an_order_is_sent_where_its_address_was_and_a_cancel_gives_its_freight_back"
SEEN = f"{TESTS}test_staff_see_the_address_of_what_they_send_and_that_is_noted"
NOTHING = f"{TESTS}test_what_no_rule_reaches_or_is_not_the_member_s_moves_nothing"

MUTANTS = (
    Mutant(
        "sent-by-another-store-s-rule",
        "A store sends at the price that another one agreed with its carrier.",
        RULES,
        "        and (not rule.stores or store_id in rule.stores)\n",
        "",
        (COUNTS,),
    ),
    Mutant(
        "sent-where-nothing-is-sent",
        "A parcel to the plateau costs what one to the next street does.",
        RULES,
        "        and not within(code, rule.regions_excluded)\n",
        "",
        (COUNTS,),
    ),
    Mutant(
        "priority-of-nothing",
        "What head office put before everything else is not looked at.",
        RULES,
        "(-rule.priority, -within",
        "(0, -within",
        (COUNTS,),
    ),
    Mutant(
        "begun-weight-for-nothing",
        "The chain pays the carrier for each weight that is begun, its members only for full ones.",
        RULES,
        "-(-beyond_g // rule.further_g)",
        "beyond_g // rule.further_g",
        (WEIGHT,),
    ),
    Mutant(
        "weight-of-one-piece",
        "A hundred pieces are sent for what one costs.",
        RULES,
        "sum(line.qty * line.article.weight_g for line in lines)",
        "sum(line.article.weight_g for line in lines)",
        (f"{TESTS}test_freight_is_nothing_from_so_many_fen_of_goods_on", SENT),
    ),
    Mutant(
        "free-from-the-price-on-the-shelf",
        "What members pay less for counts in full, and is sent for nothing too soon.",
        RULES,
        "goods_fen = sum(line.payable_fen for line in lines)",
        "goods_fen = sum(line.list_fen for line in lines)",
        (f"{TESTS}test_goods_count_towards_free_freight_with_what_is_paid_for_them",),
    ),
    Mutant(
        "code-of-a-cheaper-province",
        "Who names a near province's code has a parcel sent far away for the near one's price.",
        RULES,
        "if begins is None or not province.startswith(begins):",
        "if begins is None:",
        (f"{TESTS}test_an_address_that_makes_no_sense_is_refused",),
    ),
    Mutant(
        "sent-to-another-member-s-home",
        "Whoever names the id of an address learns where another member lives.",
        "backend/orders/addresses.py",
        '{_BOOK} AND id = $2"',
        '{_BOOK} IS NOT NULL AND id = $2"',
        (NOTHING,),
    ),
    Mutant(
        "street-on-every-list",
        "Whoever looks over a shoulder reads where a member lives.",
        RULES,
        'phone=ends, street=""',
        "phone=ends, street=receiver.street",
        (f"{TESTS}test_a_receiver_shows_nothing_of_itself",),
    ),
    Mutant(
        "address-looked-at-unnoted",
        "Staff read members' addresses, and nobody can say afterwards who did.",
        "backend/orders/commands/receivers.py",
        "await queries.changes.note(tx, order.id, caller.staff_id, SEEN, {}, clock.now())",
        "pass",
        (SEEN,),
    ),
    Mutant(
        "address-shown-for-ever",
        "Staff read addresses of orders that came long ago.",
        "backend/orders/commands/receivers.py",
        "    if not await _to_send(order):",
        "    if order.state is OrderState.AWAITING_PAYMENT:",
        (SEEN,),
    ),
    Mutant(
        "two-addresses-offered-first",
        "A parcel goes to the old address, which is still offered first.",
        "backend/orders/commands/addresses.py",
        "if made.is_default and one.is_default and one.id != made.id:",
        "if made.is_default and one.is_default and one.id == made.id:",
        (f"{TESTS}test_an_address_book_holds_twenty_and_always_one_default_also_under_many_phones",),
    ),
)
