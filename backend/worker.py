"""The background process: relays the outbox and runs the jobs, until it is told to stop."""

from __future__ import annotations

import asyncio
import importlib
import signal
from importlib.util import find_spec

from backend.app import resources
from backend.kernel import config, events, logging
from backend.kernel.config import Settings
from backend.kernel.jobs import registry, runner
from backend.kernel.outbox import Relay
from backend.kernel.tasks import end

log = logging.get(__name__)

# In the order of the layers, lowest first: their events, handlers and jobs are registered by importing them.
DOMAINS = (
    "backend.ledger",
    "backend.wechat",
    "backend.auth",
    "backend.approvals",
    "backend.members",
    "backend.merging",
    "backend.audience",
    "backend.feeds",
    "backend.membercards",
    "backend.privacy",
    "backend.registration",
    "backend.messages",
    "backend.lifecycle",
    "backend.groups",
    "backend.wallet",
    "backend.coupons",
    "backend.points",
    "backend.rebates",
    "backend.giftcards",
    "backend.passes",
    "backend.stamps",
    "backend.cards",
    "backend.mall",
    "backend.stock",
    "backend.overrides",
    "backend.discounts",
    "backend.identities",
    "backend.orders",
    "backend.gifts",
    "backend.pos",
    "backend.reconciliation",
    "backend.shifts",
    "backend.surveys",
    "backend.notices",
    "backend.suggestions",
    "backend.cases",
    "backend.conversations",
    "backend.care",
    "backend.contact",
)

RESTART_PAUSE_S = 2.0


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what has begun; raises when the database is not there at the start."""
    config.use(settings)
    logging.configure(settings)
    load()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stopping.set)
    try:
        async with resources(settings):
            await runner.check_schema()
            log.info("worker.started", handlers=len(events.handled_names()), jobs=len(registry.declared()))
            await work(settings, stopping)
            log.info("worker.stopped")
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def load() -> None:
    """Register the events, handlers and jobs of every domain that has them."""
    events.load(DOMAINS)
    for package in DOMAINS:
        if find_spec(package) and find_spec(f"{package}.jobs"):
            importlib.import_module(f"{package}.jobs")


async def work(settings: Settings, stopping: asyncio.Event) -> None:
    """Relay and run jobs until ``stopping`` is set or the relay fails for a reason nobody foresaw."""
    relay = Relay(settings)
    relaying = asyncio.create_task(relay.run(), name="outbox relay")
    jobs = asyncio.create_task(_run_jobs(settings), name="jobs")
    told = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({relaying, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        relay.stop()
        jobs.cancel()  # which lets the running ones finish, within the grace period
        _, late = await asyncio.wait({relaying, jobs}, timeout=settings.shutdown_grace_s + 2)
        if late:
            log.warning("worker.cut_short", tasks=[task.get_name() for task in late])
        await end(*late, told)
    if not relaying.cancelled():
        relaying.result()


async def _run_jobs(settings: Settings) -> None:
    """Keep procrastinate running: it ends when one of its connections fails."""
    while True:
        try:
            await runner.run(settings)
            log.warning("worker.jobs_ended")
        except Exception as error:
            log.warning("worker.jobs_failed", error=type(error).__name__, exc_info=error)
        await asyncio.sleep(RESTART_PAUSE_S)
