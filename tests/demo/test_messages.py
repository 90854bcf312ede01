"""The demo's letters: texts of its own, members who want them, one batch that goes out and one that waits."""

from __future__ import annotations

import pytest_asyncio

from backend.demo import messages
from backend.demo.load import _load_chain
from backend.kernel import db
from backend.messages import queries
from backend.messages.commands import deliver
from backend.messages.types import Channel
from backend.worker import load
from tests.support.messages import many_members


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(server):
    load()
    await _load_chain()
    people = await many_members(9, "S001")
    await messages.load()
    await deliver.deliver_due()
    return people


async def test_a_batch_reaches_those_who_want_it_and_another_waits(filled):
    found = {batch.title: batch for batch in await queries.list_batches(store_id=None, before=None, limit=10)}
    counts = {
        (item.channel, item.state.value, item.reason): item.count
        for item in await queries.count_deliveries(found["荔枝上新"].id)
    }

    assert {title: batch.state.value for title, batch in found.items()} == {
        "荔枝上新": "done",
        "年货节预告": "scheduled",
        "会员日提醒（草稿）": "draft",
    }
    assert counts[Channel.INBOX, "delivered", None] == 3
    assert counts[Channel.INBOX, "suppressed", "no_consent"] == 6
    assert counts[Channel.EMAIL, "suppressed", "channel_not_set_up"] == 9
    (letter, *_) = await queries.list_inbox(filled[0], before=None, limit=5)
    assert letter.title == "妃子笑荔枝上新了"
    assert "会员价 ¥19.80" in letter.body


async def test_the_phone_can_ask_for_wechats_messages(filled):
    (one,) = await queries.list_subscriptions(filled[0])

    assert (one.template_id, one.titles, one.available) == ("DEMO-ORDER-SENT", ("订单已发货",), 0)
    assert await db.fetchval("SELECT count(*) FROM message_template_version") == 2
