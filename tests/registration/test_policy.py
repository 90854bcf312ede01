"""What a policy says of who registers: the first rule that speaks of them, and why not those before."""

from __future__ import annotations

from datetime import date

import pytest

from backend.members.joins import Applicant, Channel
from backend.registration.rules.policy import Occasion, age, decide, flaws, unmet
from backend.registration.types import Mode, Outcome, Policy, Rule, When

TODAY = date(2026, 11, 28)


def at(hour=12, **who):
    known = {"channel": Channel.PHONE, "phone": "13800138000", "name": "x"}
    return Occasion(Applicant(**known | who), TODAY, hour)


@pytest.mark.parametrize(
    ("when", "holds", "fails"),
    [
        ({"channels": ("staff", "till")}, {"channel": Channel.TILL}, {"channel": Channel.PHONE}),
        ({"store_ids": ("S1",)}, {"store_id": "S1"}, {"store_id": None}),
        ({"referred": True}, {"referred": True}, {"referred": False}),
        ({"referred": False}, {"referred": False}, {"referred": True}),
        ({"age_from": 18}, {"birthday": date(2008, 11, 28)}, {"birthday": date(2008, 11, 29)}),
        ({"age_to": 17}, {"birthday": date(2008, 11, 29)}, {"birthday": date(2008, 11, 28)}),
        ({"age_to": 17}, {"birthday": TODAY}, {"birthday": None}),
        ({"phone_prefixes": ("170", "171")}, {"phone": "+8617112345678"}, {"phone": "13817112345"}),
        ({"hour_from": 9, "hour_to": 21}, {"hour": 20}, {"hour": 21}),
        ({"hour_from": 22, "hour_to": 6}, {"hour": 5}, {"hour": 6}),
        ({"hour_from": 22}, {"hour": 23}, {"hour": 21}),
        ({"attributes": {"vip": [1]}}, {"attributes": {"vip": 1}}, {"attributes": {"vip": True}}),
        ({"attributes": {"likes": ["tea"]}}, {"attributes": {"likes": ["tea", "rice"]}}, {"attributes": {}}),
    ],
)
def test_each_condition_holds_for_some_and_not_for_others(when, holds, fails):
    assert list(unmet(When(**when), at(**holds))) == []
    assert len(list(unmet(When(**when), at(**fails)))) == 1


def test_the_first_rule_that_speaks_of_somebody_decides():
    policy = Policy(
        version=3,
        mode=Mode.RULES,
        rules=(
            Rule(title="未成年", when=When(age_to=17), outcome=Outcome.REJECT, reason="须年满 18 岁"),
            Rule(title="有推荐人", when=When(referred=True, store_ids=("S1",)), outcome=Outcome.APPROVE),
        ),
        otherwise=Outcome.QUEUE,
    )

    child = decide(policy, at(birthday=date(2015, 1, 1), referred=True, store_id="S1"))
    friend = decide(policy, at(referred=True, store_id="S1"))
    other = decide(policy, at())

    assert (child.outcome, child.rule, child.reason) == (Outcome.REJECT, "未成年", "须年满 18 岁")
    assert (friend.outcome, friend.rule) == (Outcome.APPROVE, "有推荐人")
    assert (other.outcome, other.rule) == (Outcome.QUEUE, None)
    assert other.failed == (("未成年", ("age_to",)), ("有推荐人", ("store_ids", "referred")))


@pytest.mark.parametrize(("mode", "outcome"), [(Mode.AUTOMATIC, Outcome.APPROVE), (Mode.QUEUE, Outcome.QUEUE)])
def test_other_modes_ask_no_rule(mode, outcome):
    rule = Rule(title="x", when=When(), outcome=Outcome.REJECT, reason="x")

    assert decide(Policy(version=1, mode=mode, rules=(rule,)), at()).outcome is outcome


def test_somebody_born_on_a_leap_day_is_older_from_the_first_of_march():
    assert [age(date(2008, 2, 29), date(2026, *day)) for day in ((2, 28), (3, 1))] == [17, 18]


def test_what_makes_no_sense_is_named_by_field():
    rules = (
        Rule(title="a", when=When(age_from=9, age_to=8), outcome=Outcome.REJECT),
        Rule(title="a", when=When(hour_from=8, hour_to=8), outcome=Outcome.APPROVE, reason="x"),
        Rule(title="b", when=When(hour_from=24), outcome=Outcome.APPROVE),
        Rule(title="c", when=When(hour_to=0), outcome=Outcome.APPROVE),
        Rule(title="d", when=When(hour_from=0, hour_to=24), outcome=Outcome.APPROVE),
    )

    wrong = flaws(Policy(version=0, mode=Mode.RULES, rules=rules, otherwise=Outcome.REJECT))

    assert [flaw.pointer for flaw in wrong] == [
        "/rules/0/reason",
        "/rules/0/when/age_to",
        "/rules/1/title",
        "/rules/1/reason",
        "/rules/1/when/hour_to",
        "/rules/2/when/hour_to",
        "/rules/3/when/hour_to",
        "/otherwise_reason",
    ]
    assert [one.pointer for one in flaws(Policy(version=0, mode=Mode.RULES))] == ["/rules"]
