"""What HTTP costs by itself: the smallest answer there is."""

from __future__ import annotations

from backend.bench.requests import Requests

from . import Domain, Path


def _alive(requests: Requests, _: int) -> bytes:
    return requests.plain("GET", "/healthz")


DOMAIN = Domain(order=0, paths=(Path(name="static", call="GET /healthz", request=_alive),))
