"""Redis, or a cluster of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.kernel.config import CLUSTER_SCHEMES, read_redis_addresses
from backend.kernel.redis_cluster import SLOTS

from .findings import Report, Subject

REDIS_TIMEOUT_S = 2.0
_SAMPLE = 200
_OUR_KEYS = ("nonce:", "rate:", "wechat:")


@dataclass(frozen=True)
class _Answer:
    """What one server says of itself, of the cluster it belongs to, and a few of its keys."""

    info: dict[str, Any]
    sample: list[bytes | str]
    cluster: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, Any] = field(default_factory=dict)


async def redis(subject: Subject) -> Report:
    """Does it answer, can it make room, is it ours alone, and is it what its address says?"""
    url = subject.settings.redis_url
    if not url:
        return Report("not configured: works without, only slower, and live pushes stay within one process")
    from redis.exceptions import RedisError

    report = Report()
    try:
        said = await _ask(read_redis_addresses(url))
    except (RedisError, OSError) as error:
        report.error(
            "redis_unreachable",
            f"it does not answer ({type(error).__name__})",
            causes="receipts reach phones late, and rate limits count per process; no sale is concerned",
            do="start it, or put right HUIYUAN_REDIS_URL",
        )
        return report
    report.well = f"{'Valkey' if 'valkey_version' in said.info else 'Redis'} " + str(
        said.info.get("valkey_version") or said.info.get("redis_version")
    )
    _kind(report, said, clustered=url.startswith(CLUSTER_SCHEMES))
    _memory(report, int(said.info.get("maxmemory", 0)), str(said.info.get("maxmemory_policy", "")))
    _strangers(report, [_text(key) for key in said.sample])
    return report


async def _ask(addresses: Sequence[str]) -> _Answer:
    """Ask the first of these that answers; of a cluster's nodes one is enough."""
    import redis.asyncio

    for number, address in enumerate(addresses, start=1):
        client = redis.asyncio.from_url(address, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S)
        try:
            info = await client.info()
            _, sample = await client.scan(0, count=_SAMPLE)
            if not info.get("cluster_enabled"):
                return _Answer(info, sample)
            cluster, nodes = [
                await client.execute_command(command)  # type: ignore[no-untyped-call]
                for command in ("CLUSTER INFO", "CLUSTER NODES")
            ]
            return _Answer(info, sample, cluster, nodes)
        except (redis.exceptions.RedisError, OSError):
            if number == len(addresses):
                raise
        finally:
            await client.aclose()
    raise AssertionError("no address")


def _kind(report: Report, said: _Answer, *, clustered: bool) -> None:
    """A cluster is spoken to as one, and serves every slot."""
    if clustered != bool(said.cluster):
        report.error(
            "redis_cluster_unsaid" if said.cluster else "redis_no_cluster",
            "it is a node of a cluster" if said.cluster else "it is no cluster",
            causes="most keys are refused, and count as down" if said.cluster else "it counts as down",
            do=f"write HUIYUAN_REDIS_URL as {'redis+cluster://' if said.cluster else 'redis://'}…",
        )
        return
    if not said.cluster:
        return
    flags = [str(node["flags"]).split(",") for node in said.nodes.values()]
    primaries = sum("master" in flag and "fail" not in flag for flag in flags)
    replicas = sum("slave" in flag and "fail" not in flag for flag in flags)
    report.well = f"cluster of {report.well}, {primaries} primaries, {replicas} replica{'s' * (replicas != 1)}"
    unserved = SLOTS - int(said.cluster["cluster_slots_ok"])
    if unserved or said.cluster["cluster_state"] != "ok":
        report.error(
            "redis_cluster_broken",
            f"{unserved} of {SLOTS} slots are not served (cluster_state {said.cluster['cluster_state']})",
            causes="their keys count as down: limits per process, nonces in the database; no sale is concerned",
            do="start the missing primaries, or give each a replica that can take over",
        )


def _text(key: bytes | str) -> str:
    return key if isinstance(key, str) else key.decode(errors="replace")


def _memory(report: Report, limit: int, policy: str) -> None:
    if limit and policy == "noeviction":
        report.error(
            "redis_no_eviction",
            f"it refuses writes when its {limit // 2**20} MB are full (maxmemory-policy noeviction)",
            causes="from that moment on it counts as down",
            do="set maxmemory-policy allkeys-lru: nothing in it is needed for correctness",
        )
    if not limit:
        report.warn(
            "redis_unbounded",
            "it has no maxmemory",
            causes="it may take the machine's memory, and be killed for it",
            do="set maxmemory (128mb is plenty) and maxmemory-policy allkeys-lru",
        )


def _strangers(report: Report, keys: list[str]) -> None:
    strange = sorted(key for key in keys if not key.startswith(_OUR_KEYS))
    if strange:
        report.warn(
            "redis_shared",
            f"another program keeps keys in it ({strange[0].partition(':')[0][:20]}…)",
            causes="one of the two evicts or flushes what the other needs",
            do="give Huiyuan a Redis of its own, or at least a database number of its own (redis://…/3)",
        )
