"""Customer service by the oracle: silent about what is true, and every planted lie is told."""

from __future__ import annotations

from typing import Any

import pytest

from backend.torture import domains
from backend.torture.domains.chats import Chats, Said
from backend.torture.domains.wechat import Wechat
from backend.torture.oracle import Books
from backend.torture.wire import Client
from backend.torture.world import Clerk, Till, World


class Story:
    """A customer wrote twice and a member once; one answer was sent, another one refused."""

    def __init__(self) -> None:
        self.world = World(
            1,
            Client("127.0.0.1", 1, 1),
            lambda: 1_795_435_200.0,
            tills=[Till("S1-T1", "secret", "S1")],
            staff=[Clerk("admin", "", "admin", None)],
            wechat={"app_id": "wx1"},
            members=1,
            phones=1,
        )
        self.domains = domains.load(self.world)
        self.chats = self.world.domain(Chats)
        self.world.domain(Wechat).message_ids.add(3)
        first, second, third = (self.chats.key_of(number) for number in (1, 2, 3))
        self.chats.asked |= {first, second}
        self.chats.taken |= {first, second}
        self.chats.answers[5, 2] = "answer-1"
        self.rows = [
            Said(5, 1, "customer", "text", "received", first, "余额"),
            Said(5, 2, "staff", "text", "sent", "staff:1:k", "answer-1"),
            Said(5, 3, "customer", "text", "received", second, "你好"),
            Said(5, 4, "staff", "text", "refused", "staff:1:l", "answer-2"),
            Said(6, 1, "customer", "text", "received", third, "余额"),
        ]
        self.texts = ["answer-1", "您好"]
        self.refusals = [("openid-t1-0", 45047), (self.chats.openids[0], 45015)]
        self.last = {5: 4, 6: 1}

    def told(self, *, final: bool = True) -> list[str]:
        facts: dict[str, list[tuple[Any, ...]]] = {
            "chat messages": [tuple(row) for row in self.rows],
            "chats": list(self.last.items()),
            "chat refusals": list(self.refusals),
            "chat texts": [(text,) for text in self.texts],
        }
        return list(self.chats.check(Books({}, {}, frozenset(), {}, 0, facts), final=final))


def test_is_silent_about_what_is_true():
    assert Story().told() == []


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda story: story.rows.pop(2), "was taken and is not stored"),
        (lambda story: story.chats.asked.clear(), "is stored that nobody wrote"),
        (lambda story: story.last.update({5: 5}), "has not the messages 1 to 5"),
        (lambda story: story.chats.answers.update({(5, 9): "answer-9"}), "was acknowledged, and stored is None"),
        (lambda story: story.texts.append("answer-1"), "is at WeChat 2 times"),
        (lambda story: story.texts.remove("answer-1"), "is at WeChat 0 times"),
        (lambda story: story.texts.append("answer-2"), "is at WeChat 1 times"),
        (lambda story: story.refusals.append((story.chats.openids[1], 45047)), "was sent more than WeChat takes"),
        (lambda story: story.rows.__setitem__(3, story.rows[3]._replace(stage="sending")), "is still under way"),
    ],
)
def test_tells_every_lie(lie, words):
    story = Story()
    lie(story)

    assert any(words in told for told in story.told())
