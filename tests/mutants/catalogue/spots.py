"""Defects of orders at tables and shelves: whose code it is, which store's it is, and what a till brings."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "backend/orders/rules/spots.py"
SPOTS = "backend/orders/commands/spots.py"
SERVING = "backend/orders/commands/serving.py"
TESTS = "tests/orders/test_spots.py::"
NO_CODE = f"{TESTS}test_what_is_no_code_of_the_store_orders_nothing"
SERVED = f"{TESTS}test_a_guest_orders_at_a_table_and_is_served_once"
NOT_SERVED = f"{TESTS}test_what_was_taken_back_is_not_served"
NAMED = f"{TESTS}test_staff_name_print_and_renew_the_spots_of_their_store"

MUTANTS = (
    Mutant(
        "spot-code-of-anybody",
        "Whoever counts up ids has dishes sent to every table, without having seen one.",
        RULES,
        'return hmac.compare_digest(code.partition(".")[2].encode(), _tag(secret).encode())',
        'return bool(code.partition(".")[2])',
        (NO_CODE,),
    ),
    Mutant(
        "old-spot-code-for-ever",
        "A code that was photographed and renewed for it orders on.",
        SPOTS,
        'f"{spot.id}\\n{spot.edition}".encode()',
        'f"{spot.id}\\n".encode()',
        (NO_CODE,),
    ),
    Mutant(
        "spot-of-another-store",
        "An order at one store waits for a table that stands in another.",
        SPOTS,
        "if store_id is not None and spot.store_id != store_id:",
        "if store_id is not None and not spot.store_id:",
        (NO_CODE,),
    ),
    Mutant(
        "table-taken-away-is-ordered-at",
        "Guests order, and pay, at a table that is not there any more.",
        SPOTS,
        "if not spot.active:",
        "if spot.active is None:",
        (NO_CODE,),
    ),
    Mutant(
        "brought-by-another-store",
        "Any store's till makes any table's order count as brought.",
        SERVING,
        "known.store_id != terminal.store_id or",
        "",
        (SERVED,),
    ),
    Mutant(
        "every-store-s-tables-are-told",
        "A till shows what guests of every other store have ordered.",
        "backend/orders/queries/__init__.py",
        "WHERE store_id = $1 AND delivery = 'spot'",
        "WHERE $1 <> '' AND delivery = 'spot'",
        (SERVED,),
    ),
    Mutant(
        "brought-twice",
        "A till that asks again after a lost answer is told that the order was never to be brought.",
        SERVING,
        "if order.state in _SERVED:",
        "if known.state in _SERVED:",
        (SERVED,),
    ),
    Mutant(
        "fetched-without-its-code",
        "An order that waits for its code at the counter is noted as handed over without it.",
        SERVING,
        " or known.delivery is not DeliveryKind.SPOT",
        "",
        (NOT_SERVED,),
    ),
    Mutant(
        "brought-after-the-money-went-back",
        "What was cancelled is brought all the same, for nothing.",
        SERVING,
        "if order.state is not OrderState.PAID:",
        "if order.state is OrderState.AWAITING_PAYMENT:",
        (NOT_SERVED,),
    ),
    Mutant(
        "brought-while-asked",
        "A guest asks for the money, is served meanwhile, and has both.",
        SERVING,
        "        if any(one.state is AfterSaleState.REQUESTED for one in asked):\n            raise AfterSaleOpen\n",
        "",
        (f"{TESTS}test_who_asks_for_the_money_is_not_served_before_that_is_decided",),
    ),
    Mutant(
        "manager-names-another-store-s-tables",
        "A manager prints codes for another store's tables.",
        SPOTS,
        "if not caller.reaches(body.store_id):",
        "if not body.store_id:",
        (NAMED,),
    ),
    Mutant(
        "manager-renews-another-store-s-codes",
        "A manager makes every code on another store's tables worthless.",
        SPOTS,
        "if known is None or not caller.reaches(known.store_id):",
        "if known is None:",
        (NAMED,),
    ),
    Mutant(
        "script-on-a-table",
        "A table's name that somebody typed runs in the browser of who prints it.",
        "backend/orders/printing.py",
        "<strong>{escape(name)}</strong>",
        "<strong>{name}</strong>",
        (NAMED,),
    ),
)
