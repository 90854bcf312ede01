"""One log line and two metrics for every answered request.

The line goes through the common logger for people (console), but is put together here for machines: its fields are
ours and hold nothing to redact, and the common way would cost more than the rest of this layer.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter

from backend.kernel import clock, logging, metrics
from backend.kernel.config import Settings
from backend.kernel.redaction import redact_text

from .request import Request
from .routing import Route

log = logging.get("http")

UNKNOWN = "(unknown)"
MOUNTED = "(mounted)"

LINES_A_WRITE = 12
"""Fewer bytes than what a pipe takes whole (PIPE_BUF), so that the lines of several processes do not mix."""


class AccessLog:
    """Counts and logs; made once with the application."""

    def __init__(self, settings: Settings) -> None:
        self._plain = settings.log_format == "json"
        self._enabled = settings.log_level in ("debug", "info")
        self._debug = settings.log_level == "debug"
        self._lines: list[str] = []

    def note(self, request: Request, route: Route | None, label: str, status: int, started: float) -> None:
        """One request was answered with that status; ``started`` is the ``perf_counter`` of its beginning.

        Of a private route nothing is noted: a line or a count says when, and that is enough to tell who.
        """
        if route is not None and route.private:
            return
        seconds = perf_counter() - started
        counters = route.counters.get(status) if route is not None else None
        if counters is None:
            # Methods of unknown addresses are the client's words: no label of their own.
            method = route.method if route is not None else "(other)"
            counters = (
                metrics.REQUESTS.labels(method, label, str(status)),
                metrics.REQUEST_SECONDS.labels(method, label),
            )
            if route is not None:
                route.counters[status] = counters
        counters[0].inc()
        counters[1].observe(seconds)
        if self._enabled and (self._debug or status >= 400 or route is None or not route.quiet):
            self._write(request, label, status, seconds)

    def _write(self, request: Request, label: str, status: int, seconds: float) -> None:
        ms = round(seconds * 1000, 2)
        if not self._plain:
            log.info("http.request", method=request.method, route=label, status=status, ms=ms)
            return
        at = clock.now().isoformat(timespec="milliseconds")[:23]
        request_id = redact_text(request.id) if request.id_given else request.id
        line = (
            f'{{"at":"{at}Z","level":"info","logger":"http","event":"http.request","method":"{request.method}",'
            f'"route":"{label}","status":{status},"ms":{ms},"request_id":"{request_id}"}}\n'
        )
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(line)

    def _flush(self) -> None:
        """Write the lines of everything that was answered in this turn of the loop: a batch of sales ends in one."""
        lines, self._lines = self._lines, []
        try:
            for start in range(0, len(lines), LINES_A_WRITE):
                sys.stderr.write("".join(lines[start : start + LINES_A_WRITE]))
        except (OSError, ValueError):
            return
