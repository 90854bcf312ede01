"""Defects of what other systems are told."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "backend/feeds/rules.py"
VIEWS = "backend/feeds/views.py"
NUMBERING = "backend/feeds/commands/numbering.py"
DELIVERING = "backend/feeds/commands/delivering.py"
QUERIES = "backend/feeds/queries.py"
FEED = "tests/feeds/test_feed.py::"
CALLS = "tests/feeds/test_deliveries.py::"
PARTNERS = "tests/feeds/test_partners.py::"

MUTANTS = (
    Mutant(
        "feed-told-by-events",
        "Where a handler of another domain fails, the other system keeps a member's last value but one.",
        "backend/feeds/handlers.py",
        "@telling.listen\n",
        "",
        (f"{FEED}test_of_one_member_it_is_told_in_order_and_without_a_hole_though_events_fail",),
    ),
    Mutant(
        "broken-subscriber-unnoticed",
        "A secret that cannot be opened any more is tried for ever, and nobody is told.",
        DELIVERING,
        "        await _refused(now, Outcome(",
        "        print(now, Outcome(",
        (f"{CALLS}test_one_that_cannot_be_sent_to_holds_up_nobody_and_is_put_down_to_it",),
    ),
    Mutant(
        "fields-nobody-gave",
        "The newsletter's system reads everybody's birthday.",
        VIEWS,
        "[one for one in changes if rules.seen(one.field, allowed)], True",
        "[*changes], True",
        (f"{FEED}test_what_was_changed_is_told_with_who_before_and_after_in_the_fields_that_were_given",),
    ),
    Mutant(
        "partners-read-the-past",
        "Another company reads what a member was called before they agreed that it may know of them.",
        VIEWS,
        " and (said is None or one.id > said.id)",
        "",
        (f"{PARTNERS}test_a_partner_that_reads_from_further_back_sees_nothing_from_before_they_agreed",),
    ),
    Mutant(
        "numbers-given-twice",
        "After a restore another system takes what is new for what it has, and keeps what was lost.",
        NUMBERING,
        "SET seq = seq + $1, first = seq + $1 + 1",
        "SET seq = seq + $1",
        (f"{FEED}test_after_a_restore_whoever_read_lost_numbers_begins_again",),
    ),
    Mutant(
        "called-for-nothing-without-end",
        "After a restore the job looks again and again after what nobody lacks.",
        DELIVERING,
        "delivered = greatest(delivered, $3)",
        "delivered = CASE WHEN $3::bigint > 0 THEN delivered END",
        (f"{CALLS}test_after_numbers_were_passed_over_who_is_called_goes_on_and_has_all",),
    ),
    Mutant(
        "moved-on-by-an-old-call",
        "What staff have sent again is skipped, for an old call was taken meanwhile.",
        DELIVERING,
        ' WHERE id = $1 AND delivered = $2 AND state = \'active\'"""\n_REFUSED',
        ' WHERE id = $1 AND ($2::bigint IS NOT NULL) AND state = \'active\'"""\n_REFUSED',
        (f"{CALLS}test_a_call_that_ends_after_its_place_was_moved_back_does_not_move_it_on",),
    ),
    Mutant(
        "sent-in-the-order-of-chance",
        "The later of two changes is told first, and the old address stays.",
        NUMBERING,
        "row_number() OVER (ORDER BY arrived)",
        "row_number() OVER (ORDER BY id)",
        (f"{CALLS}test_what_was_changed_is_sent_in_order_and_signed",),
    ),
    Mutant(
        "signed-without-the-time",
        "A call that was overheard can be sent again for ever.",
        RULES,
        'signed = f"{delivery_id}.{at}.".encode() + body',
        'signed = f"{delivery_id}.".encode() + body',
        (f"{CALLS}test_what_was_changed_is_sent_in_order_and_signed",),
    ),
    Mutant(
        "a-refusal-is-an-answer",
        "What the other system refused is never sent again.",
        DELIVERING,
        "return self.status is not None and 200 <= self.status < 300",
        "return self.status is not None",
        (f"{CALLS}test_what_is_not_taken_is_sent_again_later_and_whole",),
    ),
    Mutant(
        "old-keys-for-ever",
        "The key that a dismissed engineer took along lets in for ever.",
        QUERIES,
        "(previous_digest = $1 AND previous_until > $2)",
        "(previous_digest = $1 AND $2::timestamptz IS NOT NULL)",
        (f"{FEED}test_the_key_before_the_last_is_good_for_a_day_only",),
    ),
)
