"""Head office writes a text, sends it to many, and sees how far it is."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import expect

from backend.messages.commands import deliver
from backend.messages.types import Channel, Purpose
from backend.worker import load
from tests.browser.desk import Clerk, console
from tests.browser.looks import faint_texts, small_targets
from tests.support.members import register
from tests.support.messages import agree, inbox

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_text_is_written_sent_to_many_and_watched(chromium, server, chain, admin):
    load()
    willing, unwilling = await register(admin.client, name="陈晨"), await register(admin.client)
    await agree(willing.member_id, Channel.INBOX, Purpose.MARKETING)
    faults: list[str] = []
    async with console(chromium, server) as screen:
        await screen.log_in("admin")
        await screen.go("消息模板")
        await screen.sees("售后申请已通过")
        await screen.button("新建模板").click()
        form = screen.dialog("新建模板")
        await form.get_by_role("textbox", name="编号").fill("a.promo")
        await form.get_by_role("textbox", name="变量").fill("what=商品\nprice:money=会员价")
        await form.get_by_role("textbox", name="标题").fill("{what}上新了")
        await form.get_by_role("textbox", name="正文").first.fill("{member_name}，{what}会员价 {price}。")
        await form.get_by_role("button", name="保存").click()
        await screen.sees("a.promo")
        await screen.button("预览 {what}上新了").click()
        await screen.sees("王小明，商品会员价 ¥12.80。")
        await look(screen, faults)
        await shoot(screen, "console-preview")
        await screen.page.keyboard.press("Escape")
        await shoot(screen, "console-templates")

        await screen.go("消息群发")
        await screen.sees("还没有群发")
        await screen.button("新建群发").click()
        await screen.field("名称").fill("荔枝上新")
        await screen.button("下一步").click()
        form = screen.dialog("荔枝上新")
        await form.get_by_role("textbox", name="商品").first.fill("荔枝")
        await form.get_by_label("会员价").fill("19.8")
        await look(screen, faults)
        await shoot(screen, "console-batch-form")
        await form.get_by_role("button", name="保存").click()
        await screen.sees("待开始")
        await screen.button("修改 荔枝上新").click()
        await screen.button("下一步").click()
        form = screen.dialog("荔枝上新")
        await expect(form.get_by_label("会员价")).to_have_value("19.80")
        await form.get_by_text("按条件选择").click()
        await form.get_by_label("会员号").fill(f"{willing.member['member_no']}，{unwilling.member['member_no']}")
        await form.get_by_role("button", name="保存").click()
        await expect(screen.page.get_by_role("dialog")).to_have_count(0)
        await screen.button("开始 荔枝上新").click()
        await screen.dialog("开始发送").get_by_role("button", name="开始").click()
        await screen.sees("发送中")
        await deliver.deliver_due()
        await screen.sees("已完成")
        await screen.page.get_by_text("荔枝上新").first.click()
        await screen.sees("未同意接收", "已送达", "指定的 2 位会员")
        await look(screen, faults)
        await shoot(screen, "console-batch")
        await screen.page.keyboard.press("Escape")
        await expect(screen.page.get_by_role("dialog")).to_have_count(0)
        await shoot(screen, "console-batches")

    assert [item["body"] for item in (await inbox(willing))["items"]] == ["陈晨，荔枝会员价 ¥19.80。"]
    assert (await inbox(unwilling))["items"] == []
    assert faults == []


async def look(screen: Clerk, faults: list[str]) -> None:
    # The link comes with the focus; boxes are ticked by their labels.
    small = [text for text in await small_targets(screen.page) if "跳到内容" not in text and text != " 20 × 20"]
    faults.extend([*small, *await faint_texts(screen.page)])


async def shoot(screen: Clerk, name: str) -> None:
    """A picture for whoever asks for them."""
    if folder := os.environ.get("HUIYUAN_SHOTS"):
        await screen.page.screenshot(path=f"{folder}/{name}.png")
