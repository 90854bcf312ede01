"""A member writes to customer service, is answered by the robot and by a person, and opens what they send."""

from __future__ import annotations

import uuid

import pytest
from playwright.async_api import expect

from tests.browser.actors import Member
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import there
from tests.support.chat import DESK, newest, say, work_when_asked
from tests.support.pictures import picture
from tests.support.staff import StaffSession

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_member_asks_is_answered_and_opens_what_was_sent(phone: Member, admin: StaffSession, server, tmp_path):
    page, faults = phone.page, []
    await phone.go("我的")
    await phone.button("联系客服").click()
    await phone.sees("还没有咨询记录")
    await look(phone, faults)

    await phone.button("给客服发消息").click()
    window = phone.dialog("客服")
    await work_when_asked(server.settings)
    await expect(window.get_by_text("您好，欢迎光临")).to_be_visible()
    await phone.field("输入消息").fill("余额")
    await page.keyboard.press("Enter")
    await expect(window.locator(".mine .wx-bubble")).to_have_text("余额")
    await work_when_asked(server.settings)
    await expect(window.get_by_text("您的储值余额为 ¥500。")).to_be_visible()
    await look(phone, faults)

    shot = tmp_path / "shelf.jpg"
    shot.write_bytes(picture("JPEG", (900, 600), color="#aa5533"))
    async with page.expect_file_chooser() as chosen:
        await phone.button("发送图片").click()
    await (await chosen.value).set_files(shot)
    await expect(window.get_by_role("img", name="我发送的图片")).to_be_visible()
    await work_when_asked(server.settings)
    conversation_id = await newest()
    assert (await admin.post(f"{DESK}/{conversation_id}/claim")).status_code == 200
    assert (await say(admin, conversation_id, "看到了，这就帮您查。")).status_code == 201
    await expect(window.get_by_text("看到了，这就帮您查。")).to_be_visible()

    await page.keyboard.press("Escape")
    await phone.sees("店员正在为您服务", "看到了，这就帮您查。")
    card = {"card": {"title": "我的优惠券", "page": "pages/coupons/index"}}
    sent = await admin.post(f"{DESK}/{conversation_id}/messages", card, key=uuid.uuid4().hex)
    assert sent.status_code == 201, sent.text
    await expect(phone.button("打开 我的优惠券")).to_be_visible()  # the page heard of it
    await expect(page.locator(".chat-shot img")).to_be_visible()
    await look(phone, faults)
    await phone.button("打开 我的优惠券").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("卡券")
    await there(phone, "chat")
    assert (await admin.post(f"{DESK}/{conversation_id}/close")).status_code == 200
    await phone.sees("会话已结束，可随时再次咨询")

    assert faults == []


async def look(phone: Member, faults: list[str]) -> None:
    await phone.quiet()
    faults.extend([*await small_targets(phone.page), *await faint_texts(phone.page)])
