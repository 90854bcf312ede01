"""Addresses: ours, and those of proxies."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from .findings import Report, Subject


def address(subject: Subject) -> Report:
    """Can WeChat and phones reach us under the address that we tell them?"""
    parts = urlsplit(subject.settings.base_url)
    local = is_local(parts.hostname or "")
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


def is_local(host: str) -> bool:
    """Whether this is the machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
