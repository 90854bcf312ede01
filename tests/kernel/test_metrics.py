"""Metrics of one process, and of several that share a directory."""

from __future__ import annotations

import os
import subprocess
import sys

from backend.kernel import metrics

WORKER = """
import sys
from backend.kernel import metrics
metrics.REQUESTS.labels("GET", "/healthz", "200").inc(3)
metrics.LEDGER_BATCH_SIZE.observe(5)
metrics.POOL_IN_USE.labels("read").set(2)
metrics.OUTBOX_PENDING.set(float(sys.argv[1]))
print(metrics.render().decode() if len(sys.argv) > 2 else "")
"""


def test_renders_what_was_counted():
    metrics.CODE_FAILURES.labels("expired").inc()

    assert b'huiyuan_code_failures_total{reason="expired"}' in metrics.render()


def test_asks_probes_when_rendering(monkeypatch):
    monkeypatch.setattr(metrics, "_probes", [])

    @metrics.probe
    def look() -> None:
        metrics.POOL_IN_USE.labels("read").set(7)

    assert b'huiyuan_pool_in_use{pool="read"} 7.0' in metrics.render()


def test_processes_that_share_a_directory_are_added_up(tmp_path):
    env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    printed = [
        subprocess.run(
            [sys.executable, "-c", WORKER, *arguments], env=env, capture_output=True, text=True, check=True
        ).stdout
        for arguments in (["10"], ["20", "render"])
    ][-1]

    assert 'huiyuan_requests_total{method="GET",route="/healthz",status="200"} 6.0' in printed
    assert "huiyuan_ledger_batch_size_count 2.0" in printed
    assert 'huiyuan_pool_in_use{pool="read"} 4.0' in printed
    assert "huiyuan_outbox_pending 20.0" in printed
