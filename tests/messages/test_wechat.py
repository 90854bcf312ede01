"""Subscribe messages: what WeChat answers, and what that makes of a letter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import ids
from backend.messages.channels import Outgoing, Refused, Sent, TryAgain
from backend.messages.channels.wechat import Wechat, page_of
from backend.messages.types import Channel, Purpose, delivery_id
from backend.wechat import service as wechat
from tests.kernel.http.conftest import make_settings
from tests.wechat.scripted import Scripted, answer, scripted

TOKEN = answer(200, {"access_token": "T1", "expires_in": 7200})
NEXT_TOKEN = answer(200, {"access_token": "T2", "expires_in": 7200})


def outgoing(**changes: object) -> Outgoing:
    made = Outgoing(
        delivery_id=delivery_id(ids.new_document_id("L", 7), Channel.WECHAT),
        member_id=7,
        address="openid-someone",
        title="已发货",
        body="您的订单已发货。",
        purpose=Purpose.SERVICE,
        link="#/orders/D1?from=letter",
        template_id="tmpl-1",
        fields={"thing1": "荔枝", "time2": "2026-11-27 12:00"},
    )
    return msgspec.structs.replace(made, **changes)


@pytest_asyncio.fixture(loop_scope="session")
async def platform() -> AsyncIterator[Scripted]:
    async with scripted() as script:
        await wechat.open_client(
            make_settings(wechat_app_id="wx1", wechat_app_secret="s", wechat_api_url=script.base_url)
        )
        yield script
        await wechat.close_client()


async def test_a_message_has_the_providers_template_and_the_letters_page(platform: Scripted) -> None:
    platform.will(TOKEN, answer(200, {"errcode": 0}))

    assert await Wechat().send(outgoing()) == Sent()

    sent = msgspec.json.decode(platform.received[-1].body)
    assert sent["template_id"] == "tmpl-1"
    assert sent["data"] == {"thing1": {"value": "荔枝"}, "time2": {"value": "2026-11-27 12:00"}}
    assert sent["page"] == page_of("#/orders/D1?from=letter") == "pages/index/index?to=%2Forders%2FD1%3Ffrom%3Dletter"


@pytest.mark.parametrize(
    ("errcode", "reason", "bounced"),
    [
        (43101, "declined", False),
        (40003, "unknown_address", True),
        (47003, "refused", False),
        (40037, "refused", False),
    ],
)
async def test_what_wechat_will_never_deliver(platform: Scripted, errcode: int, reason: str, bounced: bool) -> None:
    platform.will(TOKEN, answer(200, {"errcode": errcode}))

    with pytest.raises(Refused) as refused:
        await Wechat().send(outgoing())

    assert (refused.value.reason, refused.value.bounced) == (reason, bounced)


@pytest.mark.parametrize(
    ("answers", "after_s", "calls"),
    [
        ([answer(200, {"errcode": 45009})], 60.0, 2),
        ([answer(200, {"errcode": -1})], 2.0, 2),
        ([answer(200, {"errcode": 48001})], 300.0, 2),
        # a token that WeChat ended: once more with another, and never in a loop
        ([answer(200, {"errcode": 40001}), NEXT_TOKEN, answer(200, {"errcode": 40001})], 5.0, 4),
    ],
)
async def test_what_is_tried_again(platform: Scripted, answers: list[bytes], after_s: float, calls: int) -> None:
    platform.will(TOKEN, *answers)

    with pytest.raises(TryAgain) as again:
        await Wechat().send(outgoing())

    assert (again.value.after_s, len(platform.received)) == (after_s, calls)


async def test_what_may_have_arrived_is_not_sent_again(platform: Scripted) -> None:
    platform.will(TOKEN, answer(500))

    with pytest.raises((Refused, TryAgain)) as refused:
        await Wechat().send(outgoing())

    assert isinstance(refused.value, Refused)
    assert (refused.value.reason, refused.value.bounced, len(platform.received)) == ("outcome_unknown", False, 2)


async def test_without_a_token_nothing_was_asked_for(platform: Scripted) -> None:
    platform.will(answer(500))

    with pytest.raises(TryAgain):
        await Wechat().send(outgoing())

    assert len(platform.received) == 1


async def test_a_token_that_ended_is_renewed_once(platform: Scripted) -> None:
    platform.will(TOKEN, answer(200, {"errcode": 42001}), NEXT_TOKEN, answer(200, {"errcode": 0}))

    assert await Wechat().send(outgoing()) == Sent()
    assert len(platform.received) == 4


async def test_a_letter_without_a_template_asks_nobody(platform: Scripted) -> None:
    platform.will(answer(500))

    with pytest.raises(Refused) as refused:
        await Wechat().send(outgoing(template_id=None))

    assert (refused.value.reason, platform.received) == ("no_template", [])
