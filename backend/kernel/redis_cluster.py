"""A Redis cluster: each command goes to the server of its key's slot, and a server that is gone costs its slots only.

redis-py's client keeps the map of the slots; the commands travel over our own lines, one ``Server`` a node, as they do
to a single server. While a slot moves (ASK, TRYAGAIN) or its server is gone, its keys are as good as down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MovedError, RedisError

from . import logging
from .redis import BREAK_S, TIMEOUT_S, Argument, RedisDown, RedisRefused, Server
from .tasks import end

log = logging.get(__name__)

SLOTS = 16384
REFRESH_TIMEOUT_S = 2.0
_KEYLESS = frozenset({"PING", "ECHO", "PUBLISH", "CLUSTER"})


def key_of(command: Sequence[Argument]) -> Argument | None:
    """The key whose slot decides where a command goes; None where any server will do."""
    if command[0] == "EVAL":
        return command[3] if command[2] else None
    return None if command[0] in _KEYLESS else command[1]


class Cluster:
    """The servers of a cluster by slot; ``addresses`` name some of them, the map finds the others."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._like = urlsplit(addresses[0])
        self._seeds = [(parts.hostname or "", parts.port or 6379) for parts in map(urlsplit, addresses)]
        self._map = RedisCluster.from_url(
            addresses[0],
            startup_nodes=[ClusterNode(host, port) for host, port in self._seeds[1:]],
            require_full_coverage=False,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._servers: dict[str, Server] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._refresh_again_at = 0.0

    def resting(self) -> bool:
        """Whether the map is not known or a server's last failure is too fresh to try it again."""
        return not self._nodes() or any(self._server(node).resting() for node in self._nodes())

    async def call(self, *command: Argument) -> Any:
        """Send one command to the server of its key; a slot that has moved is followed once."""
        server = await self._server_of(key_of(command))
        try:
            return await server.call(*command)
        except RedisRefused as refusal:
            moved = refusal.__cause__
            if not isinstance(moved, MovedError):
                raise
            await self._map.nodes_manager.move_slot(moved)
            self._refresh_soon()
        except RedisDown:
            self._refresh_soon()
            raise
        return await (await self._server_of(key_of(command))).call(*command)

    async def check(self) -> None:
        """Raise ``RedisDown`` unless every slot is served, as one of the servers sees it."""
        info = bytes(await self.call("CLUSTER", "INFO")).decode()
        if "cluster_state:ok" not in info or f"cluster_slots_ok:{SLOTS}" not in info:
            self._refresh_soon()
            raise RedisDown

    async def close(self) -> None:
        """Answer what was handed in, then disconnect from all of them."""
        await end(self._refreshing)
        for server in self._servers.values():
            await server.close()
        await self._map.nodes_manager.aclose()
        await self._map.nodes_manager.aclose("startup_nodes")

    def _nodes(self) -> list[ClusterNode]:
        return [node for node in self._map.nodes_manager.nodes_cache.values() if node.server_type == "primary"]

    def _server(self, node: ClusterNode) -> Server:
        server = self._servers.get(node.name)
        if server is None:
            host = f"[{node.host}]" if ":" in node.host else node.host
            user, at, _ = self._like.netloc.rpartition("@")
            address = self._like._replace(netloc=f"{user}{at}{host}:{node.port}")
            server = self._servers[node.name] = Server(urlunsplit(address))
        return server

    async def _server_of(self, key: Argument | None) -> Server:
        if not self._nodes():
            await self._first_map()
        if key is None:
            servers = [self._server(node) for node in self._nodes()]
            return next((server for server in servers if not server.resting()), servers[0])
        slot = self._map.keyslot(key)
        holders = self._map.nodes_manager.slots_cache.get(slot)
        if not holders:  # nobody's, as far as the map goes
            self._refresh_soon()
            raise RedisDown
        return self._server(holders[0])

    async def _first_map(self) -> None:
        self._refresh_soon()
        if self._refreshing is not None:
            await asyncio.wait({self._refreshing}, timeout=TIMEOUT_S)
        if not self._nodes():
            raise RedisDown

    def _refresh_soon(self) -> None:
        """Read the map anew, at most once a second and beside the commands."""
        if monotonic() >= self._refresh_again_at and (self._refreshing is None or self._refreshing.done()):
            self._refresh_again_at = monotonic() + BREAK_S
            self._refreshing = asyncio.create_task(self._refresh(), name="redis cluster map")

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(REFRESH_TIMEOUT_S):
                await self._map.nodes_manager.initialize(additional_startup_nodes_info=self._seeds)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis.cluster_unreachable", error=type(error).__name__)
            return
        known = {node.name for node in self._map.nodes_manager.nodes_cache.values()}
        for name in [name for name in self._servers if name not in known]:
            await self._servers.pop(name).close()
