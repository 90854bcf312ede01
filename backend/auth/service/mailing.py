"""Links of staff may go by e-mail: by whoever can (``messages``, which stands above), where a mail server is set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backend.kernel.errors import invalid

Send = Callable[[str, str, str], Awaitable[bool]]
"""Writes to an address, with a title and a text; whether the mail server took it."""

_send: Send | None = None
_can: Callable[[str], bool] = lambda address: False  # noqa: E731 - nobody can, until somebody says so


def send_links_by(send: Send, can: Callable[[str], bool]) -> None:
    """Say who writes, and whether an address can be written to at all."""
    global _send, _can
    _send, _can = send, can


def check_address(address: str | None) -> None:
    """Refuse an address that cannot be written to, before a link is made for it; None asks for no letter."""
    if address is not None and not _can(address):
        raise invalid("/email", "cannot be written to: no address, or no mail server is set up")


async def send_link(address: str | None, title: str, text: str) -> bool:
    """Write to the address, where one is named, outside of any transaction; whether the mail server took it."""
    return address is not None and _send is not None and await _send(address, title, text)
