"""One PostgreSQL, one merchant's server and one pair of keys for all tests of the simulator; its tables are emptied."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from backend.engines.embedded import Engines
from miniapp_mock.simulator import Simulator, SimulatorConfig, build
from tests.miniapp_mock.merchant import MOUNT, Merchant, Receiver, new_key, private_pem, public_pem

Keys = tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
TABLES = (
    "access_token",
    "one_time_code",
    "sent_message",
    "receipt",
    "shipping",
    "refund",
    "pay_order",
    "notification",
    "faults",
    "bill_tampering",
)


@pytest.fixture(scope="session")
def keys() -> Keys:
    """The merchant's key and the platform's."""
    return new_key(), new_key()


@pytest.fixture(scope="session")
def simulator_url(engines: Engines) -> str:
    """An empty database for the simulator, apart from the one that the whole application's simulator uses."""
    assert engines.postgres is not None
    engines.postgres.sql("CREATE DATABASE simulator_alone OWNER huiyuan_owner")
    return engines.postgres.url("simulator_alone", "huiyuan_owner")


@pytest.fixture(scope="session")
async def receiver_server() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    routes = [
        Route("/notify", receiver.notified, methods=["POST"]),
        Route("/v1/wechat/push", receiver.pushed, methods=["GET", "POST"]),
    ]
    listener = socket.create_server(("127.0.0.1", 0))
    receiver.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield receiver
    server.should_exit = True
    await task
    listener.close()


@pytest.fixture
def receiver(receiver_server: Receiver) -> Receiver:
    """The merchant's server, with nothing seen yet."""
    receiver_server.seen, receiver_server.pushes, receiver_server.answers = [], [], []
    receiver_server.push_answer = "success"
    return receiver_server


@pytest.fixture
def config(simulator_url: str, keys: Keys, receiver: Receiver) -> SimulatorConfig:
    merchant, platform = keys
    return SimulatorConfig(
        database_url=simulator_url,
        base_url=receiver.url,
        app_id="wx0123456789abcdef",
        app_secret="s" * 32,
        mch_id="1900000001",
        mch_public_key_pem=public_pem(merchant),
        mch_serial="1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C",
        api_v3_key="k" * 32,
        push_token="push-token",
        encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        platform_private_key_pem=private_pem(platform),
        platform_serial="5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
        platform_public_key_id="PUB_KEY_ID_0119000000012026010100000000001",
        retry_factor=1 / 1500,
        refund_s=0.05,
    )


@pytest.fixture
async def simulator(config: SimulatorConfig) -> AsyncIterator[Simulator]:
    """A fresh simulator over empty tables."""
    app = build(config)
    pool = await app.platform.store.pool()
    await pool.execute("; ".join(f"DELETE FROM {table}" for table in TABLES))
    yield app
    await app.aclose()


@pytest.fixture
async def merchant(
    simulator: Simulator, config: SimulatorConfig, keys: Keys, receiver: Receiver
) -> AsyncIterator[Merchant]:
    """The merchant, connected to a simulator mounted as the backend mounts it."""
    async with connect(simulator) as http:
        merchant = Merchant(http, config, keys[0], keys[1].public_key())
        merchant.notify_url = receiver.url + "/notify"
        yield merchant


@pytest.fixture
def until() -> Callable[..., object]:
    """``await until(condition)``: wait until it holds, however busy the machine is."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.005)

    return wait


def connect(simulator: Simulator) -> httpx.AsyncClient:
    app = Starlette(routes=[Mount(MOUNT, app=simulator)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
