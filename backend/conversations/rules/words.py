"""What the robot makes of a text: staff's rules first, then what it knows by itself, then the handbook."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta

from ..types import Act, Match, Rule, Topic

WELCOMED_FOR = timedelta(hours=12)
"""A customer who comes back sooner is not welcomed again."""

WECHAT_FOR = timedelta(hours=24)
"""After so long without a word WeChat's own service has the customer no longer."""

MOST_CHARS = 30
"""Of a text in which the robot looks for its own words; who writes more wants more than a number."""

STAFF = ("人工", "转人工", "人工客服", "客服", "店员", "human", "staff")
TOPICS = {
    Topic.BALANCE: ("余额", "储值", "balance"),
    Topic.POINTS: ("积分", "points"),
    Topic.COUPONS: ("优惠券", "卡券", "coupons", "coupon"),
    Topic.ORDERS: ("订单", "物流", "快递", "orders", "order"),
}
_EDGES = " \t\r\n。，、！？!?,.;；:：~～…\"'“”‘’"

WELCOME, QUEUED, SEARCH = "welcome", "queued", "search"


def normal(text: str) -> str:
    """The text as it is compared: full-width as half-width, small letters, nothing at its edges."""
    return unicodedata.normalize("NFKC", text).casefold().strip(_EDGES)


def decide(text: str, rules: Sequence[Rule]) -> tuple[Act, str]:
    """What to do about a text, and the decision to remember.

    The decision is ``rule:<id>``, ``topic:<name>``, ``queued``, or ``search`` where only the handbook may know.
    """
    said = normal(text)
    if (rule := find_rule(said, rules)) is not None:
        return rule.act, f"rule:{rule.id}"
    if len(said) > MOST_CHARS:
        return Act.SAY, SEARCH
    if _has(said, STAFF):
        return Act.STAFF, QUEUED
    for topic, words in TOPICS.items():
        if _has(said, words):
            return Act.SAY, f"topic:{topic.value}"
    return Act.SAY, SEARCH


def find_rule(said: str, rules: Iterable[Rule]) -> Rule | None:
    """The rule that fits: the highest priority, of those an exact one, of those the one with the longer word."""
    fitting = [
        (rule.priority, rule.match is Match.EXACT, len(word), rule.id, rule)
        for rule in rules
        if rule.active
        for word in map(normal, rule.words)
        if word and (said == word if rule.match is Match.EXACT else word in said)
    ]
    return max(fitting, key=lambda found: found[:4])[4] if fitting else None


def _has(said: str, words: Iterable[str]) -> bool:
    return any(word in said for word in words)
