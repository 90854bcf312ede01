"""Defects of stock: what is promised twice, what goods cost, what a count forgets, and who may approve."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

DOOR = "backend/stock/sql/10_stock.sql"
POSTING = "backend/stock/commands/posting.py"
DOORS = "tests/stock/test_door.py::"
DOCUMENTS = "tests/stock/test_documents.py::"
TILLS = "tests/stock/test_till_sales.py::"
RACES = "tests/concurrency/test_one_shelf.py::"

MUTANTS = (
    Mutant(
        "settled-shortage-comes-back-for-nothing",
        "Goods that were sold before their receipt and come back are worth nothing.",
        DOOR,
        "IF b_qty[s.n] > v_take AND l_on_hand[s.level] > 0 THEN",
        "IF b_qty[s.n] > v_take AND l_on_hand[s.level] < 0 THEN",
        (f"{DOORS}test_what_was_short_and_came_later_comes_back_at_the_average",),
    ),
    Mutant(
        "shortage-healed-for-nothing",
        "What was sold before its receipt lies on the shelf again, and is sold twice.",
        DOOR,
        "                EXIT WHEN v_late OR s.act <> 'put' OR l_short[s.level] = 0;\n",
        "                EXIT;\n",
        (f"{TILLS}test_what_tills_sold_too_many_is_told_and_healed_by_the_receipt",),
    ),
    Mutant(
        "goods-lost-on-one-signature",
        "Who receives a transfer says that it was empty, and takes it home.",
        "backend/stock/rules.py",
        "worth_fen = lost_fen(document) if document.kind is _D.TRANSFER else document.total_fen",
        "worth_fen = document.total_fen",
        (f"{DOCUMENTS}test_a_transfer_that_loses_much_waits_for_a_second_person",),
    ),
    Mutant(
        "loss-approved-by-who-received",
        "Who took the goods home approves that they were lost.",
        "backend/stock/queries.py",
        "('enter', 'edit', 'count', 'ship', 'receive')",
        "('enter', 'edit', 'count', 'ship')",
        (f"{DOCUMENTS}test_a_transfer_that_loses_much_waits_for_a_second_person",),
    ),
    Mutant(
        "loss-approved-by-who-sent",
        "Who never sent the goods approves that they were lost on the way.",
        "backend/stock/queries.py",
        "('enter', 'edit', 'count', 'ship', 'receive')",
        "('enter', 'edit', 'count', 'receive')",
        (f"{DOCUMENTS}test_a_transfer_that_loses_much_waits_for_a_second_person",),
    ),
    Mutant(
        "transfer-called-off-after-it-came",
        "A transfer of which goods came is called off: nobody answers for what did not.",
        "backend/stock/rules.py",
        'document.state is _S.SUBMITTED and action != "approve"',
        'document.state is _S.SUBMITTED and action == "count"',
        (f"{DOCUMENTS}test_a_transfer_that_loses_much_waits_for_a_second_person",),
    ),
    Mutant(
        "loss-below-the-limit-in-parts",
        "A loss is judged by what came, so that the largest pass unseen.",
        "backend/stock/rules.py",
        "(line.cost_fen or 0) - came_fen(line, line.done_qty)",
        "came_fen(line, line.done_qty)",
        (f"{DOCUMENTS}test_a_transfer_that_loses_much_waits_for_a_second_person",),
    ),
    Mutant(
        "document-in-many-hands",
        "Eight clerks receive the same delivery at once, and it is owed eight times.",
        "backend/stock/commands/documents.py",
        "if version is not None and version != document.version:",
        "if version is not None and version > document.version:",
        ("tests/concurrency/test_one_document.py::test_a_purchase_order_is_approved_once_and_received_once",),
    ),
    Mutant(
        "stock-promised-twice",
        "What one order was promised is promised to the next one, too.",
        DOOR,
        "v_qty := greatest(0, l_on_hand[s.level] - l_reserved[s.level]);",
        "v_qty := l_on_hand[s.level];",
        (f"{DOORS}test_a_wish_is_granted_whole_or_not_at_all_and_in_the_order_given",),
    ),
    Mutant(
        "shelf-not-locked",
        "Forty buyers at once get the same ten pieces.",
        DOOR,
        " ORDER BY l.place_id, l.sku FOR UPDATE OF l\n",
        " ORDER BY l.place_id, l.sku\n",
        (f"{RACES}test_ten_pieces_go_to_ten_of_forty",),
    ),
    Mutant(
        "half-an-order-taken",
        "A wish of which one article lacks takes the others all the same.",
        DOOR,
        "            v_i := v_end;\n",
        "            v_i := v_end - 1;\n",
        (
            f"{DOORS}test_a_document_takes_only_what_is_promised_to_nobody",
            f"{DOORS}test_the_door_does_what_the_model_does",
        ),
    ),
    Mutant(
        "returned-at-todays-average",
        "Goods that come back are worth what the others cost now: the books drift with every return.",
        DOOR,
        "v_cost := coalesce(b_cost[s.n], s.cost, CASE",
        "v_cost := coalesce(s.cost, CASE",
        (f"{DOORS}test_returns_bring_back_exactly_what_went_out",),
    ),
    Mutant(
        "returned-once-more",
        "A return that is sent again brings the goods again.",
        DOOR,
        "x.act IN ('sell', 'put', 'put_back', 'count') OR",
        "x.act IN ('sell', 'put', 'count') OR",
        (f"{DOORS}test_returns_bring_back_exactly_what_went_out",),
    ),
    Mutant(
        "bought-again-for-nothing",
        "An order that gave its goods back and asks again gets them, and nothing leaves the shelf.",
        DOOR,
        "(x.act = 'take' AND x.kind <> 'sale')",
        "x.act = 'take'",
        (f"{DOORS}test_an_order_that_bought_and_gave_back_does_not_buy_again_for_nothing",),
    ),
    Mutant(
        "count-forgets-what-moved",
        "What is sold between counting and posting is on the books again.",
        DOOR,
        "AND m.version > s.seen);",
        "AND m.version < 0);",
        (f"{DOCUMENTS}test_a_count_takes_what_moves_meanwhile_into_account",),
    ),
    Mutant(
        "low-told-for-ever",
        "What rose above its threshold and fell again is told of no more.",
        DOOR,
        "low_at = CASE WHEN c.on_hand > l.low_qty THEN NULL WHEN",
        "low_at = CASE WHEN",
        (f"{DOCUMENTS}test_what_falls_to_its_threshold_is_told_once_for_each_fall",),
    ),
    Mutant(
        "refund-moves-all-again",
        "The second refund of a sale brings back what the first one had brought.",
        "backend/stock/commands/till_sales.py",
        "qty - back.get((due.sale_id, sku), 0)",
        "qty",
        (f"{TILLS}test_a_sale_and_its_refunds_move_the_shelf_once",),
    ),
    Mutant(
        "orders-approved-by-who-entered-them",
        "One person of head office buys for any amount.",
        "backend/stock/rules.py",
        "(role is not Role.ADMIN or staff_id in writers)",
        "role is not Role.ADMIN",
        (f"{DOCUMENTS}test_what_is_worth_more_is_approved_by_a_second_person_of_head_office",),
    ),
    Mutant(
        "more-received-than-ordered",
        "A supplier delivers the order twice, and is owed it twice.",
        POSTING,
        "if known[line_no].done_qty + qty > known[line_no].qty:",
        "if qty > known[line_no].qty:",
        (f"{DOCUMENTS}test_an_order_is_approved_received_in_parts_and_owed",),
    ),
    Mutant(
        "lost-goods-cost-the-rest-more",
        "What comes of a transfer is worth what all of it was.",
        "backend/stock/rules.py",
        "(line.cost_fen or 0) * qty // line.qty",
        "line.cost_fen or 0",
        (f"{DOCUMENTS}test_a_transfer_takes_its_cost_along_and_loses_what_does_not_come",),
    ),
    Mutant(
        "another-store-s-stock-shown",
        "A manager reads what lies in every other store, and what it cost.",
        "backend/stock/access.py",
        "if not caller.reaches(found.store_id):",
        "if False and not caller.reaches(found.store_id):",
        (f"{DOCUMENTS}test_levels_and_the_journal_are_pages_and_files",),
    ),
    Mutant(
        "script-on-paper",
        "A note that a clerk writes runs in the browser of who prints it.",
        "backend/stock/printing.py",
        "<dd>{escape(text)}</dd>",
        "<dd>{text}</dd>",
        (f"{DOCUMENTS}test_a_printed_document_escapes_what_people_wrote",),
    ),
)
