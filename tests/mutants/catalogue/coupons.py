"""Defects of issuing coupons: totals, caps, codes, lists, and what age does."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

AUTOMATIC = "backend/coupons/commands/automatic.py"
BATCHES = "backend/coupons/commands/batches.py"
CLAIMS = "backend/coupons/commands/claims.py"
HANDOUTS = "backend/coupons/commands/handouts.py"
QUERIES = "backend/coupons/queries/standings.py"
SERVICE = "backend/coupons/service/issuing.py"
AGED = "tests/coupons/test_ageing.py::"
CLAIMED = "tests/coupons/test_claims.py::"
CODES = "tests/coupons/test_codes.py::"
LISTED = "tests/coupons/test_lists.py::"
RACES = "tests/concurrency/test_one_coupon.py::"

MUTANTS = (
    Mutant(
        "coupon-cap-not-counted",
        "A member takes as many coupons of an offer as they like.",
        "backend/coupons/plans.py",
        "cap=per_member or _NO_CAP",
        "cap=_NO_CAP",
        (f"{CLAIMED}test_refuses_more_than_the_cap_and_nothing_moves",),
    ),
    Mutant(
        "codes-not-kept",
        "The centre gives away what printed codes were promised, and they are refused at the till.",
        BATCHES,
        "SET reserved = reserved + $2 WHERE id = $1",
        "SET reserved = reserved + 0 * $2 WHERE id = $1",
        (f"{CODES}test_a_code_is_redeemed_once_by_whoever_comes_first",),
    ),
    Mutant(
        "retry-when-gone-refused",
        "A phone that lost the answer is told that all coupons are gone, although it has one.",
        CLAIMS,
        "        again = await _first_answer(wish)",
        "        again = None",
        (f"{CLAIMED}test_a_retry_is_answered_also_when_the_template_has_ended_or_is_gone",),
    ),
    Mutant(
        "template-s-time-not-looked-at",
        "An offer of last month is still claimed.",
        SERVICE,
        "        and (template.ends_at is None or now < template.ends_at)\n",
        "",
        (f"{CLAIMED}test_holds_from_its_start_to_its_end",),
    ),
    Mutant(
        "hidden-template-claimed",
        "What was for those with a link is taken by everybody who knows its number.",
        CLAIMS,
        '(body.template_id or ""), (ClaimBy.CENTRE,)',
        '(body.template_id or ""), (ClaimBy.CENTRE, ClaimBy.LINK)',
        (f"{CLAIMED}test_a_link_claims_what_the_centre_does_not_show",),
    ),
    Mutant(
        "code-redeemed-again",
        "One printed code gives a coupon to everybody who types it at the same moment.",
        CLAIMS,
        " WHERE digest = $1 AND claimed_by IS NULL",
        " WHERE digest = $1",
        (f"{RACES}test_one_code_is_redeemed_by_one",),
    ),
    Mutant(
        "codes-guessed-without-limit",
        "A program tries codes as fast as the server answers.",
        CLAIMS,
        '    await limits.hit(f"coupon-code:{wish.member_id}", CODE_TRIES, CODE_TRIES_S)\n',
        "",
        (f"{CODES}test_guessing_is_slow_and_a_slip_of_the_finger_costs_nothing",),
    ),
    Mutant(
        "void-code-redeemed",
        "Codes of a batch that was stolen and made void are redeemed all the same.",
        CLAIMS,
        "WHERE id = $1 AND state <> 'void' RETURNING 1",
        "WHERE id = $1 RETURNING 1",
        (f"{CODES}test_a_void_batch_is_worth_nothing_and_gives_its_share_free",),
    ),
    Mutant(
        "codes-exported-again",
        "Who comes later reads all codes a second time and redeems them first.",
        BATCHES,
        "SET state = 'exported', secret_sealed = NULL, exported_at = $2",
        "SET state = 'ready', exported_at = $2",
        (f"{CODES}test_codes_are_exported_once_and_stored_as_what_cannot_be_tried",),
    ),
    Mutant(
        "codes-file-with-formulas",
        "A note in the exported file runs a program on the computer of whoever opens it.",
        BATCHES,
        "    named = text_cell(batch_note)",
        "    named = batch_note",
        (f"{CODES}test_codes_are_exported_once_and_stored_as_what_cannot_be_tried",),
    ),
    Mutant(
        "list-begun-anew",
        "A list that was cut short gives those at its beginning nothing, and those at its end nothing either.",
        HANDOUTS,
        "members[done + 1 : done + $2]",
        "members[1 : $2]",
        ("tests/coupons/test_handouts.py::test_a_list_that_was_cut_short_goes_on_where_it_stood",),
    ),
    Mutant(
        "event-rewarded-twice",
        "An event that comes again gives a second coupon for the same sale.",
        AUTOMATIC,
        "        key=_key(member_id, reason),",
        '        key=f"{member_id}:{service.new_coupon_id(member_id)}",',
        ("tests/coupons/test_automatic.py::test_a_sale_of_enough_is_rewarded_once",),
    ),
    Mutant(
        "small-sale-rewarded",
        "A bottle of water earns what was promised for a full basket.",
        AUTOMATIC,
        "fen >= trigger.min_fen and ",
        "",
        ("tests/coupons/test_automatic.py::test_a_sale_of_enough_is_rewarded_once",),
    ),
    Mutant(
        "all-expired-with-one",
        "With the first coupon that expires a member loses all the others.",
        "backend/coupons/commands/ageing.py",
        " and item.expires_on < on]",
        "]",
        (f"{AGED}test_only_what_is_over_is_taken",),
    ),
    Mutant(
        "warned-every-hour",
        "A member is told of the same coupon every hour until its last day.",
        "backend/coupons/commands/ageing.py",
        "WHERE warned_at IS NULL AND ended_as IS NULL",
        "WHERE ended_as IS NULL",
        (f"{AGED}test_a_coupon_is_warned_of_once",),
    ),
    Mutant(
        "ended-too-early",
        "A coupon that came back by a refund is shown as used, because its events came out of turn.",
        "backend/coupons/commands/ageing.py",
        "AND id = $2 AND {_LEFT} = 0",
        "AND id = $2",
        (f"{AGED}test_how_a_coupon_ended_is_shown_and_taken_back_when_it_returns",),
    ),
    Mutant(
        "expired-shown-as-available",
        "The phone shows a coupon that the till refuses.",
        QUERIES,
        "(coalesce(a.balance, 0) > 0 AND (c.expires_on IS NULL OR c.expires_on >= $2)",
        "(coalesce(a.balance, 0) > 0 AND (c.expires_on IS NULL OR c.expires_on + 9 >= $2)",
        (f"{AGED}test_a_coupon_is_good_on_its_last_day_and_expires_after_it",),
    ),
    Mutant(
        "page-loses-coupons",
        "Coupons at the border of two pages are on neither.",
        QUERIES,
        "(c.issued_at, c.id) < ($3, $4)",
        "(c.issued_at, c.id) < ($3 - interval '1 second', $4)",
        (f"{LISTED}test_pages_through_what_the_member_has_newest_first",),
    ),
    Mutant(
        "paused-handout-written-off",
        "An offer is paused for a minute, and two thousand members of a list never get their coupon.",
        HANDOUTS,
        "if template.state is TemplateState.PAUSED:",
        "if template.state is TemplateState.DRAFT:",
        ("tests/coupons/test_handouts.py::test_a_list_waits_while_its_template_is_paused",),
    ),
    Mutant(
        "paused-handout-forgotten",
        "An offer is paused for a minute, and the list that was being worked through is never taken up again.",
        "backend/coupons/commands/templates.py",
        "            if target is not TemplateState.PAUSED:",
        "            if target is TemplateState.PAUSED:",
        ("tests/coupons/test_handouts.py::test_a_list_waits_while_its_template_is_paused",),
    ),
)
