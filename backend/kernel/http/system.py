"""The routes every deployment has: is it alive, is it ready, how does it do, what can it do."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

from backend.kernel import db, logging, metrics, redis
from backend.kernel.errors import Unavailable

from . import docs, openapi
from .guards import public
from .routing import Router
from .types import Reply

log = logging.get(__name__)

CHECK_TIMEOUT_S = 2.0


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Something ``/readyz`` asks: ``probe`` returns when it is well and raises when it is not."""

    name: str
    probe: Callable[[], Awaitable[object]]
    required: bool = True


class Health(msgspec.Struct, frozen=True):
    """The process lives."""

    status: Literal["ok"]


class Readiness(msgspec.Struct, frozen=True):
    """Whether the process can serve: `degraded` when something it can do without is down."""

    status: Literal["ready", "degraded"]
    checks: dict[str, Literal["ok", "down"]]


async def _database() -> None:
    await db.fetchval("SELECT 1")


async def _redis() -> None:
    await redis.check()


database_check = Check(name="database", probe=_database)
"""The read pool answers."""

redis_check = Check(name="redis", probe=_redis, required=False)
"""Redis answers; without it the service is degraded, not down."""


def build_router(routers: Sequence[Router], checks: Sequence[Check]) -> Router:
    """The router of ``/healthz``, ``/readyz``, ``/metrics``, ``/openapi.json`` and ``/docs``."""
    router = Router(tag="system")

    @router.get("/healthz", guard=public, rate_limited=False, quiet=True, summary="进程是否存活")
    async def healthz() -> Health:
        return Health("ok")

    @router.get("/readyz", guard=public, rate_limited=False, quiet=True, errors=(Unavailable,), summary="能否对外服务")
    async def readyz() -> Readiness:
        return await readiness(checks)

    @router.get("/metrics", guard=public, rate_limited=False, quiet=True, summary="Prometheus 指标")
    async def prometheus() -> Reply:
        return Reply(metrics.render(), "text/plain; version=0.0.4; charset=utf-8")

    docs.register(router)

    @functools.cache
    def described() -> bytes:
        # Made for the first who asks, as it takes a fifth of a start: that all can be described is what tests show.
        return msgspec.json.encode(openapi.document([*routers, router]))

    @router.get("/openapi.json", guard=public, rate_limited=False, in_schema=False)
    async def openapi_json() -> Reply:
        return Reply(await asyncio.to_thread(described), "application/json")

    return router


async def readiness(checks: Sequence[Check]) -> Readiness:
    """Ask all at once; ``Unavailable`` with the list when a required one is down."""
    results = dict(await asyncio.gather(*(_ask(check) for check in checks)))
    down = [check for check in checks if results[check.name] == "down"]
    if any(check.required for check in down):
        raise Unavailable("not ready", extra={"checks": results}, retry_after_s=2)
    return Readiness("degraded" if down else "ready", results)


async def _ask(check: Check) -> tuple[str, Literal["ok", "down"]]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check.probe()
    except Exception as error:
        log.warning("http.check_failed", check=check.name, error=type(error).__name__)
        return check.name, "down"
    return check.name, "ok"
