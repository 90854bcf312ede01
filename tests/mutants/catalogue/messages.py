"""Defects of letters: who is written to, how often, and what WeChat is sent."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

DECIDING = "backend/messages/commands/deciding.py"
DELIVER = "backend/messages/commands/deliver.py"
CONSENTS = "tests/messages/test_consents.py::"
SUBSCRIPTIONS = "tests/messages/test_subscriptions.py::"
DRAFTS = "tests/messages/test_batch_drafts.py::"
BATCHES = "tests/messages/test_batches.py::"

MUTANTS = (
    Mutant(
        "letters-without-consent",
        "Who never agreed, or took it back, is sent marketing all the same.",
        DECIDING,
        "if (due.member_id, due.channel.value, due.purpose.value) in self._refused:",
        "if (due.member_id, due.channel.value, due.purpose.value) in set():",
        ("tests/messages/test_delivery.py::test_nothing_is_sent_without_consent",),
    ),
    Mutant(
        "letters-too-often",
        "A member hears of offers as often as somebody thinks of one.",
        DECIDING,
        "if most and new and self._passed[due.member_id, due.purpose] >= most:",
        "if most and new and self._passed[due.member_id, due.purpose] > most:",
        (f"{CONSENTS}test_no_member_is_written_to_too_often",),
    ),
    Mutant(
        "letters-at-nine-in-the-evening",
        "The first minute of the quiet hours is none.",
        "backend/messages/rules.py",
        "within = (at >= begins or at < ends) if over_midnight else begins <= at < ends",
        "within = (at > begins or at < ends) if over_midnight else begins <= at < ends",
        ("tests/messages/test_rules.py::test_quiet_hours_go_over_midnight_in_the_chains_zone",),
    ),
    Mutant(
        "subscription-overdrawn",
        "A member who accepted one message is sent two.",
        DECIDING,
        "if name is None or self.taken[due.member_id, name] >= self._available.get((due.member_id, name), 0):",
        "if name is None or self.taken[due.member_id, name] > self._available.get((due.member_id, name), 0):",
        (f"{SUBSCRIPTIONS}test_each_acceptance_is_one_message_and_a_retry_none",),
    ),
    Mutant(
        "subscription-refused-and-kept",
        "WeChat said that the member did not subscribe, and is asked again with each letter.",
        DELIVER,
        "    if reason == _DECLINED:\n",
        '    if reason == "":\n',
        (f"{SUBSCRIPTIONS}test_what_wechat_refuses_for_want_of_a_subscription_sets_it_to_zero",),
    ),
    Mutant(
        "letter-doubled-at-wechat",
        "A connection that broke after WeChat had the message: it is sent once more.",
        "backend/messages/channels/wechat.py",
        'raise Refused("outcome_unknown") from None',
        "raise TryAgain() from None",
        ("tests/messages/test_wechat.py::test_what_may_have_arrived_is_not_sent_again",),
    ),
    Mutant(
        "batch-that-cannot-be-stopped",
        "What was written before a batch was paused goes out all the same.",
        DECIDING,
        'return Verdict(due, State.QUEUED, "paused") if halted else None',
        "return None",
        (f"{BATCHES}test_what_is_paused_waits_and_what_is_cancelled_never_goes",),
    ),
    Mutant(
        "managers-write-to-many-without-consent",
        "A store's manager calls an offer a service notice, and needs nobody's consent.",
        "backend/messages/commands/batches.py",
        "template.purpose is Purpose.SERVICE and not caller.may(Permission.MESSAGES_SERVICE)",
        "template.purpose is Purpose.SERVICE and caller.role is None",
        (f"{BATCHES}test_a_manager_writes_to_the_own_stores_members_alone",),
    ),
    Mutant(
        "planned-batches-hold-up-all-others",
        "Twenty batches are planned for next month, and no other one is sent until then.",
        "backend/messages/commands/filling.py",
        "AND (send_at IS NULL OR send_at <= $1)",
        "AND ($1::timestamptz IS NOT NULL)",
        (f"{DRAFTS}test_what_waits_for_its_time_holds_up_none_behind_it",),
    ),
    Mutant(
        "newcomers-by-chance",
        "Of those who join while a batch is sent half are written to.",
        "backend/messages/commands/filling.py",
        "joined_until=started_at",
        "joined_until=None",
        (f"{DRAFTS}test_whom_a_batch_finds_is_judged_once_when_it_comes_to_them",),
    ),
    Mutant(
        "drafts-overwritten",
        "Two change one draft, and what the first has written is gone without a word.",
        "backend/messages/commands/batches.py",
        "if found.version != body.version:",
        "if found.version < body.version - 1:",
        (f"{DRAFTS}test_of_two_who_change_one_draft_one_wins_and_started_it_stays_as_it_is",),
    ),
)
