"""Defects of staff's log-ins, roles, approvals and the audit log."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

AUDIT = "tests/auth/test_audit.py::"
PEOPLE = "tests/auth/test_people.py::"
DECIDING = "tests/approvals/test_deciding.py::"
SERVICE = "backend/auth/service/staff.py"
TRAILS = "backend/auth/trails.py"
APPROVALS = "backend/approvals/commands.py"

MUTANTS = (
    Mutant(
        "a-link-outlives-its-maker",
        "Whoever was sent away makes themselves a login by an invitation that they kept.",
        "backend/auth/commands/links.py",
        "        await _check_maker(tx, rows[0])\n",
        "",
        ("tests/auth/test_escalation.py::test_a_link_ends_with_the_right_to_make_it",),
    ),
    Mutant(
        "a-recovery-code-makes-old-codes-good-again",
        "After a log-in by recovery code a code of the second factor that was seen is good once more.",
        "backend/auth/commands/logins.py",
        "greatest(totp_step, $2)",
        "$2",
        ("tests/auth/test_escalation.py::test_a_code_stays_spent_after_a_log_in_by_recovery_code",),
    ),
    Mutant(
        "two-logins-are-two-people",
        "Somebody makes themselves a second login and approves what they asked for.",
        APPROVALS,
        "        await _check_hands(tx, approval, caller)\n",
        "",
        (f"{DECIDING}test_a_second_login_in_the_same_hands_is_no_second_person",),
    ),
    Mutant(
        "two-logins-of-one-maker-are-two-people",
        "Somebody makes themselves two more logins: one asks, the other approves.",
        "backend/approvals/hands.py",
        "    return asker & holders(decided_by, ties, decided_at - new, decided_at)\n",
        "    return asker & {decided_by}\n",
        (f"{DECIDING}test_whoever_may_hold_both_logins_is_one_person",),
    ),
    Mutant(
        "the-closed-go-on-asking",
        "What somebody asked for who was sent away is done all the same.",
        APPROVALS,
        "        if not await auth_service.stays_active(tx, approval.asked_by):\n            raise ApprovalAskerGone\n",
        "",
        (f"{DECIDING}test_what_somebody_asked_for_who_was_closed_since_is_not_done",),
    ),
    Mutant(
        "an-open-session-resets-its-own-login",
        "Whoever finds an open console takes the login over for good, past password and second factor.",
        SERVICE,
        "    if person.id == caller.staff_id:\n        raise OwnLogin\n",
        "",
        (f"{PEOPLE}test_an_open_session_alone_gets_past_no_password_second_factor_or_lock",),
    ),
    Mutant(
        "store-staff-hold-what-is-head-office-s",
        "A store's auditor reads what every store owes and earns.",
        "backend/auth/rules.py",
        "return found if store_id is None else frozenset(one for one in found if not one.office)",
        "return found",
        ("tests/security/test_authorization.py::test_a_permission_that_does_not_go_by_store_is_for_nobody_in_a_store",),
    ),
    Mutant(
        "withheld-permissions-held",
        "Head office takes a permission from a role, and its people go on.",
        "backend/auth/rules.py",
        " and one not in less",
        "",
        (f"{PEOPLE}test_what_is_built_in_is_changed_within_bounds_and_keeps_what_a_release_adds",),
    ),
    Mutant(
        "approved-without-being-done",
        "An approval says approved, and nothing was done.",
        APPROVALS,
        "        await kind.apply(tx, msgspec.json.decode(approval.body, type=kind.body), approved)\n",
        "",
        (f"{DECIDING}test_what_a_second_person_approves_is_done",),
    ),
    Mutant(
        "another-store-decides",
        "A manager approves what another store asked for.",
        "backend/approvals/rules.py",
        " and caller.reaches(approval.store_id)",
        "",
        (f"{DECIDING}test_another_store_s_and_whoever_lacks_the_permission_find_nothing",),
    ),
    Mutant(
        "audit-row-after-the-transaction",
        "A process that dies after the commit has done something that nobody finds.",
        "backend/kernel/db.py",
        "            kept = await trail.before_commit(tx)\n",
        "            kept = None\n",
        (f"{AUDIT}test_the_row_is_in_the_transaction_that_does_it",),
    ),
    Mutant(
        "success-written-of-what-was-rolled-back",
        "The log says that it was done, and it was not.",
        TRAILS,
        "        if not self.kept or code:",
        "        if not self.kept:",
        ("tests/auth/test_audit.py::test_what_fails_after_its_transaction_has_both_rows",),
    ),
    Mutant(
        "refusals-not-logged",
        "Who tries what they may not leaves nothing.",
        "backend/kernel/http/pipeline.py",
        "            await route.watch.refused(route, request, error)\n",
        "            pass\n",
        (f"{AUDIT}test_what_is_refused_is_there_with_its_code",),
    ),
    Mutant(
        "audit-log-of-all-stores",
        "A store's manager reads what head office and every other store did.",
        "backend/auth/routes/log.py",
        "    store_id = query.store_id or caller.store_id",
        "    store_id = query.store_id",
        (f"{AUDIT}test_a_store_sees_its_own_staff_and_whoever_lacks_the_permission_nothing",),
    ),
    Mutant(
        "gives-what-one-may-not",
        "Who manages people makes a friend head office.",
        SERVICE,
        "    if not caller.reaches(store_id) or not rules.held(role, store_id, *changed(row)) <= caller.permissions:",
        "    if not caller.reaches(store_id):",
        (f"{PEOPLE}test_nobody_gives_or_decides_over_what_they_may_not_do",),
    ),
    Mutant(
        "takes-over-who-may-more",
        "Who manages people resets the password of head office, and is head office.",
        SERVICE,
        "    if not held <= caller.permissions:\n        raise BeyondOneself",
        "    if not held:\n        raise BeyondOneself",
        (f"{PEOPLE}test_nobody_gives_or_decides_over_what_they_may_not_do",),
    ),
    Mutant(
        "last-admin-closed",
        "Nobody is left who may do everything.",
        SERVICE,
        '    if all(row["id"] == but for row in rows):\n        raise LastAdmin',
        "    if not rows:\n        raise LastAdmin",
        (f"{PEOPLE}test_the_last_who_may_do_everything_stays",),
    ),
    Mutant(
        "sessions-survive-the-password",
        "Who stole a session keeps it when its owner changes the password.",
        SERVICE,
        "    await end_staff_sessions(tx, staff_id)\n\n\ndef _code_digest",
        "    pass\n\n\ndef _code_digest",
        (f"{PEOPLE}test_the_own_password_is_changed_with_the_one_of_now_and_every_session_ends",),
    ),
    Mutant(
        "recovery-code-again",
        "A recovery code that was read over a shoulder is good for ever.",
        SERVICE,
        " AND digest = $2 AND used_at IS NULL",
        " AND digest = $2",
        (f"{PEOPLE}test_a_second_factor_is_set_replaced_and_survived_with_a_recovery_code",),
    ),
)
