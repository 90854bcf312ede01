"""Defects of surveys: who answers how often, what is shown, what is given, and what anonymity keeps back."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ANSWERING = "backend/surveys/commands/answering.py"
SERVICE = "backend/surveys/service.py"
REWARDS = "backend/surveys/commands/rewards.py"
ANSWERS = "tests/surveys/test_answering.py::"
NAMELESS = "tests/surveys/test_anonymous.py::"
ENTERING = "tests/surveys/test_entering.py::"
RESULTS = "tests/surveys/test_results.py::"
RACES = "tests/concurrency/test_one_survey.py::"

MUTANTS = (
    Mutant(
        "survey-for-others-answered",
        "A member whom the survey is not meant for answers it, and is rewarded.",
        ANSWERING,
        "        or await audience.includes(asked, participation.member_id)\n",
        "        or True\n",
        (f"{ANSWERS}test_closed_paused_foreign_and_early_surveys_take_nothing",),
    ),
    Mutant(
        "survey-answered-after-its-end",
        "Answers are taken after the closing time.",
        ANSWERING,
        "    if not survey.takes_answers(now):\n        raise SurveyClosed\n",
        "",
        (f"{ANSWERS}test_the_closing_time_is_an_instant",),
    ),
    Mutant(
        "hidden-question-answered",
        "An answer to a question that was jumped over is stored and counted.",
        "backend/surveys/rules/answering.py",
        "if question_id not in on_way",
        "if False",
        (f"{ANSWERS}test_only_what_was_shown_is_answered_and_all_that_is_required",),
    ),
    Mutant(
        "right-answers-shown-before",
        "The phone is told the right answers with the questions.",
        "backend/surveys/views.py",
        "msgspec.structs.replace(question, reference=None) for question in page.questions",
        "question for question in page.questions",
        (f"{ANSWERS}test_right_answers_are_told_afterwards_only",),
    ),
    Mutant(
        "later-phone-overwritten",
        "What an earlier phone saves late replaces what the later one saved.",
        ANSWERING,
        "if body.revision <= participation.revision:",
        "if False:",
        (f"{ANSWERS}test_what_is_saved_comes_back_on_another_phone_and_the_later_stays",),
    ),
    Mutant(
        "anonymous-answer-timed",
        "The row of an anonymous answer keeps the instant, which the member's reward has too.",
        SERVICE,
        "None if anonymous else now",
        "now",
        (f"{ANSWERS}test_an_anonymous_answer_has_no_member_and_no_hour",),
    ),
    Mutant(
        "anonymous-answer-dated",
        "An anonymous answer keeps its day, on which perhaps one member answered.",
        SERVICE,
        "week_of(today(now)) if anonymous else today(now)",
        "today(now)",
        (f"{NAMELESS}test_of_its_time_the_week_is_kept",),
    ),
    Mutant(
        "anonymous-rows-not-mixed",
        "An answer's row has its member's transaction for ever.",
        "backend/surveys/commands/mixing.py",
        'mixed = await _put_back("survey_answer", survey_id, since)',
        "mixed = 6",
        (f"{NAMELESS}test_the_rows_of_answers_and_participations_have_no_transaction_in_common_once_mixed",),
    ),
    Mutant(
        "small-group-told-by-the-sum",
        "One small group is hidden alone: all less the others tells it.",
        "backend/surveys/rules/privacy.py",
        "if not hidden or sum(counts[one] for one in hidden) >= LEAST:",
        "if True:",
        (f"{RESULTS}test_small_counts_of_an_anonymous_survey_are_not_broken_down",),
    ),
    Mutant(
        "quota-exceeded",
        "A quota counts and stops nobody.",
        SERVICE,
        "        if not taken:\n            raise SurveyFull\n",
        "",
        ("tests/surveys/test_entering.py::test_the_quota_is_exact_whoever_answers",),
    ),
    Mutant(
        "prize-given-again",
        "A prize that has run out is promised all the same.",
        SERVICE,
        "if not await _give(tx, survey.id, drawn):",
        "if await _give(tx, survey.id, drawn) and False:",
        ("tests/surveys/test_rewards.py::test_no_prize_is_given_more_often_than_there_are",),
    ),
    Mutant(
        "reward-paid-twice",
        "What was paid is looked at again: a coupon each time that the job runs.",
        REWARDS,
        "if participation is None or outcome is None or participation.paid:",
        "if participation is None or outcome is None:",
        ("tests/surveys/test_rewards.py::test_what_was_paid_is_not_paid_again",),
    ),
    Mutant(
        "late-retry-is-the-next-answer",
        "A phone that never heard of its first answer sends it again, and it counts as the next sale's.",
        ANSWERING,
        "known = before if before.done else await queries.find_done(survey_id, member_id, key=idem.key)",
        "known = before if before.done else None",
        (f"{ENTERING}test_a_later_sale_asks_anew_and_the_first_answer_alone_is_rewarded",),
    ),
    Mutant(
        "named-members-told-to-stores",
        "A cashier reads the numbers of members whom head office named one by one.",
        "backend/surveys/routes/admin.py",
        "    if not caller.office:\n        survey, taken = _of_store(survey), []",
        "    if False:\n        survey, taken = _of_store(survey), []",
        (f"{RESULTS}test_members_that_head_office_named_are_not_told_to_stores",),
    ),
    Mutant(
        "numbers-to-six-digits",
        "Numbers are counted as 1.23457e+06, and averages are wrong.",
        SERVICE,
        "number_text(given.number)",
        'f"{given.number:g}"',
        (f"{RESULTS}test_numbers_are_counted_with_all_their_digits",),
    ),
    Mutant(
        "answered-twice-at-once",
        "Two requests at once both find nothing stored.",
        ANSWERING,
        "        if participation.done:\n            return survey, _again(survey, participation, idem), True\n",
        "",
        (f"{RACES}test_one_member_sends_and_is_entered_many_times_at_once",),
    ),
)
