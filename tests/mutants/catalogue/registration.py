"""Registrations, validity, batches and imports."""

from tests.mutants.mutant import Mutant

TESTS = "tests/registration"

MUTANTS = (
    Mutant(
        "batch-never-needs-a-second-person",
        "One person freezes a hundred thousand members alone.",
        "backend/registration/commands/batches.py",
        "    return members > settings().member_batch_alone_max\n",
        "    return False\n",
        (f"{TESTS}/test_batches.py::test_above_the_bound_a_second_person_decides_and_nothing_happens_before",),
    ),
    Mutant(
        "batch-of-others-members",
        "A store's manager changes the members of another store.",
        "backend/registration/commands/batches.py",
        "audiences.check(body.audience, caller.store_id, any_status=True)",
        "audiences.check(body.audience, None, any_status=True)",
        (f"{TESTS}/test_batches.py::test_a_store_changes_its_own_members_only",),
    ),
    Mutant(
        "membership-ends-a-day-early",
        "A member is turned away at the till on the last day of the card.",
        "backend/members/types.py",
        "self.valid_until is None or on <= self.valid_until",
        "self.valid_until is None or on < self.valid_until",
        (f"{TESTS}/test_validity.py::test_the_days_are_both_included_and_frozen_members_stay_so",),
    ),
    Mutant(
        "longer-validity-thaws",
        "Who was frozen for fraud is let in by an extension of everybody's membership.",
        "backend/members/types.py",
        "        if status not in _FOLLOWS:\n            return status\n",
        "",
        (f"{TESTS}/test_validity.py::test_the_days_are_both_included_and_frozen_members_stay_so",),
    ),
    Mutant(
        "expired-members-stay-in",
        "A membership that is over goes on paying.",
        "backend/registration/service.py",
        "        if status is not one.status:\n",
        "        if status is not one.status and status is Status.ACTIVE:\n",
        (f"{TESTS}/test_validity.py::test_an_expired_member_is_refused_everywhere_by_one_code",),
    ),
    Mutant(
        "bad-rows-left-out-unasked",
        "A table with a bad row is imported all the same, and nobody misses whom it left out.",
        "backend/registration/commands/imports.py",
        "    return checked.good == 0 or (checked.bad > 0 and not skip_bad)\n",
        "    return checked.good == 0\n",
        (f"{TESTS}/test_imports.py::test_one_bad_row_makes_nothing_unless_bad_ones_are_skipped",),
    ),
    Mutant(
        "import-read-by-two",
        "A table that two jobs took up after a crash loses rows, and one that was cancelled keeps what it said.",
        "backend/registration/commands/reading.py",
        "        raise TurnLost\n\n\nasync def _read_rows(",
        "        return\n\n\nasync def _read_rows(",
        (f"{TESTS}/test_imports.py::test_a_table_is_read_by_one_at_a_time_and_by_nobody_once_it_is_cancelled",),
    ),
    Mutant(
        "waiting-applicant-merged-in",
        "Whom nobody has looked at is let in as part of somebody else.",
        "backend/registration/holdings.py",
        "        obstacles=obstacles,\n",
        "",
        (f"{TESTS}/test_applications.py::test_who_waits_is_not_merged_and_who_is_erased_waits_no_more",),
    ),
    Mutant(
        "opening-value-alone",
        "One person imports a friend with a million in stored value.",
        "backend/registration/commands/imports.py",
        "    return fen > settings().import_alone_max_fen or ",
        "    return ",
        (f"{TESTS}/test_imports.py::test_value_is_not_imported_by_one_person_alone",),
    ),
    Mutant(
        "refused-applicant-is-in",
        "Whom a rule refuses is a member all the same.",
        "backend/registration/commands/applications.py",
        "Outcome.REJECT: Status.NONE}",
        "Outcome.REJECT: Status.ACTIVE}",
        (f"{TESTS}/test_applications.py::test_rules_decide_by_themselves_and_say_why",),
    ),
)
