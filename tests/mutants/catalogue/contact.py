"""Defects of contact cards and of what is counted of purchases: who sees what, who is told, what is counted twice."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "backend/contact/rules.py"
LOOKUP = "backend/contact/commands/lookup.py"
GUESSING = "backend/kernel/guessing.py"
CARD = "backend/contact/commands/card.py"
VOICE = "backend/contact/sections/voice.py"
POS = "backend/auth/service/codes.py"
PURCHASES = "backend/audience/commands/purchases.py"
KEPT = "backend/audience/rules.py"
SERVICE = "backend/audience/service.py"
TESTS = "tests/contact/test_lookup.py::"
OF_RULES = "tests/contact/test_rules.py::"
COUNTED = "tests/audience/test_purchases.py::"

MUTANTS = (
    Mutant(
        "guest-by-any-number",
        "A shop looks up every member of the chain by phone number, one after the other.",
        RULES,
        "return View.GUEST if by is By.CODE else None",
        "return View.GUEST",
        (f"{OF_RULES}test_a_store_sees_its_own_members_and_who_shows_a_code",),
    ),
    Mutant(
        "clerk-sees-what-a-manager-sees",
        "Every clerk reads the letters, surveys and movements of value of their store's members.",
        RULES,
        "View.MANAGER if full else View.CLERK",
        "View.MANAGER",
        (f"{OF_RULES}test_a_store_sees_its_own_members_and_who_shows_a_code",),
    ),
    Mutant(
        "guessing-is-only-refused-for-misses",
        "Whoever guesses goes on: misses are refused, and what is not refused is a number that exists.",
        GUESSING,
        "            self._blocked_until[who] = clock.now().timestamp() + (error.retry_after_s or self._window_s)\n",
        "            error.retry_after_s = error.retry_after_s or self._window_s\n",
        (f"{TESTS}test_guessing_phone_numbers_ends_and_is_told",),
    ),
    Mutant(
        "card-without-its-look",
        "Where the row cannot be written the card is shown all the same: somebody looked, and nobody knows.",
        LOOKUP,
        "        await noting  # no card without its look\n",
        "        await asyncio.wait({noting})\n",
        (f"{TESTS}test_no_card_is_shown_where_its_look_cannot_be_kept",),
    ),
    Mutant(
        "spent-code-looks-up",
        "A code on an old receipt or a photograph opens its member's card after it has paid.",
        POS,
        ".get(mark, -1) >= step",
        ".get(mark, -1) > step",
        (f"{TESTS}test_a_look_spends_nothing_and_the_code_still_pays",),
    ),
    Mutant(
        "every-view-has-every-section",
        "A clerk, and whoever reads a guest's code, sees letters, habits and movements of value.",
        CARD,
        "seen = [section for section in sections if section.is_for(ask)]",
        "seen = [section for section in sections]",
        (f"{TESTS}test_a_store_sees_its_own_part_of_its_own_members",),
    ),
    Mutant(
        "sections-without-their-permission",
        "Whoever may open cards reads letters and conversations, whatever their role withholds.",
        "backend/contact/sections/__init__.py",
        "(self.needs is None or self.needs in ask.may)",
        "True",
        ("tests/contact/test_voice.py::test_what_a_role_may_not_read_where_it_is_kept_it_does_not_read_here",),
    ),
    Mutant(
        "suggestions-of-other-boxes",
        "Head office reads on the card what was written to a box that is not theirs.",
        VOICE,
        "suggestion_queries.list_boxes(ask.staff_id)",
        "suggestion_queries.list_boxes()",
        ("tests/contact/test_voice.py::test_suggestions_stand_there_for_who_administers_their_box_alone",),
    ),
    Mutant(
        "purchases-counted-at-each-telling",
        "An event that comes twice makes a buyer of twice as much, and letters go to the wrong people.",
        PURCHASES,
        "had = (key[0], sku), before.get(key, {}).get(sku, 0)",
        "had = (key[0], sku), 0",
        (f"{COUNTED}test_what_is_told_twice_or_in_another_order_counts_once",),
    ),
    Mutant(
        "returns-still-bought",
        "Who gave everything back still counts as a buyer of it.",
        KEPT,
        "    if 0 < bought.payable_fen <= back.refunded_fen:\n        return {}\n",
        "",
        ("tests/audience/test_rules.py::test_what_was_paid_for_and_did_not_come_back_is_kept",),
    ),
    Mutant(
        "stores-mean-everybody",
        "A store's staff write to the members of the whole chain by naming no store.",
        SERVICE,
        "    if caller_store is not None and audience.store_ids is None:\n",
        "    if caller_store is not None and audience.store_ids == ():\n",
        ("tests/audience/test_audiences.py::test_a_stores_staff_mean_their_own_store",),
    ),
)
