"""Defects of coupons in the books: of the door, of the sweep that must leave them alone, and of the proof."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

POST = "backend/ledger/sql/10_post.sql"
HOLDINGS = "backend/ledger/queries/holdings.py"
LOTS = "backend/ledger/queries/lots.py"
CHECKS = "backend/ledger/checks/"
DOOR = "tests/ledger/test_door.py::test_a_refusal_changes_nothing"
COUPONS = "tests/ledger/test_coupons.py::"
AUDIT = "tests/ledger/test_audit.py::test_a_coupon_that_is_dealt_with_wrongly_shows_although_every_sum_is_right"

MUTANTS = (
    Mutant(
        "uses-not-summed",
        "Coupons appear and disappear without another side: nobody can say how many were issued, used and expired.",
        POST,
        " OR v_uses <> 0",
        "",
        (f"{DOOR}[uses that do not sum to zero]",),
    ),
    Mutant(
        "uses-are-fen",
        "A coupon good for one use is booked against one fen, and both sides look balanced.",
        POST,
        "v_uses := v_uses + v_n;",
        "v_fen := v_fen + v_n;",
        (f"{DOOR}[uses that make up for fen]",),
    ),
    Mutant(
        "expired-coupon-used",
        "Between its last day and the sweep a coupon is good for another sale.",
        POST,
        "                              AND (expires_on IS NULL OR expires_on >= v_on)\n"
        "                            ORDER BY rank, expires_on, lot_id LIMIT 1)",
        "                              AND (expires_on IS NULL OR v_ref <> '' OR expires_on >= v_on)\n"
        "                            ORDER BY rank, expires_on, lot_id LIMIT 1)",
        (f"{COUPONS}test_a_refusal_names_the_account_and_changes_nothing[expired]",),
    ),
    Mutant(
        "refusal-names-no-coupon",
        "Of three coupons one has just been used elsewhere, and the till is not told which to leave out.",
        "backend/ledger/errors.py",
        'context.get("ref", "")',
        '""',
        (f"{COUPONS}test_a_refusal_names_the_account_and_changes_nothing[used]",),
    ),
    Mutant(
        "sweep-takes-any-kind",
        "A domain's sweep finds the lots of others, and works through members with nothing of its own to expire.",
        LOTS,
        ' AND (kind = ANY($4)) IS TRUE"',
        ' AND $4::text[] IS NOT NULL"',
        (f"{COUPONS}test_the_kinds_that_are_asked_for_expire_and_no_other",),
    ),
    Mutant(
        "sweep-begins-again",
        "One member whose lots cannot be moved keeps the lots of everybody behind from expiring.",
        "backend/ledger/service.py",
        "after = found[-1]",
        "after = BEGINNING",
        (f"{COUPONS}test_the_kinds_that_are_asked_for_expire_and_no_other",),
    ),
    Mutant(
        "used-coupons-read",
        "Every scan reads all coupons that the member ever used: the best customers wait longest.",
        HOLDINGS,
        "WHERE l.open AND l.ref <> ''",
        "WHERE l.remaining > 0 AND l.ref <> ''",
        (f"{COUPONS}test_coupons_that_were_used_long_ago_are_not_read",),
    ),
    Mutant(
        "audit-counts-no-uses",
        "A template's mistake makes coupons that are good for two sales, and the audit says that the books balance.",
        f"{CHECKS}14_coupon_issued_once.sql",
        " OR (a.unit = 'uses' AND sum(l.issued) <> 1)",
        "",
        (f"{AUDIT}[of two uses]",),
    ),
    Mutant(
        "audit-forgets-held-coupons",
        "A coupon that an order holds is given back as well: it is used twice, and the audit says nothing.",
        f"{CHECKS}15_coupon_used_once.sql",
        "kind IN ('coupon', 'coupon_held')",
        "kind IN ('coupon')",
        (f"{AUDIT}[returned while it is held]",),
    ),
    Mutant(
        "audit-forgets-what-refunds-spare",
        "A refund takes more off a supplier's bill than the coupon had put on it, and the audit says nothing.",
        f"{CHECKS}12_refunds_within_sales.sql",
        ", 'house.coupons_used', 'house.coupon_cost',\n",
        ", 'house.coupons_used',\n",
        ("tests/ledger/test_audit.py::test_a_refund_that_spares_a_party_more_than_the_sale_cost_it_shows",),
    ),
)
