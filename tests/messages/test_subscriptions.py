"""WeChat's subscribe messages: each acceptance is one message, spent once, never more than there are."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from backend.kernel import db
from backend.messages.channels import Refused, Sent, TryAgain
from backend.messages.types import Channel, Letter
from backend.wechat import service as wechat
from tests.support.books import fingerprint
from tests.support.messages import deliveries, own_template, work, write

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter", "templates")

OWN = "/v1/member/messages/subscriptions"


@pytest_asyncio.fixture(loop_scope="session")
async def templates(admin):
    """A template that goes by WeChat, through one of WeChat's."""
    await own_template(
        admin,
        "own.wechat",
        purpose="service",
        channels=["wechat"],
        texts={"wechat": {"template_id": "TPL-1", "fields": {"thing1": "{what}", "phrase2": "{level}"}}},
    )


async def accept(phone, key, results):
    return await phone.call("POST", OWN, {"results": results}, key=key)


async def available(phone):
    return (await phone.call("GET", OWN)).json()["items"]


def letters(phone, count, prefix=""):
    return [Letter(phone.member_id, "own.wechat", {"what": f"{n}号"}, f"{prefix}{n}") for n in range(count)]


async def counted(phone):
    row = await db.fetchrow(
        "SELECT available, accepted, used FROM message_subscription WHERE member_id = $1", phone.member_id
    )
    return tuple(row) if row else None


async def test_each_acceptance_is_one_message_and_a_retry_none(phone, fake_channels):
    none = await available(phone)
    first = await accept(phone, "a", {"TPL-1": "accept"})
    again = await asyncio.gather(*(accept(phone, "a", {"TPL-1": "accept"}) for _ in range(3)))
    await accept(phone, "b", {"TPL-1": "reject"})
    await accept(phone, "c", {"TPL-1": "acceptWithAudio"})
    await write(*letters(phone, 3))

    await work()

    assert [(item["template_id"], item["titles"], item["available"]) for item in none] == [("TPL-1", ["上新"], 0)]
    assert first.json()["items"][0]["available"] == 1
    assert [answer.status_code for answer in again] == [200] * 3
    given = fake_channels[Channel.WECHAT].given
    assert [(item.template_id, item.address == phone.openid) for item in given] == [("TPL-1", True)] * 2
    assert {item.fields["thing1"] for item in given} < {"0号", "1号", "2号"}
    assert given[0].fields["phrase2"] == phone.member["level"]["name"][:5]
    states = await db.fetch(
        "SELECT state, reason, count(*) AS n FROM message_delivery WHERE member_id = $1 GROUP BY 1, 2 ORDER BY 1",
        phone.member_id,
    )
    assert [tuple(row) for row in states] == [("sent", None, 2), ("suppressed", "not_subscribed", 1)]
    assert await counted(phone) == (0, 2, 2)


async def test_workers_at_once_never_overdraw_it(phone, fake_channels):
    for n in range(7):
        await accept(phone, f"k{n}", {"TPL-1": "accept"})
    await write(*letters(phone, 20))
    sent = fake_channels[Channel.WECHAT]

    async def more():
        await accept(phone, "late", {"TPL-1": "accept"})
        await write(*letters(phone, 5, "late"))
        await work()

    await asyncio.gather(work(), work(), more(), work())

    left, accepted, used = await counted(phone)
    assert len({item.delivery_id for item in sent.given}) == len(sent.given) == used
    assert (used + left, accepted) == (8, 8)
    with pytest.raises(Exception, match="message_subscription"):
        await db.pool().execute("UPDATE message_subscription SET available = available + 1, used = used + 1")
    with pytest.raises(Exception, match="message_subscription_left"):
        await db.pool().execute("UPDATE message_subscription SET available = -1")


async def test_what_wechat_refuses_for_want_of_a_subscription_sets_it_to_zero(phone, fake_channels):
    for n in range(3):
        await accept(phone, f"k{n}", {"TPL-1": "accept"})
    await write(*letters(phone, 1))

    def refuse(outgoing):
        raise Refused("declined")

    fake_channels[Channel.WECHAT].answer = refuse
    await work()
    await write(*letters(phone, 1, "then"))
    await work()

    assert await counted(phone) == (0, 3, 1)
    assert len(fake_channels[Channel.WECHAT].given) == 1
    await accept(phone, "anew", {"TPL-1": "accept"})
    assert (await available(phone))[0]["available"] == 1


async def test_a_message_is_spent_once_over_all_tries_and_given_back_where_none_went(
    phone, fake_channels, clock, settings
):
    await accept(phone, "a", {"TPL-1": "accept"})
    await write(*letters(phone, 1))
    wechat_ = fake_channels[Channel.WECHAT]

    def misconfigured(outgoing):
        raise TryAgain(1.0, "misconfigured")

    wechat_.answer = misconfigured
    spent = []
    for _ in range(settings.message_attempts):
        await work()
        spent.append(await counted(phone))
        await db.pool().execute("UPDATE message_delivery SET next_at = now() WHERE next_at IS NOT NULL")

    assert spent == [(0, 1, 1)] * (settings.message_attempts - 1) + [(1, 1, 0)]
    assert (await deliveries(phone.member_id))["wechat"][:2] == ("failed", "misconfigured")


async def test_what_was_under_way_is_not_sent_twice_for_wechat_knows_no_repeat(phone, fake_channels, clock):
    await accept(phone, "a", {"TPL-1": "accept"})
    await write(*letters(phone, 1))
    driver = fake_channels[Channel.WECHAT]
    driver.repeats_safely = False

    class Killed(BaseException):
        pass

    def dies(outgoing):
        raise Killed

    driver.answer = dies
    with pytest.raises(BaseExceptionGroup):
        await work()
    driver.answer = lambda outgoing: Sent()
    await db.pool().execute("UPDATE message_delivery SET next_at = now() WHERE next_at IS NOT NULL")
    await work()

    assert (await deliveries(phone.member_id))["wechat"] == ("failed", "outcome_unknown", 1)
    assert len(driver.given) == 1
    assert await counted(phone) == (0, 1, 1)


async def test_other_templates_and_words_are_refused(phone, settings):
    await accept(phone, "a", {"TPL-1": "accept"})
    before = await fingerprint(settings)

    answers = [
        await accept(phone, "x", {"TPL-9": "accept"}),
        await accept(phone, "x", {}),
        await accept(phone, "x", {f"T{n}": "accept" for n in range(6)}),
        await accept(phone, "x", {"TPL-1": "yes please"}),
        await phone.call("POST", OWN, {"results": {"TPL-1": "accept"}}),
        await accept(phone, "a", {"TPL-1": "reject"}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 400, 409]
    assert await fingerprint(settings) == before


async def test_it_reaches_the_member_through_wechat(phone, admin, settings, monkeypatch):
    await accept(phone, "a", {"TPL-1": "accept"})
    await write(*letters(phone, 1))
    sent = []

    async def note(openid, template_id, data, *, page="", language="zh_CN"):
        sent.append((openid, template_id, data))

    monkeypatch.setattr(wechat, "send_subscribe_message", note)
    await work()

    assert sent == [(phone.openid, "TPL-1", {"thing1": "0号", "phrase2": phone.member["level"]["name"][:5]})]
