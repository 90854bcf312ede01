"""A real Valkey cluster on the loopback: three primaries, and a replica of the first."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from backend.engines import process
from backend.engines.valkey import program

PRIMARIES = 3
NODE_TIMEOUT_MS = 1000
SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class RedisCluster:
    """Nodes 0 to 2 are primaries with a third of the slots each; node 3 is the replica of node 0."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="hy-cluster-", dir="/tmp"))
        ports = _free_ports(2 * (PRIMARIES + 1))
        self.ports, self._bus_ports = ports[: PRIMARIES + 1], ports[PRIMARIES + 1 :]
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def url(self, first: int = 0) -> str:
        """The address that names all primaries, beginning with that one."""
        order = [*range(first, PRIMARIES), *range(first)]
        return "redis+cluster://" + ",".join(f"127.0.0.1:{self.ports[node]}" for node in order)

    def ask(self, node: int, *command: Any) -> Any:
        """Send a command to one node, past every client of ours."""
        with redis.Redis(port=self.ports[node], socket_timeout=5) as client:
            return client.execute_command(*command)

    def start(self) -> None:
        for node in range(PRIMARIES + 1):
            self.start_node(node)
        for node, slots in enumerate(SLOTS):
            self.ask(node, "CLUSTER", "ADDSLOTSRANGE", *slots)
            self.ask(node, "CLUSTER", "SET-CONFIG-EPOCH", node + 1)
        for node in range(1, PRIMARIES + 1):
            self.ask(node, "CLUSTER", "MEET", "127.0.0.1", self.ports[0], self._bus_ports[0])
        first = self.ask(0, "CLUSTER", "MYID").decode()
        self._until(lambda: first in str(self.ask(PRIMARIES, "CLUSTER", "NODES")), "known to the replica")
        self.ask(PRIMARIES, "CLUSTER", "REPLICATE", first)
        self.until_whole()

    def start_node(self, node: int) -> None:
        directory = self._directory / str(node)
        directory.mkdir(exist_ok=True)
        settings = {
            "port": self.ports[node], "bind": "127.0.0.1", "save": "", "dir": directory, "cluster-enabled": "yes",
            "cluster-port": self._bus_ports[node], "cluster-node-timeout": NODE_TIMEOUT_MS, "loglevel": "warning",
            "cluster-replica-no-failover": "yes",  # a primary that was only slow stays one; see `let_replica_take_over`
        }  # fmt: skip
        command = [str(program()), *(part for name, value in settings.items() for part in (f"--{name}", str(value)))]
        log = directory / "log"
        self._children[node] = process.spawn(command, stop_signal=signal.SIGKILL, log=log)
        process.wait_until(lambda: self._answers(node), self._children[node], what="Valkey", log=log, limit_s=60)

    def kill(self, node: int) -> None:
        """End it as a power cut does."""
        child = self._children.pop(node)
        child.kill()
        child.wait()

    def let_replica_take_over(self) -> None:
        """From now on the replica follows a dead primary."""
        self.ask(PRIMARIES, "CONFIG", "SET", "cluster-replica-no-failover", "no")

    def until_whole(self) -> None:
        """Wait until every live node sees every slot served."""
        self._until(
            lambda: all(b"cluster_state:ok" in self.ask(node, "CLUSTER", "INFO") for node in self._children), "ok"
        )

    def until_broken(self, node: int) -> None:
        """Wait until that node has noticed that slots are not served."""
        self._until(lambda: b"cluster_state:fail" in self.ask(node, "CLUSTER", "INFO"), "fail")

    def stop(self) -> None:
        for node in list(self._children):
            self.kill(node)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _answers(self, node: int) -> bool:
        try:
            return bool(self.ask(node, "PING"))
        except redis.RedisError:
            return False

    @staticmethod
    def _until(ready: Callable[[], bool], what: str, limit_s: float = 60) -> None:
        deadline = time.monotonic() + limit_s
        while not ready():
            assert time.monotonic() < deadline, f"the cluster did not become: {what}"
            time.sleep(0.02)
