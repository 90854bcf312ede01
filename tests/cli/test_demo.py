"""``huiyuan demo`` as a user meets it: one process to start, one signal to stop."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.logs import watch

HUIYUAN = [sys.executable, "-m", "backend.cli.main"]


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data directory for the demos of this module, one after the other."""
    made = Path(tempfile.mkdtemp(prefix="huiyuan-demo-", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


class Demo:
    """A running ``huiyuan demo --empty``."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        command = [*HUIYUAN, "demo", "--empty", "--port", "0", "--data", str(data), *options]
        # Killed together with its database, the worker waits for it as long as it may.
        environ = dict(os.environ) | {"HUIYUAN_SHUTDOWN_GRACE_S": "3"}
        self.process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + 60
        while not (data / "demo.json").exists():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.document = json.loads((data / "demo.json").read_text())
        self.url: str = self.document["base_url"]

    def stop(self, how: signal.Signals = signal.SIGINT) -> str:
        self.process.send_signal(how)
        printed, _ = self.process.communicate(timeout=60)
        watch.printed_in(self.data)
        return printed

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


def descendants(pid: int) -> list[int]:
    """Every process below ``pid``."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX":
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def wait_for_end(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while left := [pid for pid in pids if command_of(pid)]:
        assert time.monotonic() < deadline, [command_of(pid) for pid in left]
        time.sleep(0.02)


def letter_in_the_mailbox(demo: Demo) -> str:
    """A new member gives an e-mail address, and finds the letter with the code in the demo's own mailbox."""
    join = {"phone_code": "phone-13900007777", "name": "李雷", "consents": ["terms", "privacy"]}
    address = {"email": "li.lei@mail.example"}
    watch.sent((), json.dumps(join | address, ensure_ascii=False).encode())
    with httpx.Client(base_url=demo.url) as phone:
        tokens = phone.post("/v1/member/login", json={"js_code": "demo-letters"}).json()
        phone.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        assert phone.post("/v1/member/register", json=join).status_code == 201
        assert phone.put("/v1/member/email", json=address).status_code == 200
        (item,) = phone.get("/mock/mail/sent", params={"to": "li.lei@mail.example"}).json()["items"]
        code = re.search(r"验证码是 (\d{6})", item["text"])
        assert code is not None
        assert phone.post("/v1/member/email/confirm", json={"code": code[1]}).status_code == 200
    return str(item["subject"])


def test_story_of_one_demo(data):
    with Demo(data, "--workers", "2") as demo:
        ready = httpx.get(f"{demo.url}/readyz")
        assert ready.json()["status"] == "ready"

        assert stat.S_IMODE((data / "demo.json").stat().st_mode) == 0o600
        assert set(demo.document) == {"base_url", "terminals", "staff", "wechat", "gift_cards", "shoppers"}
        assert set(demo.document["wechat"]) == {
            *("app_id", "push_token", "encoding_aes_key", "mch_id", "api_v3_key", "platform_serial"),
        }
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in data.rglob("*.pem"))

        second = subprocess.run(
            [*HUIYUAN, "demo", "--port", "0", "--data", str(data)], capture_output=True, text=True, check=False
        )
        assert second.returncode == 2
        assert f"in use by another huiyuan (process {demo.process.pid})" in second.stderr
        assert "Traceback" not in second.stderr

        audit = subprocess.run([*HUIYUAN, "audit", "--data", str(data)], capture_output=True, text=True, check=False)
        assert audit.returncode == 0, audit.stderr
        assert "The books balance" in audit.stdout

        everything = descendants(demo.process.pid)
        assert any(" mailbox --fd" in command_of(pid) for pid in everything)
        assert letter_in_the_mailbox(demo) == "确认您的邮箱"
        printed = demo.stop()

    assert demo.process.returncode == 0, printed
    assert f"{demo.url}/pos" in printed
    assert f"{demo.url}/mock/mail/" in printed
    wait_for_end(everything)
    assert not (data / "demo.json").exists()


def test_a_crashed_server_is_replaced_and_when_the_demo_is_killed_everything_ends(data):
    """One demo and the next on the same data, which keeps its keys."""
    with Demo(data) as demo:
        server = next(pid for pid in descendants(demo.process.pid) if " serve --fd" in command_of(pid))

        os.kill(server, signal.SIGKILL)

        answer = httpx.get(f"{demo.url}/readyz", timeout=60)
        assert answer.status_code == 200
        printed = demo.stop()
    assert "server 1 ended (SIGKILL)" in printed

    with Demo(data) as second:
        everything = descendants(second.process.pid)

        second.process.kill()
        second.process.communicate()

        wait_for_end(everything)
    assert second.document["wechat"] == demo.document["wechat"]


def test_a_busy_port_is_said_plainly(data):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]

        refused = subprocess.run(
            [*HUIYUAN, "demo", "--empty", "--port", str(port), "--data", str(data)],
            capture_output=True,
            text=True,
            check=False,
        )

    assert refused.returncode == 2
    assert refused.stderr == (
        f"huiyuan: port {port} on 127.0.0.1 is in use by another program: stop it, or choose another with --port\n"
    )


def test_help_is_quick_and_names_every_command():
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    shown = subprocess.run([*HUIYUAN, "--help"], capture_output=True, text=True, check=True).stdout
    took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before  # however busy the machine is

    for command in ("demo", "serve", "worker", "migrate", "audit", "bench", "doctor"):
        assert f"  {command}" in shown
    assert took < 2
