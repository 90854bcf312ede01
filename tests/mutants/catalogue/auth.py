"""Defects that let somebody in, or keep somebody in who must be out."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

GUARDS = "backend/auth/guards.py"
RULES = "backend/auth/rules.py"
SESSIONS_OF_MEMBERS = "backend/auth/commands/sessions.py"
LOGINS = "backend/auth/commands/logins.py"
TERMINALS = "tests/auth/test_terminals.py::"
SESSIONS = "tests/auth/test_sessions.py::"
STAFF = "tests/auth/test_staff.py::"

MUTANTS = (
    Mutant(
        "nonce-not-checked",
        "A recorded request of a till is sent again and gets in.",
        GUARDS,
        "if not await nonces.spend(terminal_id, nonce):",
        "if False:",
        (f"{TERMINALS}test_a_nonce_is_good_once_for_a_terminal",),
    ),
    Mutant(
        "nonce-forgotten-without-redis",
        "While Redis is gone every recorded request gets in again.",
        "backend/auth/nonces.py",
        "return await _spend_in_table(terminal_id, nonce)",
        "return True",
        (f"{TERMINALS}test_nonces_are_good_once_without_redis",),
    ),
    Mutant(
        "signature-without-key",
        "A recorded sale is sent again under a new idempotency key: the member pays twice.",
        RULES,
        "{nonce}\\n{idempotency_key}\\n{body_hash}",
        "{nonce}\\n\\n{body_hash}",
        (f"{TERMINALS}test_the_signature_covers_target_key_and_body",),
    ),
    Mutant(
        "skew-not-checked",
        "A request recorded last year is still good once its nonce is forgotten.",
        GUARDS,
        "> rules.SKEW_S:",
        "> 10**9:",
        (f"{TERMINALS}test_the_clock_may_be_300_seconds_off",),
    ),
    Mutant(
        "old-secret-for-ever",
        "A terminal's leaked secret goes on working after it was rotated.",
        GUARDS,
        " or clock.now() >= keys.previous_until:",
        ":",
        (f"{TERMINALS}test_rotation_lets_the_old_secret_in_until_its_time",),
    ),
    Mutant(
        "revocation-stays-here",
        "A revoked till goes on selling through the other processes.",
        "backend/auth/tills.py",
        "if epoch != self.epoch or self.pool is not db.pool():",
        "if self.pool is not db.pool():",
        (f"{TERMINALS}test_another_process_sees_a_revocation_when_the_epoch_moves",),
    ),
    Mutant(
        "reuse-ends-nothing",
        "A thief who used the refresh token first keeps the session when its owner comes with the dead one.",
        SESSIONS_OF_MEMBERS,
        'await service.end_sessions(tx, [given.session_id], why="reuse")',
        "pass",
        (f"{SESSIONS}test_reuse_of_a_dead_token_ends_the_whole_family",),
    ),
    Mutant(
        "logout-ends-nothing",
        "A member logs out of a lost phone, and whoever found it is still in.",
        "backend/auth/service/sessions.py",
        "AND ended_at IS NULL ORDER BY id FOR UPDATE",
        "AND ended_at IS NOT NULL ORDER BY id FOR UPDATE",
        (f"{SESSIONS}test_logout_ends_this_session_only",),
    ),
    Mutant(
        "token-for-anybody",
        "A member's access token opens the admin API where the numbers of sessions meet.",
        "backend/auth/tokens.py",
        '"verify_iat": False}',
        '"verify_iat": False, "verify_aud": False}',
        (f"{STAFF}test_a_members_token_is_no_staff_token", f"{SESSIONS}test_a_token_with_other_claims_is_refused"),
    ),
    Mutant(
        "role-dropped",
        "A clerk makes recharge offers and staff.",
        GUARDS,
        "if self.permissions and not self.permissions & held:",
        "if False:",
        ("tests/wallet/test_offers.py::test_only_head_office_keeps_offers",),
    ),
    Mutant(
        "store-scope-dropped",
        "A store's manager reads and freezes the members of every other store.",
        "backend/auth/types.py",
        "self.office or store_id == self.store_id",
        "store_id is not None",
        (f"{STAFF}test_another_stores_terminal_is_not_found",),
    ),
    Mutant(
        "second-factor-twice",
        "Whoever looks over a shoulder logs in with the same six digits within the minute.",
        LOGINS,
        " AND ($2 = 0 OR totp_step < $2)",
        " AND ($2 >= 0)",
        (f"{STAFF}test_a_second_factor_is_asked_for_and_each_code_is_good_once",),
    ),
    Mutant(
        "wrong-passwords-not-counted",
        "Passwords of staff are guessed without end.",
        LOGINS,
        "WHERE f.failures < $4 OR",
        "WHERE f.failures < $4 + 1000000 OR",
        ("tests/concurrency/test_one_identity.py::test_at_most_eight_passwords_are_judged_however_many_come_at_once",),
    ),
    Mutant(
        "old-handle-for-ever",
        "A handle that was rotated because somebody guessed at it goes on making good codes.",
        "backend/auth/types.py",
        "return self.good_until is None or at < self.good_until",
        "return True",
        ("tests/auth/test_devices.py::test_rotation_changes_the_handle_and_keeps_the_secret",),
    ),
    Mutant(
        "books-not-told-of-revocation",
        "A sale that was under way while its phone was revoked goes through after it.",
        "backend/auth/service/devices.py",
        "await ledger.revoke_device(tx, member_id, device_id)",
        "pass",
        ("tests/auth/test_devices.py::test_a_sale_that_was_planned_before_the_revocation_is_refused_after_it",),
    ),
)
