"""Defects of suggestion boxes and feedback: who reads, what a ticket is good for, what is stored, whose turn it is."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

WRITING = "backend/suggestions/commands/writing.py"
SERVING = "backend/suggestions/commands/serving.py"
TICKETS = "backend/suggestions/commands/tickets.py"
MIXING = "backend/suggestions/commands/mixing.py"
MOVING = "backend/cases/commands/moving.py"
AGEING = "backend/cases/commands/ageing.py"
ANONYMOUS = "tests/suggestions/test_anonymous.py::"
BOXES = "tests/suggestions/test_boxes.py::"
JOURNEY = "tests/cases/test_journey.py::"
DESK = "tests/cases/test_desk.py::"
GIVING = "tests/cases/test_giving.py::"

MUTANTS = (
    Mutant(
        "head-office-reads-every-box",
        "Who writes to a box that one person reads is read by others.",
        SERVING,
        "return caller.staff_id in box.administrators and (",
        "return (caller.store_id is None or caller.staff_id in box.administrators) and (",
        (f"{BOXES}test_only_its_administrators_read_a_box",),
    ),
    Mutant(
        "instant-of-an-unnamed-suggestion",
        "When it was written is stored: beside the log of a door or a till that says who.",
        WRITING,
        'await _say(tx, suggestion_id, 1, text, shown, secrets.token_hex(32), "", at=None)',
        'await _say(tx, suggestion_id, 1, text, shown, secrets.token_hex(32), "", at=clock.now())',
        (f"{ANONYMOUS}test_what_is_stored_joins_it_to_nobody_and_to_no_instant",),
    ),
    Mutant(
        "ticket-good-for-many",
        "One ticket fills a box.",
        WRITING,
        'if row["request"] != request:',
        'if row["request"] is None:',
        (f"{ANONYMOUS}test_a_ticket_is_good_for_one_suggestion_and_a_retry_gives_the_first_answer",),
    ),
    Mutant(
        "tickets-without-end",
        "A member has as many tickets signed as they like.",
        TICKETS,
        "if row[0] > TICKETS_A_WEEK:",
        "if row[0] > 10 * TICKETS_A_WEEK:",
        (f"{ANONYMOUS}test_ten_tickets_a_week_and_the_same_again_are_not_counted_twice",),
    ),
    Mutant(
        "rows-never-mixed",
        "The transaction of a row says for ever nearly when it was written.",
        MIXING,
        "WHERE fresh_on < $1 RETURNING",
        "WHERE fresh_on < $1 AND false RETURNING",
        (f"{ANONYMOUS}test_rows_of_a_day_that_is_over_say_nothing_of_their_order",),
    ),
    Mutant(
        "closed-box-takes-more",
        "A box that was closed is written to.",
        WRITING,
        "if box.state is not BoxState.OPEN:",
        "if box.state is None:",
        (f"{BOXES}test_a_closed_box_takes_nothing_and_what_is_in_it_is_answered",),
    ),
    Mutant(
        "step-on-an-old-version",
        "Two of the staff decide on one state of a case, and both are taken.",
        MOVING,
        "if found.version != version:",
        "if found.version < version:",
        (f"{JOURNEY}test_each_step_names_the_version_it_was_decided_on",),
    ),
    Mutant(
        "another-store-s-case",
        "A store's staff read and answer what another store's customers complain of.",
        MOVING,
        "return who.reaches(found.store_id) if isinstance(who, StaffCaller) else found.member_id == who",
        "return isinstance(who, StaffCaller) or found.member_id == who",
        (f"{JOURNEY}test_another_s_case_is_not_there",),
    ),
    Mutant(
        "closed-unanswered",
        "A complaint is closed, and nobody said a word to it.",
        "backend/cases/rules.py",
        "Action.CLOSE: dict.fromkeys((S.ANSWERED, S.CONFIRMED), S.CLOSED),",
        "Action.CLOSE: dict.fromkeys((*WAITING, S.ANSWERED, S.CONFIRMED), S.CLOSED),",
        ("tests/cases/test_rules.py::test_nothing_is_closed_without_an_answer",),
    ),
    Mutant(
        "note-shown-to-the-member",
        "What staff write for themselves is read by the customer it is about.",
        "backend/cases/views.py",
        "*(Action.CLOSE, Action.RATE, Action.GIVE),",
        "*(Action.CLOSE, Action.RATE, Action.GIVE, Action.NOTE),",
        ("tests/cases/test_journey.py::test_notes_are_the_staff_s",),
    ),
    Mutant(
        "overdue-is-everybody-s-at-once",
        "Head office is sent what the store's manager has not seen yet.",
        AGEING,
        "if found.store_id is None or found.due_at <= now - timedelta(hours=settings().case_escalate_hours):",
        "if found.store_id is None or found.due_at <= now:",
        (f"{DESK}test_an_overdue_case_is_the_manager_s_and_then_head_office_s_once_each",),
    ),
    Mutant(
        "case-gives-without-a-bound",
        "A clerk gives a friend as many points as the body says.",
        "backend/cases/rules.py",
        "if (gift.points or 0) > allowed.points or allowed.gifts < 1:",
        "if allowed.gifts < 1:",
        (f"{GIVING}test_what_may_not_be_given_is_refused_and_moves_nothing",),
    ),
    Mutant(
        "gifts-of-a-day-counted-side-by-side",
        "Who gives with ten cases at once gives more than a day's.",
        "backend/cases/commands/giving.py",
        'await locks.lock_key(tx, f"case gifts of {caller.staff_id}")',
        'await locks.lock_key(tx, f"case gifts of {found.id}")',
        (f"{GIVING}test_somebody_gives_so_often_a_day_also_at_once",),
    ),
    Mutant(
        "gift-for-the-own-case",
        "Somebody of the staff complains as a member, and is generous to themselves.",
        "backend/cases/commands/giving.py",
        ".member_id == str(found.member_id):",
        ".member_id == found.member_id:",
        (f"{GIVING}test_nobody_gives_for_the_own_case",),
    ),
)
