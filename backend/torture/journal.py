"""What was asked and what came of it: the requests with a key, their first answers, and what is in doubt."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .wire import Answer

REMEMBERED = 3000
"""Acknowledged requests that may be sent again."""

Accept = Callable[[Any], None]


@dataclass(frozen=True)
class Request:
    """One request as its client would repeat it: only time, nonce and token change. ``who`` signs it.

    ``booked``: its key is kept in the books, where the oracle looks for it. ``media_type``: of a body that is no JSON.
    """

    who: Any
    method: str
    path: str
    body: bytes = b""
    key: str = ""
    scope: str = ""
    booked: bool = True
    media_type: str = ""


@dataclass
class Entry:
    """A request and what became of it; ``lost`` counts the times that nobody knew.

    ``over``: refusals that say that it had begun, and came to nothing.
    """

    kind: str
    request: Request
    accept: Accept | None = None
    over: frozenset[str] = frozenset()
    lost: int = 0
    answer: Answer | None = None


@dataclass
class Count:
    """What became of the requests of one kind. ``lost`` ones went unanswered at first and were then sent again."""

    accepted: int = 0
    refused: int = 0
    lost_accepted: int = 0
    lost_refused: int = 0


@dataclass
class Journal:
    """Everything with a key that was acknowledged, everything in doubt, and the counts.

    A refusal after a request that went unanswered leaves a doubt: what was lost on the way may still arrive. Then it is
    wholly there, and whoever asks again with the key is told so. What has ``begun`` may be stored and came to nothing.
    """

    accepted: dict[tuple[str, str], Entry] = field(default_factory=dict)
    doubtful: dict[tuple[str, str], Entry] = field(default_factory=dict)
    begun: set[tuple[str, str]] = field(default_factory=set)
    recent: deque[Entry] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    counts: dict[str, Count] = field(default_factory=dict)

    def note(self, entry: Entry, answer: Answer) -> None:
        """A definite answer came."""
        entry.answer = answer
        self.count(entry, answer)
        if not entry.request.key or not entry.request.booked:
            return
        where = (entry.request.scope, entry.request.key)
        if answer.good:
            self.doubtful.pop(where, None)
            self.accepted[where] = entry
            self.recent.append(entry)
        elif answer.code in entry.over:
            self.doubtful.pop(where, None)
            self.begun.add(where)
        elif entry.lost and where not in self.accepted:
            self.doubtful[where] = entry

    def count(self, entry: Entry, answer: Answer) -> None:
        """Count what became of a request."""
        count = self.counts.setdefault(entry.kind, Count())
        count.accepted += answer.good
        count.refused += not answer.good
        count.lost_accepted += answer.good and entry.lost > 0
        count.lost_refused += not answer.good and entry.lost > 0

    @property
    def operations(self) -> int:
        """How many requests were decided."""
        return sum(count.accepted + count.refused for count in self.counts.values())
