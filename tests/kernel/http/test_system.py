"""Health, readiness, metrics; and a shutdown whose patience ends."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from backend.kernel.errors import Unavailable
from backend.kernel.http import Check
from backend.kernel.http.system import readiness

from .conftest import Site, make_settings, serving


async def _well() -> None:
    return


async def _ill() -> None:
    raise ConnectionError("no route to host")


def test_a_process_that_lives_says_so(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}


def test_ready_when_nothing_is_asked(http: httpx.Client) -> None:
    assert http.get("/readyz").json() == {"status": "ready", "checks": {}}


async def test_degraded_when_something_it_can_do_without_is_down() -> None:
    checks = [Check(name="database", probe=_well), Check(name="redis", probe=_ill, required=False)]

    answer = await readiness(checks)

    assert answer.status == "degraded"
    assert answer.checks == {"database": "ok", "redis": "down"}


async def test_not_ready_when_something_it_needs_is_down() -> None:
    with pytest.raises(Unavailable) as refused:
        await readiness([Check(name="database", probe=_ill), Check(name="redis", probe=_well, required=False)])

    assert refused.value.extra == {"checks": {"database": "down", "redis": "ok"}}


def test_metrics_count_by_route_and_never_by_what_a_client_made_up(http: httpx.Client) -> None:
    http.get("/v1/orders/12345")
    http.request("BREW", "/made-up-by-a-client")

    answer = http.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert 'route="/v1/orders/{order_id}",status="200"' in answer.text
    assert "orders/12345" not in answer.text
    assert "made-up" not in answer.text
    assert "BREW" not in answer.text


def test_a_shutdown_whose_grace_ends_tells_who_still_waits() -> None:
    answers: list[httpx.Response] = []
    with serving(make_settings(shutdown_grace_s=0.1)) as site:
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(f"{site.base_url}/v1/stuck", trust_env=False, timeout=60))
        )
        asking.start()
        time.sleep(0.15)
        site.stop()
        asking.join(60)

    assert [answer.status_code for answer in answers] == [503]
    assert answers[0].json()["code"] == "unavailable"
    assert answers[0].headers["retry-after"] == "1"


def test_a_proxy_that_is_trusted_names_the_sender() -> None:
    with serving(make_settings(trusted_proxies="127.0.0.0/8, 10.0.0.1")) as site:
        seen = [_sender(site, header) for header in ("203.0.113.7", "6.6.6.6, 203.0.113.7, 10.0.0.1", "nonsense", "")]
        network = _sender(site, "2001:db8:1:2:3:4:5:6")

    assert seen == ["203.0.113.7", "203.0.113.7", "127.0.0.1", "127.0.0.1"]
    assert network == "2001:db8:1:2::/64"


def _sender(site: Site, forwarded: str) -> str:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    client: str = httpx.post(f"{site.base_url}/v1/raw", headers=headers, trust_env=False).json()["client"]
    return client
