"""Phones that listen: real WebSockets on the live channel, opened one after the other and kept open."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .requests import Requests
from .system import Say

TIMEOUT_S = 10.0
TELL_EVERY = 200

_UPGRADE = (
    "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
    "sec-websocket-protocol: huiyuan.v1, bearer.{token}\r\n"
)


class Phones:
    """The open sockets, at most one a member."""

    def __init__(self, host: str, port: int, requests: Requests) -> None:
        self._address = (host, port)
        self._requests = requests
        self.open: list[socket.socket] = []

    def open_to(self, count: int, say: Say) -> None:
        """Open until there are so many; ``ConnectionError`` where the server does not take one."""
        for number in range(len(self.open), count):
            self.open.append(self._connect(number))
            if number % TELL_EVERY == 0:
                say(f"{number} of {count} sockets")

    def alive(self) -> int:
        """How many the server has not closed."""
        return sum(_is_open(phone) for phone in self.open)

    def _connect(self, number: int) -> socket.socket:
        key = b64encode(number.to_bytes(16, "big")).decode()
        upgrade = _UPGRADE.format(key=key, token=self._requests.access_token(number))
        phone = socket.create_connection(self._address, timeout=TIMEOUT_S)
        phone.sendall(self._requests.plain("GET", "/v1/member/live", headers=upgrade))
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = phone.recv(4096)
            if not data:
                break
            answer += data
        if not answer.startswith(b"HTTP/1.1 101 "):
            phone.close()
            raise ConnectionError(f"socket {number} was not taken: {answer[:200].decode(errors='replace')}")
        return phone


def _is_open(phone: socket.socket) -> bool:
    """Nothing was sent but frames: an end, or a close frame (opcode 8), is the server's farewell."""
    phone.setblocking(False)
    try:
        return phone.recv(4096, socket.MSG_PEEK)[:1] not in (b"", b"\x88")
    except BlockingIOError:
        return True
    except OSError:
        return False


@contextmanager
def phones(host: str, port: int, requests: Requests) -> Iterator[Phones]:
    """Phones of this population; all are closed at the end."""
    made = Phones(host, port, requests)
    try:
        yield made
    finally:
        for phone in made.open:
            with suppress(OSError):
                phone.close()
