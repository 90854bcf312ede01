"""One run of a path against the running servers: what its clients saw, and who used the processors."""

from __future__ import annotations

import subprocess
import sys
from typing import IO, cast

import msgspec

from backend.engines import datadir

from .generator import Driven, News, Order
from .system import Say, System, Used

SPARE = 1.2
"""Prepared beyond what is expected."""

PREPARE_S_EACH = 60e-6

_NEWS = {
    "waiting": "waiting for codes that live long enough",
    "preparing": "writing {} requests",
    "started": "asking",
    "ended": "counting",
}


class Served(msgspec.Struct, kw_only=True):
    """One run of the servers: what the clients saw, and who used how much processor time."""

    driven: Driven
    used: Used

    @property
    def per_second(self) -> float:
        """Right answers a second."""
        return self.driven.accepted / self.driven.seconds if self.driven.seconds else 0.0

    @property
    def others(self) -> float:
        """The share of the machine that other programs took meanwhile."""
        return self.used.others(self.driven.drive_cpu_s)

    @property
    def cost_us(self) -> float:
        """Processor time of one request, everybody's together."""
        used = self.used.servers + self.used.postgres + self.used.valkey + self.driven.drive_cpu_s
        return used / max(1, self.driven.accepted) * 1e6


def drive(system: System, order: Order, say: Say) -> Served:
    """Run the clients' process; usage counts between its first request and its last answer."""
    command = [sys.executable, "-m", "backend.bench.generator"]
    environ = datadir.environment(system.settings)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as clients:
        try:
            stdin, stdout = cast(IO[bytes], clients.stdin), cast(IO[bytes], clients.stdout)
            stdin.write(msgspec.json.encode(order))
            stdin.close()
            before = after = system.used()
            for line in stdout:
                news = msgspec.json.decode(line, type=News)
                say(_NEWS.get(news.state, news.state).format(order.count))
                if news.state == "started":
                    before = system.used()
                elif news.state == "ended":
                    after = system.used()
                elif news.result is not None:
                    return Served(driven=news.result, used=after.since(before))
        finally:
            clients.kill()
    raise RuntimeError(f"the clients' process ended without a result (exit {clients.returncode})")
