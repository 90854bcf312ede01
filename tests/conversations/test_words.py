"""What the robot makes of a text."""

from __future__ import annotations

import pytest

from backend.conversations.rules import words
from backend.conversations.types import Act, Match, Rule


def rule(
    id_: str, *said: str, match: Match = Match.EXACT, priority: int = 100, act: Act = Act.SAY, active: bool = True
) -> Rule:
    return Rule(id=id_, match=match, words=said, priority=priority, act=act, text="x", card=None, active=active)


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("余额", (Act.SAY, "topic:balance")),
        (" 查一下我的余额。", (Act.SAY, "topic:balance")),
        ("ＢＡＬＡＮＣＥ", (Act.SAY, "topic:balance")),
        ("积分", (Act.SAY, "topic:points")),
        ("优惠券呢？", (Act.SAY, "topic:coupons")),
        ("我的订单到哪了", (Act.SAY, "topic:orders")),
        ("转人工", (Act.STAFF, "queued")),
        ("人工：我的余额不对", (Act.STAFF, "queued")),
        ("你们几点关门", (Act.SAY, "search")),
        ("余额" + "很" * 30, (Act.SAY, "search")),
        ("", (Act.SAY, "search")),
    ],
)
def test_knows_some_words_by_itself(text, decision):
    assert words.decide(text, []) == decision


def test_staffs_rules_go_first_and_the_higher_priority_wins():
    rules = [
        rule("A", "余额"),
        rule("B", "余", match=Match.CONTAINS, priority=200, act=Act.STAFF),
        rule("C", "余额", priority=300, active=False),
    ]

    assert words.decide("余额", rules) == (Act.STAFF, "rule:B")
    assert words.decide("积分", rules) == (Act.SAY, "topic:points")


def test_of_equal_rules_the_exact_one_wins_then_the_longer_word():
    exact, longer = rule("A", "退货"), rule("C", "退货地址", match=Match.CONTAINS)
    shorter = rule("B", "退货", match=Match.CONTAINS)

    assert words.find_rule("退货", [shorter, exact, longer]) is exact
    assert words.find_rule("退货地址在哪", [shorter, exact, longer]) is longer


def test_a_word_of_nothing_but_signs_fits_nothing():
    assert words.find_rule("你好", [rule("A", "？！", match=Match.CONTAINS)]) is None
