"""What one server keeps of its clients' bodies, and how long a client is heard whose body nobody wants.

An ordinary request is small and comes in one piece: it is not counted at all.
"""

from __future__ import annotations

from typing import Protocol

MAX_HELD_BYTES = 4 * 1024 * 1024
"""Bytes of large and of unfinished requests that a process keeps, of all its clients together.

Not counted: those of callers who are known and may send more than others (staff with a picture or a table), for whom
there is a room of their own. Were there one for all, anybody could fill it, and it is as large as two such bodies.
"""

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

    def __init__(self, largest: int = 0, largest_admitted: int = 0) -> None:
        """Room for two of the largest bodies in any case.

        Args:
            largest: bytes that anybody's body may have.
            largest_admitted: bytes that one may have whose sender was admitted.
        """
        self._common = _Room(max(MAX_HELD_BYTES, 2 * largest))
        self._admitted = _Room(2 * largest_admitted)
        self.lingering = 0

    @property
    def held(self) -> int:
        """Bytes that are kept of everybody."""
        return self._common.held + self._admitted.held

    def knows(self, sender: Sender) -> bool:
        """Whether something of its request is counted, so that the end of it must be told too."""
        return sender in self._room_of(sender).kept

    def keep(self, sender: Sender, size: int, *, more: bool, now: float) -> bool:
        """Count what has come from a client; False where there is no room for it.

        Args:
            sender: who sent it; told to go if it is slow and room is needed.
            size: bytes.
            more: the body is not all here yet.
            now: the loop's clock, in seconds.
        """
        room = self._room_of(sender)
        kept = room.kept[sender] = room.kept.get(sender, 0) + size
        room.held += size
        if more:
            room.since.setdefault(sender, now)
        else:
            room.since.pop(sender, None)  # from here on it is being worked on: nobody may send it away
        return kept <= SMALL_BYTES or room.is_enough(now)

    def admit(self, sender: Sender, now: float) -> bool:
        """From now until its answer what it sends is counted among the admitted; False where they leave no room."""
        room, size = self._common, self._common.kept.get(sender, 0)
        since = room.since.get(sender)
        self.forget(sender)
        self._admitted.kept[sender] = 0
        return self.keep(sender, size, more=since is not None, now=now if since is None else since)

    def give_back(self, sender: Sender, size: int) -> None:
        """So many bytes of what came last are not kept any more, and no rest of them is awaited."""
        room = self._room_of(sender)
        size = min(size, room.kept.get(sender, 0))
        if size:
            room.kept[sender] -= size
            room.held -= size
        room.since.pop(sender, None)

    def forget(self, sender: Sender) -> None:
        """It was answered or has left."""
        room = self._room_of(sender)
        room.held -= room.kept.pop(sender, 0)
        room.since.pop(sender, None)

    def _room_of(self, sender: Sender) -> _Room:
        return self._admitted if sender in self._admitted.kept else self._common


class _Room:
    """What is kept of some senders together, and how much that may be."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self.held = 0
        self.kept: dict[Sender, int] = {}
        self.since: dict[Sender, float] = {}  # of what is unfinished, the oldest first

    def is_enough(self, now: float) -> bool:
        """Whether the bound is kept, after the slowest have gone."""
        while self.held > self._bound:
            sender, since = next(iter(self.since.items()), (None, now))
            if sender is None or now - since < HURRIED_S:
                return False
            del self.since[sender]
            sender.refuse_body()
        return True
