"""Defects of levels, stages and groups: taken for the wrong reason, kept for nothing, lent to strangers."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

STANDING = "backend/lifecycle/rules/standing.py"
COUNTING = "backend/lifecycle/rules/counting.py"
STAGES = "backend/lifecycle/rules/stages.py"
LOOKING = "backend/lifecycle/rules/looking.py"
SERVICE = "backend/lifecycle/service/looking.py"
GROUPS = "backend/groups/rules.py"
LENDING = "backend/groups/service.py"
PEOPLE = "backend/groups/commands/people.py"
PURE = "tests/lifecycle/test_rules.py::"
LEVELS = "tests/lifecycle/test_levels.py::"
GROUP_TESTS = "tests/groups/test_groups.py::"

MUTANTS = (
    Mutant(
        "any-return-takes-a-level-back",
        "A level is lost because some other purchase came back.",
        STANDING,
        "fact.sale_id == self.standing.sale_id",
        "True",
        (f"{PURE}test_only_the_return_of_the_purchase_that_brought_it_takes_a_level_back",),
    ),
    Mutant(
        "promoting-sale-keeps-too",
        "The purchase that brought a level keeps it for another period.",
        STANDING,
        "have = self._ledger.between(self.standing.start, last, after=self.standing.sale_id)",
        "have = self._ledger.between(self.standing.start, last)",
        (f"{PURE}test_a_level_is_kept_by_what_is_bought_within_the_period_or_the_grace",),
    ),
    Mutant(
        "no-grace",
        "A level is lost on the day after its period, whatever grace was promised.",
        STANDING,
        "last = until + timedelta(days=rule.grace_days)\n            have",
        "last = until\n            have",
        (f"{PURE}test_a_level_is_kept_by_what_is_bought_within_the_period_or_the_grace",),
    ),
    Mutant(
        "one-step-back-only",
        "A return leaves a level whose purchase had come back, too.",
        STANDING,
        "while self._goes_back(standing, on):",
        "if self._goes_back(standing, on):",
        (f"{PURE}test_a_return_goes_back_through_every_level_that_its_purchase_left",),
    ),
    Mutant(
        "level-left-behind-by-two-returns",
        "Two large purchases come back one after the other, and the level stays.",
        STANDING,
        "            self._lean(on)\n",
        "",
        (f"{PURE}test_purchases_that_come_back_one_after_the_other_leave_no_level_behind",),
    ),
    Mutant(
        "window-a-day-too-long",
        "The day a year ago counts twice in a year.",
        COUNTING,
        "return add_months(as_of, -window.months) + timedelta(days=1)",
        "return add_months(as_of, -window.months)",
        (f"{PURE}test_the_day_of_the_window_a_year_ago_counts_no_longer",),
    ),
    Mutant(
        "returns-count-on",
        "What came back goes on counting for the level.",
        COUNTING,
        "left = max(0, purchase.spent_fen - fen)",
        "left = purchase.spent_fen",
        (f"{PURE}test_only_the_return_of_the_purchase_that_brought_it_takes_a_level_back",),
    ),
    Mutant(
        "all-is-any",
        "One of several thresholds is enough where all must be met.",
        COUNTING,
        "return all(judged) if wanted.match is Match.ALL else any(judged)",
        "return any(judged)",
        (f"{PURE}test_any_or_all_of_spending_points_and_purchases",),
    ),
    Mutant(
        "stage-a-day-late",
        "A member sleeps on a day longer than the rules say.",
        STAGES,
        "ends.add(habits.days[-1] + timedelta(days=rule.idle_days_from))",
        "ends.add(habits.days[-1] + timedelta(days=rule.idle_days_from + 1))",
        (f"{PURE}test_a_stage_stays_until_the_day_that_is_told",),
    ),
    Mutant(
        "history-told-again",
        "Every look writes the same steps into the history anew.",
        LOOKING,
        "return changes[same:], same == len(told)",
        "return changes, same == len(told)",
        (f"{PURE}test_only_what_is_behind_what_was_told_is_new",),
    ),
    Mutant(
        "grants-lower",
        "A given level takes a higher one away.",
        SERVICE,
        "max([reached, *(grant.level for grant in given)], key=rules.rank)",
        "min([*(grant.level for grant in given)] or [reached], key=rules.rank)",
        (f"{LEVELS}test_a_level_that_was_given_holds_to_its_day_and_never_lowers",),
    ),
    Mutant(
        "lock-does-not-hold",
        "A level that was agreed goes with the rules all the same.",
        LENDING,
        "locked=key is not None and key.level_locked,",
        "locked=False,",
        (f"{GROUP_TESTS}test_a_key_account_has_a_least_discount_and_a_level_that_is_held",),
    ),
    Mutant(
        "closed-groups-lend",
        "People of a group that was closed keep its level.",
        GROUPS,
        "if group.state is GroupState.CLOSED:\n        return None",
        "if group.state is GroupState.CLOSED and group.level is None:\n        return None",
        (f"{GROUP_TESTS}test_what_a_group_lends_is_the_better_of_agreed_and_earned_and_nothing_when_closed",),
    ),
    Mutant(
        "invitations-without-end",
        "One invitation lets any number of people in.",
        PEOPLE,
        '"UPDATE group_invitation SET uses_left = uses_left - 1 WHERE',
        '"UPDATE group_invitation SET uses_left = uses_left WHERE',
        (f"{GROUP_TESTS}test_an_invitation_is_good_for_as_many_as_it_says_also_at_once",),
    ),
)
