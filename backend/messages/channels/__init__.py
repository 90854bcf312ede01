"""The ways out of the house: what a driver of a channel is, and which are there.

A driver sends one outgoing message. It is called outside of every transaction, after the delivery was marked
``sending`` and committed; what it answers is recorded afterwards. ``outgoing.delivery_id`` is the same at each try:
a driver whose provider knows a repeat by it (``repeats_safely``) is called again for what was under way when a worker
died; with another one such a delivery has failed, for nobody can say whether it went.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from backend.kernel.config import Settings
from backend.kernel.config import settings as current_settings

from ..types import Channel, Purpose


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """What a driver is to send: ``address`` is a phone number, an e-mail address or an openid.

    ``title`` and ``body`` are the channel's text, ready; ``template_id`` and ``fields`` the provider's template where
    the channel's text names one. ``link`` is an address of the phone page, ``unsubscribe_url`` a public one (empty for
    what cannot be unsubscribed).
    """

    delivery_id: str
    member_id: int
    address: str
    title: str
    body: str
    purpose: Purpose
    link: str | None = None
    unsubscribe_url: str = ""
    template_id: str | None = None
    fields: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<outgoing {self.delivery_id}>"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The channel took it: the provider's id for it, and whether that is already an arrival."""

    provider_id: str = ""
    delivered: bool = False


class TryAgain(Exception):
    """The channel cannot take it now; it is tried again after so many seconds, as often as the settings say."""

    def __init__(self, after_s: float = 60.0, reason: str = "busy") -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.reason = reason


class Refused(Exception):
    """The channel will never take it; ``reason`` is a stable word (``unknown_address``, ``declined``…)."""

    def __init__(self, reason: str, *, bounced: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.bounced = bounced


class Driver(Protocol):
    """Sends messages on one channel."""

    channel: Channel
    repeats_safely: bool

    async def send(self, outgoing: Outgoing) -> Sent:
        """Hand it over, or raise ``Refused``, or ``TryAgain`` where it was certainly not taken or a repeat is known.

        Anything else counts as ``TryAgain`` of a driver that repeats safely, as the end of another's.
        """

    async def aclose(self) -> None:
        """End what connections it keeps."""


Maker = Callable[[Settings], Driver | None]
_makers: dict[Channel, Maker] = {}
_drivers: dict[Channel, Driver | None] = {}
_former: list[Driver] = []
"""Of settings that were changed: what they keep open is closed with the others'."""

_made_for: Settings | None = None


def offer(channel: Channel, maker: Maker) -> None:
    """Say what makes the channel's driver out of the settings; None where these do not set the channel up."""
    _makers[channel] = maker
    _drivers.pop(channel, None)


def find(channel: Channel) -> Driver | None:
    """The driver of a channel under the settings of this process, made at its first use."""
    global _made_for
    if _made_for is not current_settings():
        _former.extend(filter(None, _drivers.values()))
        _drivers.clear()
        _made_for = current_settings()
    if channel not in _drivers:
        maker = _makers.get(channel)
        _drivers[channel] = maker(current_settings()) if maker else None
    return _drivers[channel]


async def close() -> None:
    """End the connections of this process's drivers."""
    drivers = [*_former, *filter(None, _drivers.values())]
    _former.clear()
    _drivers.clear()
    for driver in drivers:
        await driver.aclose()
