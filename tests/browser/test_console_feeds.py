"""Head office gives another system a key and an address, and sees how its calls went."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from backend.feeds.commands import delivering, numbering
from backend.kernel import clock, config, db
from backend.kernel.config import Settings
from tests.browser.desk import console
from tests.browser.test_console_notices import look, shoot
from tests.support.mis import Mis

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    made = msgspec.structs.replace(settings, webhook_networks="127.0.0.0/8")
    config.use(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def mis() -> AsyncIterator[Mis]:
    receiver = Mis()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


async def test_a_subscriber_is_made_called_and_its_failures_are_seen(chromium, server, chain, admin, mis):
    async with console(chromium, server, "#/feeds") as screen:
        await screen.log_in("admin")
        await screen.sees("还没有订阅方")
        await screen.button("新增订阅方").click()
        await screen.page.get_by_label("名称").fill("企业资源系统")
        await screen.page.get_by_label("状态").check()
        await screen.page.get_by_label("推送地址").fill("ftp://nowhere")
        await screen.button("保存").click()
        await screen.sees("must be http://")
        await screen.page.get_by_label("推送地址").fill(mis.url)
        await screen.button("保存").click()
        await screen.sees("hyfeed_", "whsec_")
        await shoot(screen, "console-feeds-keys")
        await screen.button("好").click()
        await screen.sees("企业资源系统", "正常")
        await shoot(screen, "console-feeds")

        await screen.page.get_by_role("row").filter(has_text="企业资源系统").click()
        await screen.sees("还没有推送")
        await screen.button("测试推送").click()
        await screen.sees("对方已应答 204")
        mis.answers = [500]
        await db.fetch(
            "INSERT INTO feed_entry (id, kind, member_id, body, at) VALUES (1, 'member.registered', 1, '{}', $1)",
            clock.now(),
        )
        await numbering.number()
        await delivering.deliver_due()
        await screen.page.reload()
        await screen.sees("失败 1 次", "HTTP 500", "下次尝试")
        await look(screen)
        await shoot(screen, "console-feed")

    assert [batch["type"] for batch in mis.batches] == ["ping", "members.changed"]
