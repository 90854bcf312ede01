"""Defects of consents, archives and erasure: who gets whose data, what outlives whom, and where value goes."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

EXPORTS = "backend/privacy/commands/exports.py"
LISTS = "backend/privacy/lists.py"
ERASURES = "backend/privacy/commands/erasures.py"
ERASING = "backend/privacy/commands/erasing.py"
CONSENTS = "backend/privacy/commands/consents.py"
SERVICE = "backend/privacy/service.py"
MERGED = "backend/privacy/queries/merged.py"
HOLDING = "backend/members/holding.py"
WALLET = "backend/wallet/plans.py"
OF_EXPORTS = "tests/privacy/test_exports.py::"
OF_ERASURE = "tests/privacy/test_erasure.py::"
OF_CONSENTS = "tests/privacy/test_consents.py::"

MUTANTS = (
    Mutant(
        "partners-see-everybody",
        "Another company is told of members who never agreed to it.",
        "backend/feeds/views.py",
        "if sharing is not None and not sharing.agrees(entry.member_id):",
        "if False:",
        ("tests/feeds/test_partners.py::test_a_partner_sees_who_agreed_and_is_told_when_it_is_over",),
    ),
    Mutant(
        "a-later-release-forgets-who-was-erased",
        "What the release before did not erase stays for ever.",
        ERASING,
        " OR rules IS DISTINCT FROM $1)",
        ")",
        ("tests/privacy/test_erasure.py::test_it_is_done_within_minutes_and_what_comes_late_is_erased_too",),
    ),
    Mutant(
        "anybody-s-archive",
        "Whoever guesses or is shown an archive's id reads everything about its member.",
        EXPORTS,
        "if found.member_id != member_id:",
        "if found.member_id == 0:",
        (f"{OF_EXPORTS}test_it_is_its_member_s_alone_and_ends",),
    ),
    Mutant(
        "archive-for-ever",
        "An archive can be fetched months later from a phone that was lost meanwhile.",
        EXPORTS,
        "or found.until <= clock.now()",
        "or False",
        (f"{OF_EXPORTS}test_it_is_its_member_s_alone_and_ends",),
    ),
    Mutant(
        "page-begins-at-its-key",
        "The first row of each page of a long list is in the archive twice.",
        LISTS,
        'behind = f"({_listed(look.key)}) > ({last})"',
        'behind = f"({_listed(look.key)}) >= ({last})"',
        (f"{OF_EXPORTS}test_long_lists_go_page_by_page_and_a_dead_job_goes_on",),
    ),
    Mutant(
        "sealed-stays-sealed",
        "A member's own archive holds ciphertext where phone number and address should be.",
        LISTS,
        "record[column] = _opened(vault().open(record[column], context=context))",
        "assert context",
        (f"{OF_EXPORTS}test_a_member_gets_all_that_is_held_with_sealed_fields_opened",),
    ),
    Mutant(
        "value-goes-unasked",
        "A member who wanted to see what is left loses the balance without having said so.",
        ERASURES,
        "if stakes and not give_up:",
        "if False and not give_up:",
        (f"{OF_ERASURE}test_refusals_move_nothing",),
    ),
    Mutant(
        "erased-with-an-open-recharge",
        "Money that is on its way arrives for somebody who is nobody any more.",
        ERASURES,
        "    if blocking:\n",
        "    if False:\n",
        (f"{OF_ERASURE}test_what_is_under_way_stands_in_the_way",),
    ),
    Mutant(
        "erased-without-proof",
        "Whoever holds an unlocked phone for a minute erases its owner.",
        ERASURES,
        "        raise ErasureProofNeeded",
        "        pass",
        (f"{OF_ERASURE}test_refusals_move_nothing",),
    ),
    Mutant(
        "no-cooling-off",
        "The account is gone before its owner reads the letter about it.",
        ERASING,
        "if found.state is not ErasureState.COOLING or found.due_at > clock.now():",
        "if found.state is not ErasureState.COOLING:",
        (f"{OF_ERASURE}test_it_cools_off_is_shown_and_can_be_taken_back",),
    ),
    Mutant(
        "more-money-is-lost",
        "A recharge that was made after the wish is given up, though nobody said so.",
        ERASING,
        "if _is_more(stakes, found):",
        "if False:",
        (f"{OF_ERASURE}test_more_value_than_was_given_up_lets_the_wish_lapse",),
    ),
    Mutant(
        "erased-is-new",
        "Whoever erases and registers again has the welcome coupons each time.",
        ERASING,
        "        await _remember(tx, found.member_id)\n",
        "",
        (f"{OF_ERASURE}test_who_comes_back_has_no_second_welcome",),
    ),
    Mutant(
        "one-round",
        "A letter that was written while the rows were gone through keeps the member's name.",
        ERASING,
        'if not row["changed"] and not coming:',
        "if True:",
        (f"{OF_ERASURE}test_it_is_done_within_minutes_and_what_comes_late_is_erased_too",),
    ),
    Mutant(
        "merged-history-stays",
        "Name and words of who was merged into an erased member stay in the database.",
        MERGED,
        'return [member_id, *(row["id"] for row in rows)]',
        "return [member_id]",
        (f"{OF_ERASURE}test_who_was_merged_into_a_member_goes_with_them",),
    ),
    Mutant(
        "only-the-first-column",
        "Of a row only what differs in every column is stripped; the rest of it stays.",
        HOLDING,
        'differs = " OR ".join(',
        'differs = " AND ".join(',
        (f"{OF_ERASURE}test_a_member_who_left_is_a_number",),
    ),
    Mutant(
        "given-up-as-expired",
        "What members give up is booked as expiry, and no report tells the two apart.",
        WALLET,
        "msgspec.structs.replace(plan, kind=GIVEN_UP, scope=GIVEN_UP)",
        "plan",
        (f"{OF_ERASURE}test_twice_at_once_and_killed_anywhere_it_is_done_once",),
    ),
    Mutant(
        "required-is-taken-back",
        "A member goes on without having agreed to what membership rests on.",
        CONSENTS,
        "if purpose.required and not word.granted:",
        "if False:",
        (f"{OF_CONSENTS}test_refusals_change_nothing",),
    ),
    Mutant(
        "agreed-to-another-text",
        "A member is said to have agreed to a text that was never shown.",
        CONSENTS,
        "if word.granted and word.version != purpose.version:",
        "if False:",
        (f"{OF_CONSENTS}test_a_new_text_of_a_required_purpose_asks_again",),
    ),
    Mutant(
        "letters-have-two-truths",
        "A member takes consent to messages back here, and still gets them.",
        SERVICE,
        "if purpose.channel is not None and purpose.letters is not None:",
        "if False and purpose.channel is not None and purpose.letters is not None:",
        (f"{OF_CONSENTS}test_letters_have_one_truth",),
    ),
    Mutant(
        "one-erasure-stops-all",
        "One erasure that raises leaves what came late of everybody else, hour after hour.",
        ERASING,
        '        except Exception as error:\n            log.error("privacy.erase_failed"',
        '        except KeyError as error:\n            log.error("privacy.erase_failed"',
        (f"{OF_ERASURE}test_it_is_done_within_minutes_and_what_comes_late_is_erased_too",),
    ),
    Mutant(
        "archive-of-who-moved-away",
        "A store downloads everything about somebody who is another store's by now.",
        "backend/privacy/commands/handouts.py",
        "_check_ready(await _reached(found.export_id, caller))",
        "_check_ready(await exports.get(found.export_id))",
        ("tests/privacy/test_handouts.py::test_who_shows_their_code_gets_it_at_once_from_whoever_asked",),
    ),
)
