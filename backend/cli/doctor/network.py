"""Addresses: ours, those of proxies, and Redis."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from .findings import Report, Subject

REDIS_TIMEOUT_S = 2.0
_SAMPLE = 200
_OUR_KEYS = ("nonce:", "rate:", "wechat:")


def address(subject: Subject) -> Report:
    """Can WeChat and phones reach us under the address that we tell them?"""
    parts = urlsplit(subject.settings.base_url)
    local = _is_local(parts.hostname or "")
    report = Report(subject.settings.base_url)
    if subject.settings.demo and not local:
        report.error(
            "demo_in_production",
            f"demo mode is on, and {subject.settings.base_url} is not this machine",
            causes="anybody may log in as any member and mark any order as paid: WeChat is simulated",
            do="unset HUIYUAN_DEMO, and give the WeChat settings",
        )
    if subject.production and (local or parts.scheme != "https"):
        report.error(
            "base_url_not_public",
            f"HUIYUAN_BASE_URL is {subject.settings.base_url}",
            causes="WeChat sends payment notifications nowhere, and accepts https addresses only",
            do="set it to the public address, https://…, that the proxy serves",
        )
    return report


def proxies(subject: Subject) -> Report:
    """Is X-Forwarded-For believed where it should be, and nowhere else?"""
    trusted = subject.settings.trusted_proxies
    report = Report(trusted or "none: who connects is who asks")
    networks = [ipaddress.ip_network(item.strip(), strict=False) for item in trusted.split(",") if item.strip()]
    wide = [str(network) for network in networks if network.prefixlen < 8]
    if wide:
        report.error(
            "proxies_open",
            f"HUIYUAN_TRUSTED_PROXIES believes {', '.join(wide)}",
            causes="every client chooses its own address, and escapes the limits of logins and guesses",
            do="name the proxy's own address only, for example 127.0.0.1",
        )
    if subject.production and not networks and urlsplit(subject.settings.base_url).scheme == "https":
        report.error(
            "proxies_missing",
            "HUIYUAN_TRUSTED_PROXIES is empty, but https ends at a proxy",
            causes="all members together count as one address, and are limited as one",
            do="set it to the address from which the proxy connects, for example 127.0.0.1",
        )
    return report


async def redis(subject: Subject) -> Report:
    """Does it answer, can it make room, and is it ours alone?"""
    if not subject.settings.redis_url:
        return Report("not configured: works without, only slower, and live pushes stay within one process")
    import redis.asyncio

    client = redis.asyncio.from_url(
        subject.settings.redis_url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S
    )
    report = Report()
    try:
        info = await client.info()
        _, sample = await client.scan(0, count=_SAMPLE)
    except (redis.exceptions.RedisError, OSError) as error:
        report.error(
            "redis_unreachable",
            f"it does not answer ({type(error).__name__})",
            causes="receipts reach phones late, and rate limits count per process; no sale is concerned",
            do="start it, or put right HUIYUAN_REDIS_URL",
        )
        return report
    finally:
        await client.aclose()
    report.well = f"{'Valkey' if 'valkey_version' in info else 'Redis'} " + str(
        info.get("valkey_version") or info.get("redis_version")
    )
    _memory(report, int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", "")))
    _strangers(report, [_text(key) for key in sample])
    return report


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


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
