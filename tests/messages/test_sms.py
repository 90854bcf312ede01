"""SMS by the simulated gateway: each message once, what it refuses, and what it says when it is busy or forgetful."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from backend.kernel import ids
from backend.kernel.config import Settings
from backend.messages.channels import Outgoing, Refused, TryAgain
from backend.messages.channels.sms import Sms
from backend.messages.delivery import links, segments
from backend.messages.delivery.sms_text import text_of
from backend.messages.types import Channel, Purpose, delivery_id
from tests.support.server import Server

PHONES = iter(range(13_800_000_000, 13_900_000_000))


def outgoing(**changes: object) -> Outgoing:
    made = Outgoing(
        delivery_id=delivery_id(ids.new_document_id("L", 7), Channel.SMS),
        member_id=7,
        address=str(next(PHONES)),
        title="已发货",
        body="您的订单已发货。",
        purpose=Purpose.SERVICE,
    )
    return msgspec.structs.replace(made, **changes)


@pytest_asyncio.fixture(loop_scope="session")
async def driver(server: Server) -> AsyncIterator[Sms]:
    made = Sms(server.settings)
    yield made
    await made.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(client: httpx.AsyncClient) -> AsyncIterator[Gateway]:
    made = Gateway(client)
    await made.faults(receipt="none")
    yield made
    await made.faults()


class Gateway:
    """The gateway's conveniences."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def faults(self, **faults: object) -> None:
        answer = await self._client.put("/mock/sms/faults", json=faults)
        assert answer.status_code == 204, answer.text

    async def sent(self, phone: str) -> list[dict[str, Any]]:
        answer = await self._client.get("/mock/sms/sent", params={"phone": phone})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


async def test_a_message_is_taken_with_the_chains_signature(driver: Sms, gateway: Gateway) -> None:
    message = outgoing()

    sent = await driver.send(message)

    (taken,) = await gateway.sent(message.address)
    assert taken["text"] == "【惠员便利】您的订单已发货。"
    assert (taken["kind"], taken["segments"], taken["message_id"]) == ("service", 1, sent.provider_id)
    assert sent.delivered is False


async def test_what_needs_consent_says_how_to_end_it(driver: Sms, gateway: Gateway) -> None:
    message = outgoing(purpose=Purpose.MARKETING, body="荔枝上市了")

    await driver.send(message)

    (taken,) = await gateway.sent(message.address)
    assert (taken["kind"], taken["text"]) == ("marketing", "【惠员便利】荔枝上市了，回TD退订")


async def test_a_repeat_is_the_same_message(driver: Sms, gateway: Gateway) -> None:
    message = outgoing()
    await gateway.faults(receipt="none", lose_answer=1)

    with pytest.raises(TryAgain):
        await driver.send(message)
    again = [await driver.send(message) for _ in range(3)]

    (taken,) = await gateway.sent(message.address)
    assert {sent.provider_id for sent in again} == {taken["message_id"]}


async def test_many_at_once_are_one_each(driver: Sms, gateway: Gateway) -> None:
    message = outgoing()

    sent = await asyncio.gather(*(driver.send(message) for _ in range(12)))

    assert len({one.provider_id for one in sent}) == len(await gateway.sent(message.address)) == 1


async def test_another_text_under_the_same_id_is_not_sent(driver: Sms, gateway: Gateway) -> None:
    message = outgoing()
    await driver.send(message)

    with pytest.raises(Refused) as refused:
        await driver.send(msgspec.structs.replace(message, body="anders"))

    assert refused.value.reason == "outcome_unknown"
    assert len(await gateway.sent(message.address)) == 1


async def test_a_busy_gateway_says_when_to_come_again(driver: Sms, gateway: Gateway) -> None:
    await gateway.faults(receipt="none", busy=1)
    message = outgoing()

    with pytest.raises(TryAgain) as again:
        await driver.send(message)

    assert (again.value.after_s, again.value.reason, await gateway.sent(message.address)) == (1.0, "busy", [])


@pytest.mark.parametrize(
    ("code", "reason", "bounced"),
    [
        ("number_invalid", "unknown_address", True),
        ("number_blocked", "declined", False),
        ("content_refused", "content_refused", False),
        ("too_long", "too_long", False),
    ],
)
async def test_what_the_gateway_refuses(driver: Sms, gateway: Gateway, code: str, reason: str, bounced: bool) -> None:
    message = outgoing()
    await gateway.faults(receipt="none", refuse={message.address: code})

    with pytest.raises(Refused) as refused:
        await driver.send(message)

    assert (refused.value.reason, refused.value.bounced) == (reason, bounced)
    assert await gateway.sent(message.address) == []


async def test_a_code_that_we_do_not_know_is_tried_again(driver: Sms, gateway: Gateway) -> None:
    message = outgoing()
    await gateway.faults(receipt="none", refuse={message.address: "weather"})

    with pytest.raises(TryAgain) as again:
        await driver.send(message)

    assert again.value.reason == "gateway_refuses"


async def test_a_wrong_secret_sends_nothing(server: Server, gateway: Gateway) -> None:
    driver = Sms(msgspec.structs.replace(server.settings, sms_secret="x" * 32))
    message = outgoing()

    with pytest.raises(TryAgain):
        await driver.send(message)
    await driver.aclose()

    assert await gateway.sent(message.address) == []


async def test_the_gateway_is_on_the_public_internet_or_said_to_be_ours(server: Server, gateway: Gateway) -> None:
    port = httpx.URL(server.base_url).port
    for url in (f"http://127.0.0.1:{port}/mock/sms", "http://169.254.169.254/latest", "http://[::1]:8080/"):
        driver = Sms(msgspec.structs.replace(server.settings, sms_url=url, sms_internal=False))
        message = outgoing()

        with pytest.raises(TryAgain) as again:
            await driver.send(message)
        await driver.aclose()

        assert again.value.reason == "address_refused"
        assert await gateway.sent(message.address) == []


async def test_a_text_that_is_too_long_is_not_sent(driver: Sms, gateway: Gateway) -> None:
    message = outgoing(body="长" * 67 * segments.MOST)

    with pytest.raises(Refused) as refused:
        await driver.send(message)

    assert (refused.value.reason, await gateway.sent(message.address)) == ("too_long", [])


def test_addresses_of_our_own_go_by_a_signed_link_and_lines_become_one(settings: Settings) -> None:
    own = f"{settings.base_url}/#/coupons"
    message = outgoing(body=f"看券：{own}\n看别处：https://other.example/a")

    text = text_of(message, settings)

    token = text.partition("/v1/m/")[2].partition(" ")[0]
    assert (link := links.read(token)) is not None
    assert (link.target, link.number, link.of, link.delivery_id) == (own, 1, 1, message.delivery_id)
    assert text == f"【惠员便利】看券：{settings.base_url}/v1/m/{token} 看别处：https://other.example/a"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("长" * 70, 1),
        ("长" * 71, 2),
        ("长" * 134, 2),
        ("长" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 71, 2),
    ],
)
def test_a_text_is_counted_as_carriers_count_it(text: str, count: int) -> None:
    assert segments.count(text) == count
