"""Defects of care: gifts given twice, comparisons that lie, to-dos of other stores."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "backend/care/rules.py"
SERVICE = "backend/care/service.py"
RUNNING = "backend/care/commands/running.py"
TODOS = "backend/care/commands/todos.py"
PLANNING = "backend/care/commands/planning.py"
PLANS = "tests/care/test_plans.py::"
TASKS = "tests/care/test_todos.py::"
PURE = "tests/care/test_rules.py::"

MUTANTS = (
    Mutant(
        "two-birthday-gifts-a-year",
        "Every birthday plan gives its own gift to the same member.",
        SERVICE,
        "if task.on is On.BIRTHDAY and not await _first_this_year(tx, task):",
        "if task.on is On.BIRTHDAY and not (await _first_this_year(tx, task) or True):",
        (f"{PLANS}test_a_birthday_is_greeted_with_its_gift_once_a_year",),
    ),
    Mutant(
        "birthday-gifts-beside-each-other-unsaid",
        "A second birthday gift is started without anybody being asked.",
        PLANNING,
        "if others and plan.state is not PlanState.ACTIVE and not beside_other_gifts:",
        "if False:",
        (f"{PLANS}test_a_birthday_is_greeted_with_its_gift_once_a_year",),
    ),
    Mutant(
        "cut-short-is-done",
        "A day whose run was killed leaves the members behind it without their task.",
        RUNNING,
        "clock.now() if more is None else None,",
        "clock.now(),",
        (f"{PLANS}test_a_run_that_is_killed_anywhere_goes_on_and_gives_nothing_twice",),
    ),
    Mutant(
        "held-out-is-drawn-anew",
        "Who was held out before is cared for by the next run: nothing can be compared.",
        RULES,
        'f"{member_id}/{occasion}".encode(), key=seed, digest_size=8',
        'f"{member_id}".encode(), digest_size=8',
        (f"{PURE}test_chance_holds_the_share_out_and_always_the_same_members",),
    ),
    Mutant(
        "few-prove-much",
        "An effect is claimed of a handful of members.",
        RULES,
        "too_few=min(cared.members, held.members) < FEWEST_MEMBERS or",
        "too_few=",
        (f"{PURE}test_nothing_is_said_of_few",),
    ),
    Mutant(
        "gift-promised-and-not-given",
        "A letter names a coupon that was sold out.",
        RULES,
        "    if given.coupon_ids and template_id is not None:",
        "    if template_id is not None:",
        (f"{PURE}test_a_letter_promises_what_was_given",),
    ),
    Mutant(
        "another-stores-to-do",
        "A store's staff end the to-dos of another store, and read its members' numbers.",
        TODOS,
        "    task = await locks.lock_task(tx, task_id)\n    if not reaches(caller, task):",
        "    task = await locks.lock_task(tx, task_id)\n    if False:",
        (f"{TASKS}test_another_stores_task_is_not_there",),
    ),
    Mutant(
        "number-of-a-call-that-is-over",
        "A member's number can be looked up for ever after one call.",
        TODOS,
        "    if task.state is not TaskState.OPEN:\n        raise",
        "    if target is not None and task.state is not TaskState.OPEN:\n        raise",
        (f"{TASKS}test_a_call_is_made_by_the_members_store_and_gives_its_gift_once",),
    ),
    Mutant(
        "paused-plan-goes-on-giving",
        "A plan with a gift too large is paused, and gives it to everybody who was found.",
        "backend/care/commands/carrying.py",
        "if task.state is not TaskState.DUE or not await _runs(tx, plan.id):",
        "if task.state is not TaskState.DUE:",
        ("tests/care/test_stopping.py::test_a_plan_that_is_paused_while_its_letters_go_stops_at_the_next",),
    ),
    Mutant(
        "ended-plan-leaves-its-letters-due",
        "What was due when a plan ended is looked at each minute for ever, and counts as sent.",
        "backend/care/commands/carrying.py",
        "            if plan.state is PlanState.ACTIVE:",
        "            if plan.state is not PlanState.PAUSED:",
        ("tests/care/test_stopping.py::test_what_is_due_of_a_plan_that_has_ended_or_waited_too_long_is_given_up",),
    ),
)
