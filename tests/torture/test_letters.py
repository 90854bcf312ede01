"""Letters by the oracle: silent about what is true, and every planted lie is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.torture import domains
from backend.torture.domains.letters import Count, Delivery, Letters, Said
from backend.torture.oracle import Books
from backend.torture.wire import Client
from backend.torture.world import Clerk, Till, World

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Story:
    """A batch of marketing to two members, of whom one agreed; a message by WeChat; a recharge that was told."""

    def __init__(self) -> None:
        self.world = World(
            1,
            Client("127.0.0.1", 1, 1),
            lambda: NOON.timestamp(),
            tills=[Till("S1-T1", "secret", "S1")],
            staff=[Clerk("admin", "", "admin", None)],
            wechat={"app_id": "wx1"},
            members=3,
            phones=1,
        )
        self.domains = domains.load(self.world)
        self.letters = self.world.domain(Letters)
        for number, member in enumerate(self.world.members):
            member.id = 70 + number
        self.letters.meant = {"N1": frozenset({71, 72}), "N2": frozenset({71})}
        self.letters.cancelled = {"N2"}
        self.letters.words = {(71, "inbox"): True, (72, "inbox"): False}
        self.letters.accepted[71], self.letters.asked[71] = 2, 2
        self.written = {(71, "N1"): 1, (72, "N1"): 1}
        self.states = {"N1": "done", "N2": "cancelled"}
        self.sent = [
            Delivery(71, "L1", "N1", "inbox", "marketing", "delivered", None, NOON),
            Delivery(72, "L2", "N1", "inbox", "marketing", "suppressed", "no_consent", None),
            Delivery(71, "L3", "N3", "wechat", "service", "sent", None, NOON),
        ]
        self.said = [
            Said(71, "inbox", "marketing", False, NOON - timedelta(hours=2)),
            Said(71, "inbox", "marketing", True, NOON - timedelta(hours=1)),
            Said(72, "inbox", "marketing", False, NOON - timedelta(hours=1)),
        ]
        self.now = {(71, "inbox", "marketing"): True, (72, "inbox", "marketing"): False}
        self.counts = [Count(71, "TORTURE-TPL", 1, 2, 1)]
        self.at_wechat = {(f"openid-{self.world.members[1].who}", "batch-1"): 1}
        self.recharges = {"R1": 1}

    def told(self, *, final: bool = True) -> list[str]:
        facts: dict[str, list[tuple[Any, ...]]] = {
            "letters": [(*key, count) for key, count in self.written.items()],
            "letters sent": [tuple(row) for row in self.sent],
            "letters agreed": [tuple(row) for row in self.said],
            "letters agreed now": [(*key, granted) for key, granted in self.now.items()],
            "letters accepted": [tuple(row) for row in self.counts],
            "letters of batches": list(self.states.items()),
            "letters of recharges": list(self.recharges.items()),
            "letters at WeChat": [(*key, count) for key, count in self.at_wechat.items()],
        }
        return list(self.letters.check(Books({}, {}, frozenset(), {}, 0, facts), final=final))


def test_is_silent_about_what_is_true():
    assert Story().told() == []


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda story: story.written.update({(71, "N1"): 2}), "wrote twice to [71]"),
        (lambda story: story.written.update({(70, "N1"): 1}), "wrote to [70], who are not meant"),
        (lambda story: story.written.pop((72, "N1")), "is done and left out [72]"),
        (lambda story: story.states.update(N2="running"), "was cancelled and is running"),
        (lambda story: story.states.pop("N1"), "was acknowledged and is not stored"),
        (lambda story: story.said.pop(1), "went without consent"),
        (
            lambda story: story.said.append(Said(71, "inbox", "marketing", False, NOON - timedelta(minutes=5))),
            "went without consent",
        ),
        (lambda story: story.now.update({(72, "inbox", "marketing"): True}), "said False of inbox"),
        (lambda story: story.counts.clear(), "accepted 2 messages, and stored is None"),
        (lambda story: story.counts.__setitem__(0, Count(71, "TORTURE-TPL", 3, 3, 0)), "accepted 2 messages"),
        (lambda story: story.counts.append(Count(72, "TORTURE-TPL", -1, 0, 1)), "is overdrawn"),
        (
            lambda story: story.at_wechat.update({(f"openid-{story.world.members[1].who}", "batch-1"): 2}),
            "is at WeChat 2 times",
        ),
        (
            lambda story: story.at_wechat.update({(f"openid-{story.world.members[2].who}", "batch-1"): 1}),
            "had 1 messages through WeChat and accepted 0",
        ),
        (lambda story: story.at_wechat.clear(), "was sent 1 messages through WeChat, where 0 are"),
        (lambda story: story.sent.__setitem__(2, story.sent[2]._replace(state="sending")), "is under way without end"),
        (lambda story: story.recharges.update(R1=0), "was told 0 times"),
    ],
)
def test_tells_every_lie(lie, words):
    story = Story()
    lie(story)

    assert any(words in told for told in story.told()), story.told()


def test_a_word_that_passed_a_letter_on_its_way_is_no_lie():
    story = Story()
    story.said.append(Said(71, "inbox", "marketing", False, NOON - timedelta(seconds=2)))
    story.now[71, "inbox", "marketing"] = False
    story.letters.words[71, "inbox"] = False

    assert story.told() == []
