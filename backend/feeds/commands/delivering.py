"""Calls of subscribers' addresses: the next entries, signed; again later where they are not taken.

A subscriber is claimed by a lease, called outside of any transaction, and the outcome is written only where nobody
moved its place meanwhile (staff who have everything sent again).
"""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from time import monotonic

import httpx
import msgspec

from backend.kernel import clock, db, ids, jobs, logging, metrics
from backend.kernel.config import settings
from backend.kernel.outbound import AddressRefused, PublicOnly, read_networks
from backend.kernel.vault import vault

from .. import queries, rules, views
from ..errors import NoAddress
from ..types import JOB, MOST_SUBSCRIBERS, Subscriber
from .subscribers import SECRET_CONTEXT

log = logging.get(__name__)

AT_ONCE = 100
MOST_CALLS = 50
RUN_S = 20.0
"""Calls of one subscriber in one run of the job, and how long it begins new ones: a worker has other jobs, too."""

TOTAL_S = 15.0
LEASE = timedelta(seconds=60)
SOON = timedelta(seconds=60)
"""What is due before that is not left to the clock, which looks once a minute."""

_TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)

_DUE = """state = 'active' AND url IS NOT NULL AND (due_at IS NULL OR due_at <= $1)
                  AND delivered < (SELECT seq FROM feed_head)"""
_CLAIM = f"""
UPDATE feed_subscriber s SET due_at = $2
 WHERE s.id = (SELECT id FROM feed_subscriber
                WHERE {_DUE}
                ORDER BY due_at NULLS FIRST, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING {queries.COLUMNS}"""  # noqa: S608 - put together of constants
_TAKEN = """
UPDATE feed_subscriber SET delivered = $3, tries = 0, due_at = $4, failing_since = NULL, last_error = NULL
 WHERE id = $1 AND delivered = $2 AND state = 'active'"""
_REFUSED = """
UPDATE feed_subscriber SET tries = tries + 1, due_at = $3, failing_since = coalesce(failing_since, $4),
       last_error = $5, state = CASE WHEN $6 THEN 'suspended' ELSE state END
 WHERE id = $1 AND delivered = $2 AND state = 'active'"""
# Of numbers that were passed over (``numbering.begin_again``) there are no entries.
_HAS_ALL = """
UPDATE feed_subscriber SET due_at = NULL, delivered = greatest(delivered, $3) WHERE id = $1 AND delivered = $2"""
_KEEP = """
INSERT INTO feed_delivery (id, subscriber_id, at, first, last, status, took_ms, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


class Outcome(msgspec.Struct, frozen=True):
    """What came of one call: the status that was answered, or what went wrong before there was one."""

    id: str
    status: int | None
    took_ms: int
    error: str | None

    @property
    def taken(self) -> bool:
        """Whether the subscriber has it now."""
        return self.status is not None and 200 <= self.status < 300


def client() -> httpx.AsyncClient:
    """A client that calls the internet with TLS, and the networks that the operator named; it follows nowhere."""
    inner = httpx.AsyncHTTPTransport(trust_env=False)
    return httpx.AsyncClient(
        transport=PublicOnly(inner, own=read_networks(settings().webhook_networks), tls=True),
        timeout=_TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "huiyuan", "Content-Type": "application/json", "Accept-Encoding": "identity"},
    )


async def deliver_due() -> int:
    """Call everybody who lacks something and is due, at the same time; returns how many calls were taken.

    Whoever lacks more than fits into a run is left due: ``is_due`` says so.
    """
    ends_at = monotonic() + RUN_S
    running: list[asyncio.Task[int]] = []
    async with client() as http, asyncio.TaskGroup() as calls:
        while len(running) < MOST_SUBSCRIBERS and (subscriber := await _claim()) is not None:
            running.append(calls.create_task(_serve(http, subscriber, ends_at)))
    return sum(one.result() for one in running)


async def is_due() -> bool:
    """Whether somebody lacks something and may be called now."""
    return await db.fetchrow(f"SELECT 1 FROM feed_subscriber WHERE {_DUE} LIMIT 1", clock.now()) is not None  # noqa: S608


async def _claim() -> Subscriber | None:
    now = clock.now()
    row = await db.fetchrow(_CLAIM, now, now + LEASE)
    return queries.subscriber_of(row) if row else None


async def _serve(http: httpx.AsyncClient, subscriber: Subscriber, ends_at: float) -> int:
    """Call one subscriber. What goes wrong here with it or its entries is put down to it, and stops nobody else's."""
    try:
        return await _deliver(http, subscriber, ends_at)
    except db.UNREACHABLE:
        raise
    except Exception as problem:
        log.warning("feeds.failed", subscriber_id=subscriber.id, exc_info=problem)
        now = await queries.get_subscriber(subscriber.id)
        await _refused(now, Outcome(ids.new_short("W"), None, 0, f"not sent: {type(problem).__name__}"[:80]))
        return 0


async def _deliver(http: httpx.AsyncClient, subscriber: Subscriber, ends_at: float) -> int:
    """Call one subscriber until it has everything, something fails, or others have waited long enough."""
    taken = 0
    for calls in range(1, MOST_CALLS + 1):
        head = await queries.head()
        entries = await queries.list_entries(subscriber.delivered, AT_ONCE)
        if not entries:
            await db.fetch(_HAS_ALL, subscriber.id, subscriber.delivered, head.seq)
            break
        items, last = await views.shown(entries, subscriber), entries[-1].seq
        if items:
            body = msgspec.json.encode(views.Batch(type="members.changed", timestamp=clock.now(), data=items))
            outcome = await call(http, subscriber, body)
            await _keep(subscriber, entries[0].seq, last, outcome)
            if not outcome.taken:
                await _refused(subscriber, outcome)
                break
            taken += 1
        over = calls == MOST_CALLS or monotonic() >= ends_at
        due_at = clock.now() + (timedelta() if over else LEASE)  # not NULL: who waits for longer is called first
        moved = await db.fetchval(f"{_TAKEN} RETURNING 1", subscriber.id, subscriber.delivered, last, due_at)
        if over or moved is None:  # None: its place was moved, or it was paused
            break
        subscriber = msgspec.structs.replace(subscriber, delivered=last, tries=0, failing_since=None)
    return taken


async def _refused(subscriber: Subscriber, outcome: Outcome) -> None:
    now = clock.now()
    ends = rules.gives_up(subscriber.failing_since, now, outcome.status)
    error = outcome.error or f"HTTP {outcome.status}"
    due_at = now + rules.wait_after(subscriber.tries + 1, random.random())  # noqa: S311 - spreads calls
    async with db.transaction() as tx:
        await db.raw(tx).execute(_REFUSED, subscriber.id, subscriber.delivered, due_at, now, error, ends)
        if not ends and due_at - now < SOON:
            await jobs.defer(tx, JOB, run_at=due_at, unique=f"{JOB}.{subscriber.id}")
    log.warning("feeds.not_taken", subscriber_id=subscriber.id, error=error, tries=subscriber.tries + 1, suspended=ends)


async def _keep(subscriber: Subscriber, first: int, last: int, outcome: Outcome) -> None:
    told = outcome.id, subscriber.id, clock.now(), first, last, outcome.status, outcome.took_ms, outcome.error
    await db.fetch(_KEEP, *told)


async def ping(subscriber_id: str) -> Outcome:
    """Call a subscriber's address with nothing in it, to see whether it answers."""
    subscriber = await queries.get_subscriber(subscriber_id)
    if subscriber.url is None:
        raise NoAddress
    body = msgspec.json.encode(views.Batch(type="ping", timestamp=clock.now(), data=[]))
    async with client() as http:
        return await call(http, subscriber, body)


async def call(http: httpx.AsyncClient, subscriber: Subscriber, body: bytes) -> Outcome:
    """Send one signed body; never raises for what the other side does."""
    delivery_id, now = ids.new_short("W"), clock.now()
    signing = await queries.find_signing(subscriber.id, now)
    if signing is None:
        return Outcome(delivery_id, None, 0, "no address")
    secrets = [vault().open(sealed, context=SECRET_CONTEXT) for sealed in signing.sealed]
    at = int(now.timestamp())
    headers = {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(at),
        "webhook-signature": rules.signatures(secrets, delivery_id, at, body),
    }
    started = monotonic()
    status, error = await _post(http, signing.url, body, headers)
    metrics.FEED_CALLS.labels("taken" if status is not None and 200 <= status < 300 else "refused").inc()
    return Outcome(delivery_id, status, int((monotonic() - started) * 1_000), error)


async def _post(
    http: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]
) -> tuple[int | None, str | None]:
    try:
        async with asyncio.timeout(TOTAL_S), http.stream("POST", url, content=body, headers=headers) as answer:
            return answer.status_code, None if answer.is_success else f"HTTP {answer.status_code}"
    except AddressRefused:
        return None, "address refused"
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, UnicodeError, ValueError) as problem:
        return None, type(problem).__name__[:80]
