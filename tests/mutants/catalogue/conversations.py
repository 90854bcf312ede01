"""Defects that lose a customer's word, say something twice, send more than WeChat takes, or show it to strangers."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

COMMANDS = "backend/conversations/commands/"
RACES = "tests/concurrency/test_one_conversation.py::"
TESTS = "tests/conversations/"

MUTANTS = (
    Mutant(
        "answers-not-counted",
        "Staff and robot send until WeChat refuses, and then nobody can answer the customer.",
        f"{COMMANDS}sending.py",
        "conversation = service.counted(conversation, windows.spend(conversation.windows, now))",
        "conversation = service.counted(conversation, conversation.windows)",
        (f"{RACES}test_twelve_answers_at_once_are_five",),
    ),
    Mutant(
        "another-answer-under-a-key",
        "Another text under a used key is acknowledged and never sent.",
        f"{COMMANDS}sending.py",
        "if known.request_hash != digest:",
        "if False:",
        (f"{TESTS}test_desk.py::test_an_answer_is_sent_once_however_often_it_is_asked_for",),
    ),
    Mutant(
        "anybody-answers",
        "Two of the staff talk to one customer, each without knowing of the other.",
        f"{COMMANDS}sending.py",
        "if conversation.state is not State.OPEN or conversation.staff_id != staff_id:",
        "if False:",
        (f"{TESTS}test_desk.py::test_only_who_has_it_answers_and_closes",),
    ),
    Mutant(
        "entry-every-time",
        "An entry that WeChat repeats is an entry more, and opens the window anew.",
        f"{COMMANDS}receive.py",
        'once = f"entered:{int(push.sent_at.timestamp())}" if push.kind == "event" else push.key',
        'once = None if push.kind == "event" else push.key',
        (f"{TESTS}test_customers.py::test_an_entry_that_comes_again_is_one",),
    ),
    Mutant(
        "every-store-sees-every-customer",
        "A store's staff read what another store's members wrote.",
        f"{COMMANDS}desk.py",
        "if found is None or not caller.reaches(await home_of(found)):",
        "if found is None:",
        (f"{TESTS}test_desk.py::test_a_store_sees_its_own_members_and_nobody_else_s",),
    ),
    Mutant(
        "window-never-ends",
        "Answers are tried after WeChat's 48 hours, and lost.",
        "backend/conversations/rules/windows.py",
        "return end if now < end else None",
        "return end",
        (f"{TESTS}test_windows.py::test_what_is_closed_and_what_is_spent_are_told_apart",),
    ),
    Mutant(
        "windows-add-up",
        "Five answers and two more go out where WeChat takes five.",
        "backend/conversations/rules/windows.py",
        "min(windows.entered_sent + (_ends(windows.entered_at, ENTERED_FOR, now) is not None), ENTERED_MOST),",
        "windows.entered_sent,",
        (f"{TESTS}test_windows.py::test_never_more_is_sent_than_wechat_counts",),
    ),
    Mutant(
        "taken-without-its-answer",
        "A message is kept and nobody answers it: its job was never queued.",
        f"{COMMANDS}receive.py",
        "if message.decision:",
        "if False:",
        (f"{TESTS}test_robot.py::test_a_guest_is_asked_to_register",),
    ),
    Mutant(
        "moved-and-left-behind",
        "Who moves to another store waits in nobody's queue there, and the old store reads on.",
        "backend/conversations/handlers.py",
        "await service.set_store(tx, member.id, member.store_id)",
        "pass",
        (f"{TESTS}test_desk.py::test_who_moves_to_another_store_is_its_staff_s_and_the_old_one_s_no_longer",),
    ),
    Mutant(
        "figures-for-the-frozen",
        "The robot tells whoever is frozen, or not approved yet, what the phone does not show them.",
        f"{COMMANDS}robot.py",
        "if member.status is not Status.ACTIVE:",
        "if False:",
        (f"{TESTS}test_robot.py::test_who_sees_no_wallet_on_the_phone_is_told_of_none_here",),
    ),
)
