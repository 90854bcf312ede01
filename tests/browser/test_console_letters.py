"""Head office prints address labels, and sees what became of letters; a manager prints for the own store."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import expect

from backend.kernel import db
from backend.messages.commands import labels
from backend.messages.types import Channel, Letter, Purpose
from backend.worker import load
from tests.browser.desk import Clerk, console
from tests.browser.looks import faint_texts, small_targets
from tests.support.delivery import add_address
from tests.support.members import register
from tests.support.messages import agree, work, write

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_labels_are_asked_for_made_and_downloaded(chromium, server, chain, client):
    load()
    member = await register(client)
    await agree(member.member_id, Channel.POST, Purpose.MARKETING)
    await add_address(member)
    async with console(chromium, server, "#/labels") as screen:
        await screen.log_in("admin")
        await screen.sees("还没有打印过标签")
        await screen.button("打印标签").click()
        dialog = screen.dialog("打印标签")
        await dialog.get_by_label("纸张").select_option("a4-2x7")
        await dialog.get_by_label("第一张已用掉几格").fill("20")
        await dialog.get_by_role("button", name="打印标签").click()
        await screen.sees("is more than the sheet has places")
        await look(screen)
        await dialog.get_by_label("第一张已用掉几格").fill("3")
        await dialog.get_by_role("button", name="打印标签").click()
        await expect(screen.page.get_by_role("cell", name="生成中")).to_be_visible()
        await labels.make(await db.fetchval("SELECT id FROM message_sheet"))
        await expect(screen.page.get_by_role("cell", name="已生成")).to_be_visible(timeout=15_000)
        await look(screen)
        await shoot(screen, "console-labels")
        async with screen.page.expect_download() as waiting:
            await screen.button("下载", exact=False).first.click()
        download = await waiting.value
        assert download.suggested_filename.startswith("labels-")
        path = await download.path()
        assert path.read_bytes().startswith(b"%PDF")


async def test_what_became_of_letters_is_a_chart_and_numbers(chromium, server, chain, client):
    members = [await register(client) for _ in range(3)]
    await write(*(Letter(one.member_id, "test.note", {"what": "您好"}, "n") for one in members))
    await work()
    (letter,) = (await members[0].call("GET", "/v1/member/inbox")).json()["items"]
    await members[0].call("POST", f"/v1/member/inbox/{letter['id']}/read")
    async with console(chromium, server, "#/message-figures") as screen:
        await screen.log_in("admin")
        await expect(screen.page.get_by_role("img", name="消息统计")).to_be_visible()
        row = screen.page.get_by_role("row", name="提醒")
        await expect(row).to_contain_text("站内消息")
        await expect(row).to_contain_text("1（33.3%）")
        await look(screen)
        await shoot(screen, "console-letters")
        await screen.page.get_by_label("渠道").select_option("email")
        await screen.button("查看").click()
        await screen.sees("这段时间没有消息")


async def look(screen: Clerk) -> None:
    # the skip link is out of sight, a box is ticked by its whole label
    small = [text for text in await small_targets(screen.page) if "跳到内容" not in text and text != " 20 × 20"]
    assert [text for text in small if not text.endswith(" × 32")] == []
    assert await faint_texts(screen.page) == []


async def shoot(screen: Clerk, name: str) -> None:
    """A picture for eyes, where somebody asks for it."""
    if folder := os.environ.get("SHOTS"):
        await screen.page.screenshot(path=f"{folder}/{name}.png")
