"""``huiyuan serve`` in production's way: settings from the environment, several workers on one socket."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from backend.engines import datadir
from backend.kernel.config import Settings

SERVE = [sys.executable, "-m", "backend.cli.main", "serve"]


def test_workers_share_a_port_and_finish_together(settings: Settings):
    environ = datadir.environment(settings)
    few_files = f"ulimit -Sn 256; exec {shlex.join([*SERVE, '--port', '0', '--workers', '2'])}"
    serving = subprocess.Popen(["sh", "-c", few_files], env=environ, stdout=subprocess.PIPE, text=True)
    assert serving.stdout is not None
    url = serving.stdout.readline().split()[-1]
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/readyz", timeout=60).status_code == 200:
                break
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline

    metrics = httpx.get(f"{url}/metrics").text
    workers = Path(f"/proc/{serving.pid}/task/{serving.pid}/children").read_text().split()
    limits = [Path(f"/proc/{pid}/limits").read_text() for pid in workers]
    loaded = [Path(f"/proc/{pid}/maps").read_text() for pid in workers]
    serving.send_signal(signal.SIGTERM)
    serving.communicate(timeout=60)

    assert serving.returncode == 0
    assert [("Max open files            256" in text) for text in limits] == [False, False]
    assert [("pydantic" in text, "uvloop" in text) for text in loaded] == [(False, True)] * 2  # backend/cli/process.py
    assert 'huiyuan_requests_total{method="GET",route="/readyz",status="200"}' in metrics


def test_without_settings_it_says_which_are_missing():
    environ = {"PATH": "/usr/bin:/bin"}

    refused = subprocess.run(SERVE, env=environ, capture_output=True, text=True, check=False)

    assert refused.returncode == 2
    assert "HUIYUAN_DATABASE_URL: is required" in refused.stderr
    assert "HUIYUAN_MASTER_KEYS: is required" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_cannot_be_reached_is_said_in_one_line():
    environ = {
        "PATH": "/usr/bin:/bin",
        "HUIYUAN_DATABASE_URL": "postgresql://app:sekret@127.0.0.1:1/huiyuan",
        "HUIYUAN_MASTER_KEYS": "k1:" + "A" * 43,
    }
    for command in ([*SERVE, "--port", "0"], [*SERVE[:-1], "worker"]):
        refused = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

        assert refused.returncode == 2
        assert refused.stderr.startswith("huiyuan: HUIYUAN_DATABASE_URL: cannot connect (ConnectionRefusedError")
        assert "Traceback" not in refused.stderr
        assert "sekret" not in refused.stderr
