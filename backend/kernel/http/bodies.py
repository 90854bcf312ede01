"""What one server keeps of its clients' bodies, and how long a client is heard whose body nobody wants.

An ordinary request is small and comes in one piece: it is not counted at all.
"""

from __future__ import annotations

from typing import Protocol

MAX_HELD_BYTES = 4 * 1024 * 1024
"""Bytes of large and of unfinished requests that a process keeps, of all its clients together."""

SMALL_BYTES = 4096
"""A request of which no more has come is taken in any case: a slow line brings its few packets one by one."""

HURRIED_S = 1.0
"""Where there is no room, bodies that have been under way for longer make it."""

LINGER_S = 2.0
LINGER_BYTES = 16 * 1024 * 1024
MAX_LINGERING = 64
"""Clients whose refused bodies are still taken in, for the sake of the answer; those of more are cut off at once.

A socket that is closed on bytes unread resets the connection, and the client may never see why it was refused.
"""

PAUSE_S = 0.01
"""Between two pieces of what is thrown away: libuv reads up to 8 MB of one client before it looks at the next."""


class Sender(Protocol):
    """A connection."""

    def refuse_body(self) -> None:
        """Answer that there is no room, and part; only after the answer of a request being worked on."""


class Bodies:
    """Who has sent how much that is not answered yet."""

    def __init__(self, largest: int = 0) -> None:
        """``largest``: bytes that one body may have; there is room for two of them in any case."""
        self._largest = largest
        self.held = 0
        self.lingering = 0
        self._kept: dict[Sender, int] = {}
        self._since: dict[Sender, float] = {}  # of what is unfinished, the oldest first

    def knows(self, sender: Sender) -> bool:
        """Whether something of its request is counted, so that the end of it must be told too."""
        return sender in self._kept

    def keep(self, sender: Sender, size: int, *, more: bool, now: float) -> bool:
        """Count what has come from a client; False where there is no room for it.

        Args:
            sender: who sent it; told to go if it is slow and room is needed.
            size: bytes.
            more: the body is not all here yet.
            now: the loop's clock, in seconds.
        """
        kept = self._kept[sender] = self._kept.get(sender, 0) + size
        self.held += size
        if more:
            self._since.setdefault(sender, now)
        else:
            self._since.pop(sender, None)  # from here on it is being worked on: nobody may send it away
        return kept <= SMALL_BYTES or self._has_room(now)

    def give_back(self, sender: Sender, size: int) -> None:
        """So many bytes of what came last are not kept any more, and no rest of them is awaited."""
        size = min(size, self._kept.get(sender, 0))
        if size:
            self._kept[sender] -= size
            self.held -= size
        self._since.pop(sender, None)

    def forget(self, sender: Sender) -> None:
        """It was answered or has left."""
        self.held -= self._kept.pop(sender, 0)
        self._since.pop(sender, None)

    def _has_room(self, now: float) -> bool:
        """Whether the bound is kept, after the slowest have gone."""
        bound = max(MAX_HELD_BYTES, 2 * self._largest)
        while self.held > bound:
            sender, since = next(iter(self._since.items()), (None, now))
            if sender is None or now - since < HURRIED_S:
                return False
            del self._since[sender]
            sender.refuse_body()
        return True
