"""The desk in Chromium: a customer waits, is taken by keyboard, answered within what WeChat takes, and let go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import expect

from backend.kernel import db
from tests.browser.desk import console
from tests.browser.looks import faint_texts, small_targets
from tests.support import wire
from tests.support.chat import DESK, Customer, newest, work
from tests.support.members import register
from tests.support.pictures import picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_person_at_the_desk_answers_a_customer(chromium, server, chain, admin, clock, tmp_path):
    canned = await admin.post(f"{DESK}/canned", {"title": "问候", "text": "您好，请讲。"})
    assert canned.status_code == 201, canned.text
    faults: list[str] = []
    async with wire.connected(server.base_url) as client, console(chromium, server, "#/chats") as screen:
        phone = await register(client, name="李小红")
        customer = Customer(client, phone.openid)
        await customer.write("人工")
        await work(server.settings)
        page = screen.page
        await screen.log_in("admin")
        await screen.sees("李**", "选择左侧的会话")
        await look(screen, faults)

        await page.keyboard.press("j")
        await screen.sees("人工", "正在为您转接人工客服，请稍候。", "智能客服")
        await page.keyboard.press("c")
        await expect(page.get_by_role("textbox", name="输入回复")).to_be_focused()
        await screen.sees("李小红", "admin 接入会话", "还可发送 4 条")
        await page.get_by_label("快捷回复").select_option("问候")
        await page.keyboard.press("Enter")
        await screen.sees("还可发送 3 条")
        assert (await customer.answers())[-1] == "您好，请讲。"
        clock.shift(timedelta(seconds=2))  # what is sent in the second of the customer's word counts after it
        await customer.show(picture("JPEG", (600, 400), color="#447799"))
        await work(server.settings)
        await expect(page.locator(".chat-pic img")).to_be_visible()  # the page asked by itself
        await screen.sees("还可发送 5 条")
        for number in range(5):
            await page.get_by_role("textbox", name="输入回复").fill(f"第 {number + 1} 条")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("textbox", name="输入回复")).to_have_value("")
        await screen.sees("可发送条数已用完，客户再次发言后才能回复")
        await expect(screen.button("发送", exact=True)).to_be_disabled()
        await look(screen, faults)

        await screen.button("建工单").click()
        dialog = screen.dialog("建工单")
        await dialog.get_by_role("button", name="建工单").click()
        await screen.sees("admin 建立工单")
        await screen.button("结束", exact=True).click()
        await screen.sees("admin 结束会话")
        await screen.button("已结束").click()
        await expect(page.locator(".chat-entry")).to_have_count(1)

    assert faults == []


async def look(screen, faults: list[str]) -> None:
    await expect(screen.page.locator(".toast:visible")).to_have_count(0)
    small = [text for text in await small_targets(screen.page) if "跳到内容" not in text]  # it comes with the focus
    faults.extend([*small, *await faint_texts(screen.page)])


async def test_head_office_tells_the_robot_what_to_say_and_tries_it(chromium, server, chain, admin):
    """Rules, texts, canned answers and who changed them, by the desk's own link."""
    faults: list[str] = []
    async with wire.connected(server.base_url) as client, console(chromium, server, "#/chats") as screen:
        customer = Customer(client, (await register(client)).openid)
        page = screen.page
        await screen.log_in("admin")
        await page.get_by_role("link", name="客服设置").click()
        await screen.sees("还没有规则", "自动回复规则")

        await screen.button("新增", exact=True).click()
        dialog = screen.dialog("新增规则")
        await dialog.get_by_label("关键词", exact=False).first.fill("停车、车位")
        await dialog.get_by_role("button", name="保存").click()
        await expect(dialog).to_contain_text("needs a text or a card")
        await dialog.get_by_label("内容").fill("地下一层停车两小时免费。")
        await dialog.get_by_role("button", name="保存").click()
        await screen.sees("停车、车位", "包含关键词", "地下一层停车两小时免费。")
        await page.get_by_label("试一试").first.fill("哪里可以停车？")
        await page.keyboard.press("Enter")
        await screen.sees("自动回复：命中规则“停车、车位”")
        await look(screen, faults)

        await customer.write("有车位吗")
        await work(server.settings)
        assert await customer.answers() == ["地下一层停车两小时免费。"]

        await screen.button("固定话术").click()
        await page.get_by_label("没听懂时", exact=False).fill("请换个说法。")
        await screen.button("保存").click()
        await screen.sees("已保存，几秒内生效")
        await look(screen, faults)

        await screen.button("快捷回复").click()
        await screen.button("新增", exact=True).click()
        dialog = screen.dialog("新增快捷回复")
        await dialog.get_by_label("名称", exact=False).fill("停车")
        await dialog.get_by_label("内容", exact=False).fill("出口处扫码即可。")
        await dialog.get_by_role("button", name="保存").click()
        await screen.sees("出口处扫码即可。", "全部门店")
        await screen.button("删除 停车").click()
        await screen.dialog("删除").get_by_role("button", name="删除").click()
        await screen.sees("已删除")

        await screen.button("变更记录").click()
        await screen.sees("停车、车位", "固定话术", "删除")
        await look(screen, faults)

        assert (await admin.post(f"{DESK}/{await newest()}/wechat")).json()["state"] == "wechat"
        await db.pool().execute(MANY)
        await page.get_by_role("link", name="返回客服").click()
        await page.get_by_role("navigation", name="会话列表").get_by_role("button", name="转微信客服").click()
        await expect(page.locator(".chat-entry")).to_have_count(1)  # to be claimed back
        await page.get_by_role("navigation", name="会话列表").get_by_role("button", name="智能客服").click()
        await expect(page.locator(".chat-entry")).to_have_count(50)
        await screen.button("更多会话").click()
        await expect(page.locator(".chat-entry")).to_have_count(60)
        await expect(screen.button("更多会话")).to_have_count(0)
    async with console(chromium, server, "#/chat-guide") as screen:
        await screen.log_in("manager-S1")
        await screen.sees("快捷回复", "门店的只给本店用")
        await expect(screen.page.get_by_text("自动回复规则")).to_have_count(0)
        await expect(screen.page.get_by_text("变更记录")).to_have_count(0)
    assert faults == []


MANY = """
INSERT INTO conversation (id, openid_digest, openid_sealed, state, last_at, created_at)
SELECT n, 'many-' || n, '', 'robot', now() - n * interval '1 min', now() FROM generate_series(1, 60) AS n"""
