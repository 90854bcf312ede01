"""Tell a member's open phones what has just happened, across processes; nothing depends on it arriving.

``push`` hands a message to the phones connected here at once, and to the other processes through Redis pub/sub (channel
``live:<member>``). Without Redis the phones of this process still hear. Whoever may have missed something gets
``{"type": "resync", "data": {}}`` and reads the state again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from . import logging, metrics, redis
from .config import Settings, read_redis_addresses
from .ids import new_token
from .live_channel import PREFIX, Channel
from .redis import RedisDown
from .tasks import end

log = logging.get(__name__)

RESYNC = "resync"
QUEUE_SIZE = 64
OUTGOING_SIZE = 10_000
PIPELINE_SIZE = 256
CLOSE_TIMEOUT_S = 1.0
PAUSE_AFTER_FAILURE_S = 0.5
CONFIRM_TIMEOUT_S = 0.5

_PUBLISH = "for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end"

Message = dict[str, Any]


class _Wire(msgspec.Struct, array_like=True):
    """What travels: who sent it, so that the sender can skip its own, then the message."""

    origin: str
    type: str
    data: dict[str, Any]


class _Inbox(asyncio.Queue[Message]):
    """A phone's queue. When it is full all of it makes way for one ``resync``: reading again replaces what was lost."""

    def offer(self, message: Message) -> None:
        if self.full():
            metrics.LIVE_DROPPED.labels("inbox").inc(self.qsize())
            while not self.empty():
                self.get_nowait()
            self.put_nowait({"type": RESYNC, "data": {}})
        self.put_nowait(message)


class _Hub:
    """One process's end: who listens here, what is still to be sent, and the channel to the others."""

    def __init__(self, settings: Settings | None) -> None:
        self.origin = new_token(9)
        self.inboxes: dict[int, set[_Inbox]] = {}
        self.outgoing: deque[tuple[int, bytes]] = deque(maxlen=OUTGOING_SIZE)
        self.wake = asyncio.Event()
        self.closing = False
        self.channel: Channel | None = None
        self.sender: asyncio.Task[None] | None = None
        if settings is not None and settings.redis_url:
            self.channel = Channel(read_redis_addresses(settings.redis_url), received=self.received, lost=self.lost)
            self.sender = asyncio.create_task(self.send(), name="live sender")

    def deliver(self, member_id: int, type_: str, data: dict[str, Any]) -> None:
        for inbox in self.inboxes.get(member_id, ()):
            inbox.offer({"type": type_, "data": data})

    def received(self, member_id: int, body: bytes) -> None:
        """A message came from Redis; our own was delivered when it was pushed."""
        try:
            wire = msgspec.json.decode(body, type=_Wire)
        except msgspec.DecodeError:
            log.warning("live.unreadable", size=len(body))
            return
        if wire.origin != self.origin:
            self.deliver(member_id, wire.type, wire.data)

    def lost(self) -> None:
        """The connection to Redis was gone for a while: everybody here may have missed something."""
        for inboxes in self.inboxes.values():
            for inbox in inboxes:
                inbox.offer({"type": RESYNC, "data": {}})

    async def send(self) -> None:
        """Publish what was pushed, many in a round trip; while Redis is gone it is dropped, since phones resync."""
        while self.outgoing or not self.closing:
            await self.wake.wait()
            self.wake.clear()
            while self.outgoing:
                batch = [self.outgoing.popleft() for _ in range(min(len(self.outgoing), PIPELINE_SIZE))]
                try:
                    await self.publish(batch)
                except RedisDown as error:
                    metrics.LIVE_DROPPED.labels("redis").inc(len(batch) + len(self.outgoing))
                    self.outgoing.clear()
                    log.warning("live.not_published", error=type(error).__name__)
                    await asyncio.sleep(PAUSE_AFTER_FAILURE_S)

    async def publish(self, batch: list[tuple[int, bytes]]) -> None:
        """All in one command: a reply and a call for each would cost more than the sale's own work here."""
        arguments = [part for member_id, body in batch for part in (f"{PREFIX}{member_id}", body)]
        await redis.call("EVAL", _PUBLISH, 0, *arguments)

    async def close(self) -> None:
        """Send what is waiting, for a moment at most, and disconnect."""
        if self.sender is not None:
            self.closing = True
            self.wake.set()
            await asyncio.wait({self.sender}, timeout=CLOSE_TIMEOUT_S)
            await end(self.sender)
        if self.channel is not None:
            await self.channel.close()


_hub: _Hub | None = None


async def start(settings: Settings) -> None:
    """Let pushes of this process reach the others, and theirs its phones; needs ``redis.open_client`` before."""
    global _hub
    await stop()
    _hub = _Hub(settings)


async def stop() -> None:
    """Send what was pushed and leave the channel; phones still connected here hear nothing more."""
    global _hub
    if _hub is not None:
        hub, _hub = _hub, None
        await hub.close()


def push(member_id: int, type_: str, data: dict[str, Any]) -> None:
    """Tell every open phone of a member; returns at once and raises nothing, whatever becomes of the message."""
    hub = _hub
    if hub is None:
        return
    try:
        body = msgspec.json.encode(_Wire(hub.origin, type_, data))
        if member_id in hub.inboxes:
            # Decoded again, so that a phone sees the same whichever process it hangs on.
            hub.deliver(member_id, type_, msgspec.json.decode(body, type=_Wire).data)
    except Exception as error:
        log.error("live.not_pushed", type=type_, error=type(error).__name__)
        return
    if hub.sender is not None:
        if len(hub.outgoing) == OUTGOING_SIZE:
            metrics.LIVE_DROPPED.labels("outgoing").inc()
        hub.outgoing.append((member_id, body))
        hub.wake.set()


@asynccontextmanager
async def subscribe(member_id: int) -> AsyncIterator[asyncio.Queue[Message]]:
    """A bounded queue of the member's messages, ``{"type", "data"}``, from now until the block ends.

    Inside the block everything pushed anywhere arrives once; read the state after entering it, and again on ``resync``.
    """
    global _hub
    hub = _hub = _hub or _Hub(None)
    inbox = _Inbox(QUEUE_SIZE)
    inboxes = hub.inboxes.setdefault(member_id, set())
    inboxes.add(inbox)
    metrics.LIVE_SUBSCRIBERS.inc()
    try:
        if hub.channel is not None:
            await hub.channel.join(member_id, within_s=CONFIRM_TIMEOUT_S)
        yield inbox
    finally:
        metrics.LIVE_SUBSCRIBERS.dec()
        inboxes.discard(inbox)
        if not inboxes and hub.inboxes.get(member_id) is inboxes:
            del hub.inboxes[member_id]
            if hub.channel is not None:
                hub.channel.leave(member_id)
