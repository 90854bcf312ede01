"""Defects of the LedgerWriter: what only a crash, a lost connection or a crowd shows."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

WRITER = "backend/ledger/writer.py"
TESTS = "tests/ledger/test_writer.py::"

MUTANTS = (
    Mutant(
        "answered-before-commit",
        "The till hears that the sale went through while it is committed with the next batch, or never.",
        WRITER,
        "            return await connection.fetchval(sql, *args)",
        '            await connection.execute("COMMIT; BEGIN")\n'
        "            return await connection.fetchval(sql, *args)",
        (f"{TESTS}test_idle_connections_that_were_ended_are_opened_again",),
    ),
    Mutant(
        "commit-not-on-disk",
        "A power cut takes the sales of the last moments, which were acknowledged.",
        WRITER,
        '{"application_name": "huiyuan-ledger"}',
        '{"application_name": "huiyuan-ledger", "synchronous_commit": "off"}',
        (f"{TESTS}test_an_answer_means_that_the_posting_is_on_disk",),
    ),
    Mutant(
        "answers-mixed-up",
        "In a busy moment a till prints another member's balances.",
        WRITER,
        "zip(order, answers, strict=True)",
        "zip(range(len(plans)), answers, strict=True)",
        (f"{TESTS}test_every_plan_of_a_batch_gets_its_own_answer",),
    ),
    Mutant(
        "batch-in-order-of-arrival",
        "Two batches lock the same members crosswise: both stand still until the database kills one.",
        WRITER,
        "sorted(range(len(plans)), key=lambda index: plans[index][0])",
        "list(range(len(plans)))",
        ("tests/ledger/test_two_writers.py::test_batches_over_the_same_members_never_wait_for_each_other_crosswise",),
    ),
    Mutant(
        "batch-not-posted-again",
        "One broken connection costs every till of the batch its answer.",
        WRITER,
        "return [await self._post_alone(plan) for plan in plans]",
        "return [OutcomeUnknown() for _ in plans]",
        (f"{TESTS}test_connections_that_end_in_the_middle_of_it_cost_no_posting",),
    ),
    Mutant(
        "posted-again-with-another-key",
        "A batch that was committed when its connection broke is posted a second time: members pay twice.",
        WRITER,
        "await self._run(SINGLE, *plan)",
        """await self._run(SINGLE, plan[0], plan[1].replace('"key":"', '"key":"again', 1))""",
        (f"{TESTS}test_connections_that_end_in_the_middle_of_it_cost_no_posting",),
    ),
    Mutant(
        "silent-database-asked-again",
        "A database that hangs keeps every till waiting for minutes instead of half of one.",
        WRITER,
        "return [OutcomeUnknown() for _ in plans]",
        "return [await self._post_alone(plan) for plan in plans]",
        (f"{TESTS}test_a_database_that_does_not_answer_is_not_asked_again_for_each_plan",),
    ),
)
