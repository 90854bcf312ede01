"""An answer's head and body in one write.

uvicorn writes them one after the other, and uvloop sends every write at once: two system calls, two packets and two
wakings of the client for each answer.
"""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Callable


class OnePiece:
    """A connection as one answer sees it: the head waits for the first of the body, which uvicorn writes right away.

    Not for an answer without a body (HEAD), and not where the first thing written is no head (``100 Continue``).
    ``leave`` ends the connection after its last answer.
    """

    __slots__ = ("_head", "_leave", "_transport")

    def __init__(self, transport: Transport, leave: Callable[[], None]) -> None:
        self._transport = transport
        self._leave = leave
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Keep the head; send it with what follows; from then on send as it comes."""
        if self._head is None:
            self._head = data
        elif self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send a head that no body followed, then leave."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._leave()
