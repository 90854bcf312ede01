"""The live channel's WebSocket: what was pushed for a member goes to the phone, for as long as the session stands."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import msgspec
from starlette.websockets import WebSocket

from backend.auth import queries as auth_queries
from backend.auth.types import SESSION_CHECK, MemberCaller
from backend.kernel import clock, live
from backend.kernel.errors import RateLimited, Unauthenticated

SOCKETS_PER_MEMBER = 8
"""Open sockets of one member in one process; a phone that comes back leaves a dead one behind for 40 s."""

CHECK_S = 15.0
"""A session's end is pushed here; where that is lost, it is seen within this time."""

SEND_TIMEOUT_S = 10.0
READ_PAUSE_S = 0.05

_open: Counter[int] = Counter()


async def serve(websocket: WebSocket, caller: MemberCaller) -> None:
    """Send the member's events until the phone leaves; ``Unauthenticated`` when the session or the token ends."""
    with _slot(caller.member_id):
        async with live.subscribe(caller.member_id) as inbox:
            reader = asyncio.create_task(_read(websocket))
            try:
                await _check(caller)  # it may have ended before we listened
                await _write(websocket, caller, inbox, reader)
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)


@contextmanager
def _slot(member_id: int) -> Iterator[None]:
    if _open[member_id] >= SOCKETS_PER_MEMBER:
        raise RateLimited("too many live connections of one member")
    _open[member_id] += 1
    try:
        yield
    finally:
        _open[member_id] -= 1
        if not _open[member_id]:
            del _open[member_id]


async def _read(websocket: WebSocket) -> None:
    """Notice when the phone leaves. It has nothing to say here; a talkative one is read slowly."""
    while True:
        if (await websocket.receive())["type"] == "websocket.disconnect":
            return
        await asyncio.sleep(READ_PAUSE_S)


async def _write(
    websocket: WebSocket, caller: MemberCaller, inbox: asyncio.Queue[dict[str, Any]], reader: asyncio.Task[None]
) -> None:
    check_at = monotonic() + CHECK_S
    getter: asyncio.Task[dict[str, Any]] = asyncio.create_task(inbox.get())
    try:
        while True:
            left_s = caller.token_expires_at - clock.now().timestamp()
            if left_s <= 0:
                raise Unauthenticated
            timeout = max(0.0, min(left_s, check_at - monotonic()))
            await asyncio.wait({getter, reader}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                return
            message = None
            if getter.done():
                message = getter.result()
                getter = asyncio.create_task(inbox.get())
            if monotonic() >= check_at or (message is not None and message["type"] == SESSION_CHECK):
                await _check(caller)
                check_at = monotonic() + CHECK_S
            if message is not None and message["type"] != SESSION_CHECK:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await websocket.send_text(msgspec.json.encode(message).decode())
    except TimeoutError:
        return  # the phone takes nothing any more
    finally:
        getter.cancel()


async def _check(caller: MemberCaller) -> None:
    """Refuse once the session has ended or acts for somebody else."""
    if await auth_queries.find_acting_member(caller.session_id) != caller.member_id:
        raise Unauthenticated
