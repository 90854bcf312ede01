"""Redis as a cluster: every key at its server, one connection that hears all; without a server slower, never wrong."""

from __future__ import annotations

import ast
import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from redis import Redis

import backend
from backend.auth import nonces
from backend.cli import doctor
from backend.cli.doctor.findings import Report
from backend.kernel import config, limits, live, redis
from backend.kernel.config import Settings
from backend.kernel.errors import RateLimited
from backend.kernel.redis import RedisDown, RedisRefused
from backend.kernel.redis_cluster import Cluster, key_of
from tests.kernel.test_live import messages, push_elsewhere
from tests.support.recharge import until
from tests.support.redis_cluster import RedisCluster
from tests.support.value import findings, give


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    made = RedisCluster()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def settings(settings: Settings, cluster: RedisCluster) -> Settings:
    """The module's settings with the cluster in the single server's place."""
    made = msgspec.structs.replace(settings, redis_url=cluster.url(), log_level="warning")
    config.use(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def client_of(database: Settings) -> AsyncIterator[Cluster]:
    """This process's client, with nothing at rest from the test before."""
    connected = redis._connection
    assert isinstance(connected, Cluster)
    await until(serves)
    yield connected


async def serves() -> bool:
    """Whether every slot is served, as far as this process knows."""
    try:
        await redis.check()
        await asyncio.gather(*(redis.call("GET", f"probe-{n}") for n in range(32)))
    except RedisDown:
        return False
    return True


async def redis_report(settings: Settings, **changes: str) -> Report:
    """What the doctor says of Redis."""
    return dict(await doctor.examine(msgspec.structs.replace(settings, **changes), {}))["Redis"]


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def keys_of(client: Cluster, port: int, count: int) -> list[str]:
    """So many keys whose slots that server holds."""
    names = (f"k-{uuid.uuid4().hex}" for _ in range(10_000))
    held = (name for name in names if client._map.get_node_from_key(name).port == port)
    return [next(held) for _ in range(count)]


async def test_every_key_is_kept_at_its_own_server(client_of, cluster):
    names = [f"n-{number}" for number in range(300)]

    first = await asyncio.gather(*(redis.call("SET", name, name, "NX", "EX", 60) for name in names))
    second = await asyncio.gather(*(redis.call("SET", name, "x", "NX", "EX", 60) for name in names))
    found = await asyncio.gather(*(redis.call("GET", name) for name in names))

    assert first == [b"OK"] * 300
    assert second == [None] * 300
    assert found == [name.encode() for name in names]
    kept = [cluster.ask(node, "DBSIZE") for node in range(3)]
    assert min(kept) > 50
    assert sum(kept) >= 300


async def test_a_command_over_two_slots_is_refused_by_the_cluster_and_we_send_none(client_of):
    with pytest.raises(RedisRefused):
        await redis.call("EVAL", "return 1", 2, "a", "b")

    sent = {
        node.args[0].value
        for path in Path(backend.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "call"
        and ast.unparse(node.func.value) == "redis"
        and isinstance(node.args[0], ast.Constant)
    }
    # SET and GET take one key. EVAL is the limits' two counters, which share a slot by their {braces}, and live
    # messages, which have no key. Whoever sends another command looks at `key_of` first.
    assert sent == {"SET", "GET", "EVAL"}


def test_where_a_command_goes_is_told_by_its_first_key():
    assert key_of(("SET", "a", "1")) == "a"
    assert key_of(("EVAL", "…", 2, "rate:{a}:1", "rate:{a}:0", 1)) == "rate:{a}:1"
    assert key_of(("EVAL", "…", 0, "live:1", "…")) is None
    assert key_of(("PING",)) is None


async def test_a_limit_holds_over_processes(client_of):
    async def tries(count: int) -> int:
        limits.forget()  # as another process would begin
        answers = await asyncio.gather(*(limits.hit("cluster", 10) for _ in range(count)), return_exceptions=True)
        return sum(not isinstance(answer, RateLimited) for answer in answers)

    assert [await tries(6), await tries(6), await tries(6)] == [6, 4, 0]
    limits.forget()


async def test_a_slot_that_the_map_has_wrong_is_followed(client_of, cluster):
    (name,) = keys_of(client_of, cluster.ports[1], 1)
    slots = client_of._map.nodes_manager.slots_cache
    slots[client_of._map.keyslot(name)] = [client_of._map.get_node("127.0.0.1", cluster.ports[2])]

    assert await redis.call("SET", name, "1") == b"OK"

    assert cluster.ask(1, "GET", name) == b"1"


async def test_phones_hear_what_another_process_says_at_another_server(client_of, cluster):
    async with live.subscribe(70) as queue:
        await asyncio.to_thread(push_elsewhere, cluster.url(first=2), 70, 20)

        arrived = await messages(queue, count=20)

    assert [message["data"]["number"] for message in arrived] == list(range(20))


async def test_the_doctor_knows_a_cluster_and_a_lone_node_of_one(settings, cluster):
    whole = await redis_report(settings)
    lone = await redis_report(settings, redis_url=f"redis://127.0.0.1:{cluster.ports[0]}")

    assert whole.well.startswith("cluster of Valkey")
    assert whole.well.endswith("3 primaries, 1 replica")
    assert "redis_cluster_unsaid" in codes(lone)
    assert not codes(whole) & {"redis_cluster_unsaid", "redis_cluster_broken"}


async def test_the_doctor_knows_what_is_no_cluster(settings, engines):
    single = engines.valkey
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # The session's Valkey listens on a socket only; a cluster's address has a host, so it is given one for this test.
    redis_of_session = Redis(unix_socket_path=str(single.socket))
    redis_of_session.config_set("port", port)
    try:
        report = await redis_report(settings, redis_url=f"redis+cluster://127.0.0.1:{port}")
    finally:
        redis_of_session.config_set("port", 0)
        redis_of_session.close()

    assert "redis_no_cluster" in codes(report)


async def test_a_server_that_is_gone_costs_its_own_keys_and_no_sale(client, chain, phone, settings, client_of, cluster):
    await give(phone.member_id, principal=10_000)
    lost, kept = keys_of(client_of, cluster.ports[1], 1), keys_of(client_of, cluster.ports[2], 20)
    async with live.subscribe(phone.member_id) as queue:
        cluster.kill(1)

        with pytest.raises(RedisDown):
            await redis.call("GET", lost[0])
        found = await asyncio.gather(*(redis.call("SET", name, "1", "NX") for name in kept))
        assert found == [b"OK"] * 20

        await asyncio.to_thread(cluster.until_broken, 2)
        sale = await chain.till.sell(client, phone.code(), fen=700)
        pushed = await messages(queue, count=1)
        ready = await client.get("/readyz")
        fresh = uuid.uuid4().hex
        spent = [await nonces.spend("S1-T1", fresh) for _ in range(2)]

    assert sale.status_code == 201, sale.text
    assert pushed[0]["type"] == "sale_completed"
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert spent == [True, False]
    assert "redis_cluster_broken" in codes(await redis_report(settings))
    cluster.start_node(1)
    await until(serves)
    assert (await client.get("/readyz")).json()["status"] == "ready"
    assert await findings(settings) == []


async def test_a_replica_takes_over_and_its_keys_are_found_there(client_of, cluster):
    (name,) = keys_of(client_of, cluster.ports[0], 1)
    await redis.call("SET", name, "kept")
    await asyncio.to_thread(cluster.ask, 0, "WAIT", 1, 2000)
    await asyncio.to_thread(cluster.let_replica_take_over)
    async with live.subscribe(71) as queue:
        cluster.kill(0)

        async def answered() -> bool:
            try:
                return await redis.call("GET", name) == b"kept"
            except RedisDown:
                return False

        await until(answered)
        await until(serves)
        await asyncio.to_thread(push_elsewhere, cluster.url(first=1), 71, 1)  # over the connection that was lost first
        assert (await messages(queue, count=1))[0]["data"] == {"number": 0}

    assert client_of._map.get_node_from_key(name).port == cluster.ports[3]
