"""The listening socket that server processes share."""

from __future__ import annotations

import errno
import socket

from backend.engines.errors import EngineError

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen; a busy port is said in plain words. The socket may be inherited by children."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise EngineError(f"cannot listen on {host}: {error.strerror or error}") from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise EngineError(
                f"port {port} on {host} is in use by another program: stop it, or choose another with --port"
            ) from None
        if error.errno == errno.EACCES:
            raise EngineError(f"port {port} needs more rights than this user has: choose one above 1023") from None
        raise EngineError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return made


def address_of(made: socket.socket) -> tuple[str, int]:
    """A host and port under which this machine itself reaches the socket (a wildcard becomes the loopback)."""
    host, port = made.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    return (f"[{host}]" if ":" in host else host), port
