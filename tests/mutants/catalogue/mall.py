"""Defects of the catalogue: what is sold where and for how much, what is found, and what staff and tables write."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SERVICE = "backend/mall/service.py"
OFFERS = "tests/mall/test_offers.py::"
ADMIN = "tests/mall/test_admin.py::"
TABLES = "tests/mall/test_tables.py::"
MEMBER = "tests/mall/test_member.py::"
UPLOADS = "tests/mall/test_uploads.py::"
IMPORTS = "tests/mall/test_imports.py::"
SELLING = "tests/mall/test_selling.py::"

MUTANTS = (
    Mutant(
        "half-a-table-written",
        "A table with a mistake changes half of the prices.",
        "backend/mall/commands/imports.py",
        "            if flaws:\n                raise _Refused\n",
        "",
        (f"{IMPORTS}test_one_mistake_in_a_large_table_and_nothing_of_it_is_written",),
    ),
    Mutant(
        "import-begins-anew",
        "A worker that died writes everything again, over what staff changed meanwhile.",
        "backend/mall/commands/imports.py",
        'execute("UPDATE mall_import SET place = $2 WHERE id = $1", import_id, chunk[-1][0])',
        'execute("UPDATE mall_import SET place = $2 WHERE id = $1", import_id, chunk[0][0])',
        (f"{IMPORTS}test_an_import_that_was_cut_short_goes_on_where_it_was",),
    ),
    Mutant(
        "half-a-product-written",
        "Of a product with a mistake some choices are sold, others are not.",
        "backend/mall/commands/imports.py",
        "left = [row for row in left if row[0] not in places]",
        "left = [row for row in left if row[1] not in wrong and places]",
        (f"{IMPORTS}test_what_is_right_of_a_large_table_is_written_where_that_is_asked_for",),
    ),
    Mutant(
        "product-cut-at-a-piece-s-end",
        "Every thousand rows a product loses choices, and the import says that all went well.",
        "backend/mall/commands/imports.py",
        "return [row for row in rows if row[0] != rows[-1][0]]",
        "return rows[:AT_ONCE]",
        (f"{IMPORTS}test_a_product_whose_rows_lie_across_two_pieces_keeps_all_of_them",),
    ),
    Mutant(
        "other-file-same-key",
        "Head office sends new prices, is told of the old table's import, and sells at old prices.",
        "backend/mall/commands/imports.py",
        'if bytes(known[0]["digest"]) != digest:',
        'if not known[0]["digest"]:',
        (f"{IMPORTS}test_a_file_that_is_sent_again_is_the_same_import",),
    ),
    Mutant(
        "import-without-its-job",
        "A table is taken in and never read.",
        "backend/mall/commands/imports.py",
        "            await jobs.defer(tx, JOB, import_id=import_id)\n",
        "",
        (f"{IMPORTS}test_a_large_table_is_written_whole_and_said_to_be",),
    ),
    Mutant(
        "promised-pieces-are-shown-as-to-be-had",
        "A list of what there is shows what another order was promised.",
        "backend/stock/queries.py",
        "AND l.on_hand > l.reserved)",
        "AND l.on_hand > 0)",
        (f"{SELLING}test_what_a_store_cannot_sell_now_is_left_out",),
    ),
    Mutant(
        "what-came-back-counts-as-sold",
        "What everybody returns is shown as what everybody buys.",
        "backend/mall/commands/selling.py",
        "+= -line.qty if refund_id else line.qty",
        "+= line.qty",
        (f"{SELLING}test_what_was_sold_in_thirty_days_ranks_products",),
    ),
    Mutant(
        "retry-of-a-product-without-its-prices",
        "A product is said to be saved whose prices are the old ones.",
        "backend/mall/rules/checking.py",
        "_filled(article, kept[article.sku]) == kept[article.sku]",
        "_filled(article, kept[article.sku]).spec == kept[article.sku].spec",
        (f"{ADMIN}test_a_product_that_is_sent_again_is_there_already",),
    ),
    Mutant(
        "sold-where-it-is-not-published",
        "A store's orders fill with what only another store sells.",
        "backend/mall/queries/offers.py",
        "s.channel = 'mall' AND s.store_id = w.store_id AND",
        "s.channel = 'mall' AND",
        (f"{OFFERS}test_what_is_not_on_sale_at_the_store_is_not_sold",),
    ),
    Mutant(
        "timed-price-of-the-last-instant-stays",
        "A price for a week is given in the first instant after it.",
        "backend/mall/rules/prices.py",
        "item.starts_at <= now < item.ends_at",
        "item.starts_at <= now <= item.ends_at",
        (f"{OFFERS}test_a_level_has_its_price_and_a_timed_one_ends_to_the_second",),
    ),
    Mutant(
        "brand-forgotten-at-the-till",
        "A coupon for a brand pays for nothing.",
        "backend/mall/queries/classes.py",
        "c.code, a.brand_id, a.cost_fen",
        "c.code, NULL, a.cost_fen",
        ("tests/mall/test_brands.py::test_a_coupon_for_a_brand_pays_for_its_articles_and_no_others",),
    ),
    Mutant(
        "second-page-begins-where-the-first-did",
        "The last product of a page is shown twice.",
        "backend/mall/queries/products.py",
        '"(p.created_at, p.id) < ({}, {})"',
        '"(p.created_at, p.id) <= ({}, {})"',
        (f"{MEMBER}test_pages_have_every_product_once_and_in_order",),
    ),
    Mutant(
        "everybody-writes-the-catalogue-at-once",
        "Two make the same product; the one who was told that it worked finds the other's.",
        SERVICE,
        '    await db.raw(tx).execute("SELECT pg_advisory_xact_lock($1)", CATALOGUE)\n',
        "",
        (f"{ADMIN}test_of_two_who_change_a_product_at_once_one_is_told",),
    ),
    Mutant(
        "article-left-out-still-sold",
        "What staff took out of a product is bought in the mall.",
        SERVICE,
        "SET product_id = NULL, spec = NULL, active = false, terms = NULL",
        "SET product_id = NULL, spec = NULL, terms = NULL",
        (f"{ADMIN}test_articles_change_places_and_what_is_left_out_is_no_longer_sold",),
    ),
    Mutant(
        "manager-publishes-everywhere",
        "A store's manager takes another store's products down.",
        "backend/mall/routes/admin.py",
        "if not caller.reaches(store_id) or await auth.find_store(store_id) is None:",
        "if await auth.find_store(store_id) is None:",
        (f"{ADMIN}test_a_product_is_kept_published_found_and_withdrawn",),
    ),
    Mutant(
        "a-look-at-a-table-writes-it",
        "Staff who only looked what a table would do have done it.",
        "backend/mall/commands/tables.py",
        "if dry_run or result.flaws:",
        "if result.flaws:",
        (f"{TABLES}test_new_products_come_with_their_choices_in_gb18030_and_from_workbooks",),
    ),
    Mutant(
        "archive-unpacked-unseen",
        "A workbook of a few kilobytes unpacks to gigabytes in the server's memory.",
        "backend/kernel/incoming.py",
        "sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES",
        "sum(part.compress_size for part in parts) > MOST_UNPACKED_BYTES",
        ("tests/kernel/test_incoming.py::test_a_workbook_that_unpacks_to_too_much_is_not_opened",),
    ),
    Mutant(
        "place-of-a-picture-kept",
        "A photograph tells everybody where it was taken.",
        "backend/kernel/pictures.py",
        'exif=b"", icc_profile=b"", xmp=b""',
        'exif=pixels.getexif(), icc_profile=b"", xmp=b""',
        (f"{ADMIN}test_pictures_are_drawn_anew_and_shown_of_stores",),
    ),
    Mutant(
        "another-s-picture",
        "A review shows a picture that another member uploaded and never showed anybody.",
        SERVICE,
        "AND member_id = $2 AND used_at IS NULL ORDER",
        "AND $2::bigint > 0 AND used_at IS NULL ORDER",
        (f"{UPLOADS}test_a_picture_is_used_once_and_by_its_member_alone",),
    ),
    Mutant(
        "address-for-good",
        "Who once saw a picture sees it for ever, hidden or not.",
        "backend/kernel/addresses.py",
        "return unix < until <= good_until(unix)",
        "return until <= good_until(unix)",
        (f"{UPLOADS}test_an_address_is_good_for_an_hour_at_least_and_two_at_most",),
    ),
)
