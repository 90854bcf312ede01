"""Notifications: stored with the payment that caused them, sent by any worker, repeated until the merchant takes them.

A notification is a row from the transaction that caused it until it was taken, so that neither a crash nor the choice
of worker loses one. A worker claims due rows under a lease and sends them. Source: pay.weixin.qq.com, 支付通知.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import Any

import asyncpg
import httpx
import msgspec

from .config import SimulatorConfig, beijing_time
from .crypto import PlatformKeys
from .faults import GENUINE, Faults, spoil_delivery, spoil_envelope, spoil_resource
from .state import Connection, Store

log = logging.getLogger("miniapp_mock.notify")

RETRY_AFTER_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
HOLD_S = 30.0
ANSWER_WITHIN_S = 5.0
AT_ONCE = 16

LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What a database that went away looks like; the third is a connection that ended between two messages."""

_INSERT = """
INSERT INTO notification (id, kind, event_type, out_trade_no, url, body, state, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8)) RETURNING seq
"""
_RELEASE = """
UPDATE notification SET state = 'pending', due_at = clock_timestamp(), after_seq = $1::bigint WHERE state = 'held'
"""
# A released notification waits until the one that overtook it was tried.
_CLAIM = """
UPDATE notification SET lease_until = clock_timestamp() + interval '20 s', state = 'pending'
WHERE seq IN (
    SELECT n.seq FROM notification n
    WHERE n.state IN ('pending', 'held') AND n.due_at <= clock_timestamp()
      AND (n.lease_until IS NULL OR n.lease_until < clock_timestamp())
      AND NOT EXISTS (SELECT FROM notification o WHERE o.seq = n.after_seq AND o.state = 'pending' AND o.attempts = 0)
    ORDER BY n.due_at, n.seq LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING seq, kind, url, body, attempts
"""
_NEXT_DUE = """
SELECT extract(epoch FROM min(greatest(due_at, coalesce(lease_until, due_at))) - clock_timestamp())::float8 AS wait_s
FROM notification WHERE state IN ('pending', 'held')
"""
_TRIED = """
UPDATE notification SET attempts = attempts + 1, last_status = $2, state = $3, lease_until = NULL,
    due_at = clock_timestamp() + make_interval(secs => $4) WHERE seq = $1
"""
_SET_FAULTS = "INSERT INTO faults (body) VALUES ($1) ON CONFLICT (one) DO UPDATE SET body = excluded.body"
_LIST = """
SELECT id, kind, event_type, out_trade_no, state, attempts, last_status FROM notification
WHERE ($1::text IS NULL OR out_trade_no = $1) ORDER BY seq DESC LIMIT 200
"""


class Notifier:
    """Queues notifications, with the faults that are on, and sends what is due while there is anything to send."""

    def __init__(self, config: SimulatorConfig, store: Store, keys: PlatformKeys) -> None:
        self._config, self._store, self._keys = config, store, keys
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._closed = False

    # -- queueing

    async def enqueue(
        self, tx: Connection, event_type: str, summary: str, resource: dict[str, Any], url: str, wait_s: float = 0
    ) -> None:
        """Store one notification, and what the faults make of it, on the open transaction; ``wake`` after commit."""
        faults = await read_faults(tx)
        envelope_id = str(uuid.uuid4())
        order = resource["out_trade_no"]
        wait_s += faults.delay_s or 0

        async def put(kind: str, content: dict[str, Any], state: str, due_in_s: float) -> int:
            body = self._envelope(envelope_id, event_type, summary, content, kind)
            seq: int = await tx.fetchval(_INSERT, envelope_id, kind, event_type, order, url, body, state, due_in_s)
            return seq

        for kind in faults.forged_kinds():
            content = spoil_resource(kind, resource) if kind in _INSIDE else resource
            if content is not None:
                await put(kind, content, "pending", wait_s)
        if faults.drop:
            await put(GENUINE, resource, "dropped", wait_s)
            return
        held = bool(faults.reorder) and not await self._somebody_waits(tx)
        seq = await put(GENUINE, resource, "held" if held else "pending", HOLD_S if held else wait_s)
        for _ in range(int(faults.duplicate or 0)):
            await put(GENUINE, resource, "held" if held else "pending", HOLD_S if held else wait_s)
        if faults.reorder and not held:
            await tx.execute(_RELEASE, seq)

    async def _somebody_waits(self, tx: Connection) -> bool:
        # The lock makes two payments at the same moment agree on which of them is held back.
        await tx.execute("SELECT pg_advisory_xact_lock(7081960124)")
        return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM notification WHERE state = 'held')"))

    def _envelope(self, id_: str, event_type: str, summary: str, resource: dict[str, Any], kind: str) -> str:
        original = event_type.partition(".")[0].lower()
        encrypted = self._keys.encrypt(msgspec.json.encode(resource), original)
        envelope = {
            "id": id_,
            "create_time": beijing_time(self._config.now()),
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": summary,
            "resource": {"original_type": original} | encrypted,
        }
        spoil_envelope(kind, envelope)
        return msgspec.json.encode(envelope).decode()

    # -- sending

    def wake(self) -> None:
        """See to it that what is due gets sent; call it after the commit."""
        self._wake.set()
        if not self._closed and (self._loop is None or self._loop.done()):
            self._loop = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while not self._closed:
            self._wake.clear()
            try:
                wait_s = await self._send_due()
            except LOST as error:
                log.warning("notifications wait for the database: %s", type(error).__name__)
                wait_s = 1.0
            if wait_s is None:
                # No await between this look and the end of the task: a later wake starts a new one.
                if not self._wake.is_set():
                    return
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.02, min(wait_s, 5.0)))

    async def _send_due(self) -> float | None:
        """Start sending what is due; the seconds until more is due, or None where nothing waits."""
        room = AT_ONCE - len(self._sending)
        if room > 0:
            for row in await self._store.fetch(_CLAIM, room):
                task = asyncio.create_task(self._send(row))
                self._sending.add(task)
                task.add_done_callback(self._sent)
        found = await self._store.fetchrow(_NEXT_DUE)
        wait_s: float | None = found["wait_s"] if found else None
        return wait_s

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a notification could not be recorded: %s", type(task.exception()).__name__)

    async def _send(self, row: asyncpg.Record) -> None:
        serial = self._serial(row["seq"])
        now = int(self._config.now().timestamp())
        headers, body = spoil_delivery(row["kind"], row["body"].encode(), now, serial, self._keys.sign)
        headers |= {"Content-Type": "application/json", "Accept": "*/*", "User-Agent": "Mozilla/4.0"}
        try:
            status = (await self._http().post(row["url"], content=body, headers=headers)).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            status = 0
        state, due_in_s = self._after(row["kind"], row["attempts"], status)
        await self._store.fetch(_TRIED, row["seq"], status, state, due_in_s)

    def _after(self, kind: str, attempts_before: int, status: int) -> tuple[str, float]:
        if kind != GENUINE:
            return "sent", 0
        if status in (200, 204):
            return "taken", 0
        if attempts_before >= len(RETRY_AFTER_S):
            return "given_up", 0
        return "pending", RETRY_AFTER_S[attempts_before] * self._config.retry_factor

    def _serial(self, seq: int) -> str:
        # While a merchant moves to the public key, WeChat signs some callbacks with one name and some with the other.
        key_id = self._config.platform_public_key_id
        return key_id if key_id and seq % 2 else self._config.platform_serial

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False)
        return self._client

    async def aclose(self) -> None:
        """Stop sending; what is not sent stays stored for the next start."""
        self._closed = True
        tasks = [task for task in (self._loop, *self._sending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    # -- looking

    async def listed(self, out_trade_no: str | None) -> list[dict[str, Any]]:
        """The last 200 notifications (of that order), newest first."""
        return [dict(row) for row in await self._store.fetch(_LIST, out_trade_no)]

    async def set_faults(self, faults: Faults) -> None:
        """Replace the faults; without ``reorder`` what was held back goes out now."""
        async with self._store.transaction() as tx:
            await tx.execute(_SET_FAULTS, faults)
            if not faults.reorder:
                await tx.execute(_RELEASE, None)
        self.wake()


_INSIDE = frozenset({"amount", "mchid", "appid", "currency", "order"})


async def read_faults(connection: Connection) -> Faults:
    """The faults that are on now."""
    body = await connection.fetchval("SELECT body FROM faults")
    return msgspec.convert(body, Faults) if body else Faults()
