"""Prometheus metrics, one place for their names; right with many worker processes when PROMETHEUS_MULTIPROC_DIR is set.

That directory must be set before this module is imported (prometheus_client chooses then), be private to one running
server and be empty when it starts. Gauges say how the processes' values are put together.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_MULTIPROC_DIR = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")

# Of the process itself. A registry of our own: the global one would add collectors we do not want in a worker's answer.
REGISTRY = CollectorRegistry()

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter("huiyuan_requests", "Answered requests", ("method", "route", "status"), registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "huiyuan_request_seconds", "Time to answer a request", ("method", "route"), buckets=_FAST, registry=REGISTRY
)
LEDGER_BATCH_SIZE = Histogram(
    "huiyuan_ledger_batch_size",
    "Plans posted in one transaction",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
LEDGER_SECONDS = Histogram(
    "huiyuan_ledger_seconds", "Time to post one batch of plans", buckets=_FAST, registry=REGISTRY
)
LANE_WORKING = Gauge(
    "huiyuan_lane_working",
    "Requests of a lane that are worked on",
    ("lane",),
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
LANE_WAITING = Gauge(
    "huiyuan_lane_waiting",
    "Requests that wait for their lane",
    ("lane",),
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
LANE_REFUSED = Counter(
    "huiyuan_lane_refused", "Requests refused because too many waited for their lane", ("lane",), registry=REGISTRY
)
POOL_IN_USE = Gauge(
    "huiyuan_pool_in_use", "Connections in use", ("pool",), multiprocess_mode="livesum", registry=REGISTRY
)
# The whole system's values, measured by whichever worker looked last; with several workers the newest look counts.
OUTBOX_LAG_SECONDS = Gauge(
    "huiyuan_outbox_lag_seconds",
    "Age of the oldest event that is due and not relayed",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
OUTBOX_PENDING = Gauge(
    "huiyuan_outbox_pending",
    "Events waiting to be relayed, counted up to a bound",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
OUTBOX_PARKED = Gauge(
    "huiyuan_outbox_parked",
    "Events given up on after the last try: look at them",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
OUTBOX_RELAYED = Counter("huiyuan_outbox_relayed", "Events handled and deleted", registry=REGISTRY)
OUTBOX_FAILURES = Counter(
    "huiyuan_outbox_failures", "Tries of an event's handlers that failed", ("name",), registry=REGISTRY
)
FEED_CALLS = Counter("huiyuan_feed_calls", "Calls of subscribers' addresses", ("outcome",), registry=REGISTRY)
CODE_FAILURES = Counter("huiyuan_code_failures", "Member codes that were refused", ("reason",), registry=REGISTRY)
CONTACT_MISSES = Counter(
    "huiyuan_contact_misses", "Look-ups of contacts by staff that found nobody", ("by",), registry=REGISTRY
)
LIVE_SUBSCRIBERS = Gauge(
    "huiyuan_live_subscribers", "Open live channels", multiprocess_mode="livesum", registry=REGISTRY
)
LIVE_DROPPED = Counter(
    "huiyuan_live_dropped", "Live messages dropped because a queue was full", ("queue",), registry=REGISTRY
)
JOB_RUNS = Counter("huiyuan_job_runs", "Background jobs that ended", ("task", "outcome"), registry=REGISTRY)


_probes: list[Callable[[], None]] = []


def probe(look: Callable[[], None]) -> Callable[[], None]:
    """Have ``look`` set its gauges whenever this process renders: for what is cheaper to read than to follow."""
    _probes.append(look)
    return look


def render() -> bytes:
    """All metrics in Prometheus' text format: of every process where a directory is shared, else of this one."""
    for look in _probes:
        look()
    if not _MULTIPROC_DIR:
        return generate_latest(REGISTRY)
    merged = CollectorRegistry()
    MultiProcessCollector(merged, path=_MULTIPROC_DIR)  # type: ignore[no-untyped-call]
    return generate_latest(merged)
